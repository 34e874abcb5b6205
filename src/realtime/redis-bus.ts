import { EventEmitter } from 'node:events';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import { StartError } from '../start-error.js';
import type { Sharing } from '../limits/shared-bucket.js';
import {
  RedisLink,
  type Listener,
  type PublishKind,
  type SubscriptionKind,
  type Transport,
  type TransportEvents,
} from './redis-link.js';
import { RedisShards } from './redis-shards.js';
import { Seal } from './seal.js';

/** How long it is not asked anew how many instances there are, in ms. */
const COMPANY_KEPT = 250;
/** Reasons that are logged of one degradation, at most. */
const REASONS = 8;

/**
 * What the Socket.IO adapter runs on instead of Redis clients, guarded.
 *
 * What the adapter calls never rejects and never queues: a publish while Redis is away is dropped and counted, because
 * nothing depends on it and a late burst of old frames would only be in the way. Subscriptions are made again on each new
 * connection, and nothing that comes over one ends the process.
 */
@Injectable()
export class RedisBus implements OnApplicationShutdown {
  private readonly logger = new Logger(RedisBus.name);
  private readonly events = new EventEmitter();
  private readonly transport: Transport | undefined;
  private stopped = false;
  private known: Sharing = { instances: 1, connected: true };
  private knownAt = -Infinity;
  private wasHealthy = false;
  /** Of what was not sealed. */
  private hasWarned = false;
  /** What was logged since the bus worked, so that it is logged once. */
  private readonly reasons = new Set<string>();
  /** Publishes that Redis did not take, and frames that could not be read. */
  readonly counts = { dropped: 0, junk: 0, connects: 0 };

  constructor(@Inject(CONFIG) private readonly config: Config) {
    if (config.redis === undefined) return;
    const { adapter, urls, ca, prefix, hmacKeys } = config.redis;
    const seal = new Seal(hmacKeys);
    const events: TransportEvents = {
      turned: () => this.turn(),
      failed: (reason) => this.warn(reason),
      junk: () => this.noteJunk(),
      unsealed: () => this.noteUnsealed(),
      subscribed: (channel) => this.events.emit('subscribed', channel),
      connecting: () => (this.counts.connects += 1),
    };
    this.transport =
      adapter === 'sharded'
        ? new RedisShards(urls, ca, seal, prefix, events)
        : new RedisLink({ url: urls[0] ?? '', ca }, seal, { kind: 'publish', channel: `${prefix}:beat` }, events);
  }

  /** False: one instance, no Redis. */
  get enabled(): boolean {
    return this.transport !== undefined;
  }

  /** Whether Redis carries what this instance publishes, and brings it what is published. */
  get healthy(): boolean {
    return this.transport?.healthy === true;
  }

  /** Whether all that the other instances publish can be expected to arrive; see `Transport`. */
  get complete(): boolean {
    return this.transport?.complete === true;
  }

  /** How many instances there are, and whether they hear each other; up to a quarter of a second old. */
  get company(): Sharing {
    const now = performance.now();
    if (now - this.knownAt > COMPANY_KEPT) {
      this.knownAt = now;
      this.known = { instances: this.transport?.instances ?? 1, connected: this.healthy };
    }
    return this.known;
  }

  /** `listener` runs whenever `healthy` or `complete` turns. */
  onTurn(listener: () => void): void {
    this.events.on('turn', listener);
  }

  /** `listener` runs when a subscription that was made on a healthy bus begins to be heard. */
  onSubscribed(listener: (channel: string) => void): void {
    this.events.on('subscribed', listener);
  }

  /**
   * Starts connecting and keeps at it; resolves when the bus works, or after `patience` ms without.
   * @throws StartError where the configuration wants Redis and it does not answer
   */
  async start(patience = 3_000): Promise<void> {
    if (this.transport === undefined) return;
    const healthy = new Promise<void>((resolve) => this.events.once('turn', resolve));
    this.transport.open();
    let timeout: NodeJS.Timeout | undefined;
    await Promise.race([healthy, new Promise<void>((resolve) => (timeout = setTimeout(resolve, patience)))]);
    clearTimeout(timeout);
    if (this.healthy) return;
    if (this.config.redis?.required === true) {
      throw new StartError(
        `Redis does not work at REDIS_URL${this.reason}: start it or correct the address${this.doubt}, or set REDIS_REQUIRED=off to start without.`,
      );
    } else {
      this.logger.error(
        `Redis does not work${this.reason}. Parley serves without it: other instances see changes about a second later. Check REDIS_URL${this.doubt}.`,
      );
    }
  }

  /** What may be wrong besides, where the way to Redis is TLS. */
  private get doubt(): string {
    const isSafe = this.config.redis?.urls[0]?.startsWith('rediss:') === true;
    return isSafe ? ', name the certificate of its authority in REDIS_CA and turn TLS on there' : '';
  }

  private get reason(): string {
    const last = [...this.reasons].at(-1);
    return last === undefined ? '' : ` (${last})`;
  }

  /** What the adapter takes for its publishing client. */
  readonly publisher = this.facade();
  /** What the adapter takes for its subscribing client. */
  readonly subscriber = this.facade();

  /** Something came over the bus that no instance of ours sends. */
  noteJunk(): void {
    this.counts.junk += 1;
  }

  private noteUnsealed(): void {
    this.noteJunk();
    if (this.hasWarned) return;
    this.hasWarned = true;
    this.logger.warn(
      'Over Redis comes what was not sealed with BUS_HMAC_KEY, and is dropped: another instance has another key, or somebody else publishes there.',
    );
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    await this.transport?.close();
  }

  private facade() {
    const publish = (kind: PublishKind) => (channel: string, message: string | Buffer) =>
      this.publish(kind, channel, message);
    const subscribe = (kind: SubscriptionKind) => (channels: string | string[], listener: Listener) => {
      for (const channel of [channels].flat())
        this.transport?.subscribe({ kind, channel, listener: this.guarded(listener) });
      return Promise.resolve();
    };
    const unsubscribe = (kind: SubscriptionKind) => (channels: string | string[]) => {
      for (const channel of [channels].flat()) this.transport?.unsubscribe(kind, channel);
      return Promise.resolve();
    };
    return {
      publish: publish('publish'),
      sPublish: publish('sPublish'),
      // Only for counting instances, which nothing of ours waits for.
      sendCommand: () => Promise.resolve(['', '0']),
      subscribe: subscribe('subscribe'),
      pSubscribe: subscribe('pSubscribe'),
      sSubscribe: subscribe('sSubscribe'),
      unsubscribe: unsubscribe('subscribe'),
      pUnsubscribe: unsubscribe('pSubscribe'),
      sUnsubscribe: unsubscribe('sSubscribe'),
      // The adapter wants to see an error listener; errors are handled on the connections themselves.
      on: () => undefined,
      off: () => undefined,
      listenerCount: () => 2,
    };
  }

  private async publish(kind: PublishKind, channel: string, message: string | Buffer): Promise<void> {
    try {
      await this.transport?.publish(kind, channel, message);
    } catch {
      this.counts.dropped += 1;
    }
  }

  private guarded(listener: Listener): Listener {
    return (message, channel) => {
      try {
        listener(message, channel);
      } catch {
        this.noteJunk();
      }
    };
  }

  private turn(): void {
    if (this.stopped) return;
    if (this.healthy && !this.wasHealthy) {
      this.logger.log('The Redis bus works');
      this.reasons.clear();
    }
    this.wasHealthy = this.healthy;
    this.events.emit('turn');
  }

  /** Each reason once, until the bus works again. */
  private warn(reason: string): void {
    if (this.stopped || this.reasons.has(reason) || this.reasons.size >= REASONS) return;
    this.reasons.add(reason);
    const hint = reason.includes('NOPERM')
      ? ` The Redis user lacks rights: it needs the channels &${this.config.redis?.prefix}*, see docs/operations.md.`
      : '';
    this.logger.warn(
      `The Redis bus is degraded: ${reason}. Changes of other instances are read from Postgres meanwhile.${hint}`,
    );
  }
}
