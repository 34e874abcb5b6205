import { EventEmitter } from 'node:events';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { createClient } from 'redis';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import { StartError } from '../start-error.js';
import { BusBeats } from './bus-beats.js';

/** A beat goes out on the bus this often, in ms … */
const BEAT_EVERY = 500;
/** … and when none came back for this long, the bus is degraded and both connections are made anew. */
const BEAT_MISSED = 2_000;
/** Reasons that are logged of one degradation, at most. */
const REASONS = 8;
/** What the last word to the other instances may take, in ms. */
const GOODBYE = 500;
const CONNECT_TIMEOUT = 2_000;
/** Connecting, with every subscription made, is given up after this long, in ms: a subscriber whose answers vanish says nothing. */
const CONNECT_PATIENCE = 3_000;
/** Longest pause between two tries to connect, in ms. */
const RETRY_CAP = 1_000;

type Client = ReturnType<typeof createClient>;
type Listener = (message: Buffer, channel: Buffer) => unknown;
type Kind = 'subscribe' | 'pSubscribe' | 'sSubscribe';

interface Connections {
  publisher: Client;
  subscriber: Client;
}

/**
 * The two Redis connections that the Socket.IO adapter runs on, guarded.
 *
 * What the adapter calls never rejects and never queues: a publish while Redis is away is dropped and counted, because
 * nothing depends on it and a late burst of old frames would only be in the way. Subscriptions are kept here and made
 * again on each new connection. That all is well is only believed when our own beat comes back through Redis: connections
 * can look fine while nothing arrives.
 */
@Injectable()
export class RedisBus implements OnApplicationShutdown {
  private readonly logger = new Logger(RedisBus.name);
  private readonly events = new EventEmitter();
  private readonly beatChannel: string;
  private readonly beats = new BusBeats();
  private readonly subscriptions: { kind: Kind; channel: string; listener: Listener }[] = [];
  private connections: Connections | undefined;
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private isHealthy = false;
  private isBeatMissed = false;
  /** What was logged since the bus worked, so that it is logged once. */
  private readonly reasons = new Set<string>();
  /** What Redis said last to a publish that it did not take. */
  private refusal = '';
  /** Publishes that Redis did not take, and frames that could not be read. */
  readonly counts = { dropped: 0, junk: 0, connects: 0 };

  constructor(@Inject(CONFIG) private readonly config: Config) {
    this.beatChannel = `${config.redis?.prefix ?? ''}:beat`;
    if (config.redis !== undefined) this.remember('subscribe', this.beatChannel, (beat) => this.onBeat(String(beat)));
  }

  /** False: one instance, no Redis. */
  get enabled(): boolean {
    return this.config.redis !== undefined;
  }

  /** Whether Redis carries what this instance publishes, and brings it what is published. */
  get healthy(): boolean {
    return this.isHealthy;
  }

  /**
   * Whether all that the other instances publish can be expected to arrive. It cannot from the first beat on that is missed, our own
   * or that of an instance that may have lost Redis alone.
   */
  get complete(): boolean {
    return this.isHealthy && !this.isBeatMissed;
  }

  /** `listener` runs whenever `healthy` or `complete` turns. */
  onTurn(listener: () => void): void {
    this.events.on('turn', listener);
  }

  /**
   * Starts connecting and keeps at it; resolves when the bus works, or after `patience` ms without.
   * @throws StartError where the configuration wants Redis and it does not answer
   */
  async start(patience = 3_000): Promise<void> {
    if (!this.enabled) return;
    const healthy = new Promise<void>((resolve) => this.events.once('turn', resolve));
    this.loop();
    let timeout: NodeJS.Timeout | undefined;
    await Promise.race([healthy, new Promise<void>((resolve) => (timeout = setTimeout(resolve, patience)))]);
    clearTimeout(timeout);
    if (this.isHealthy) return;
    if (this.config.redis?.required === true) {
      throw new StartError(
        `Redis does not work at REDIS_URL${this.reason}: start it or correct the address, or set REDIS_REQUIRED=off to start without.`,
      );
    } else {
      this.logger.error(
        `Redis does not work${this.reason}. Parley serves without it: other instances see changes about a second later. Check REDIS_URL.`,
      );
    }
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

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    if (this.isHealthy)
      await within(GOODBYE, this.publisher.publish(this.beatChannel, this.beats.goodbye)).catch(() => undefined);
    this.disconnect();
  }

  private facade() {
    const subscribe = (kind: Kind) => (channels: string | string[], listener: Listener) => {
      for (const channel of [channels].flat()) this.remember(kind, channel, listener);
      return Promise.resolve();
    };
    const unsubscribe = (kind: Kind) => (channels: string | string[]) => {
      for (const channel of [channels].flat()) this.forget(kind, channel);
      return Promise.resolve();
    };
    return {
      publish: (channel: string, message: string | Buffer) => this.send((client) => client.publish(channel, message)),
      sPublish: (channel: string, message: string | Buffer) => this.send((client) => client.sPublish(channel, message)),
      sendCommand: (command: string[]) => this.send((client) => client.sendCommand(command), ['', '0']),
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

  private async send<T>(command: (client: Client) => Promise<T>, otherwise?: T): Promise<T | undefined> {
    const client = this.connections?.publisher;
    if (client?.isReady !== true) {
      this.counts.dropped += 1;
      return otherwise;
    }
    try {
      return await command(client);
    } catch (error) {
      this.counts.dropped += 1;
      this.refusal = `: ${String(error)}`;
      return otherwise;
    }
  }

  private remember(kind: Kind, channel: string, listener: Listener): void {
    // Whatever comes over the bus must not end the process.
    const guarded: Listener = (message, from) => {
      try {
        listener(message, from);
      } catch {
        this.noteJunk();
      }
    };
    const subscription = { kind, channel, listener: guarded };
    this.subscriptions.push(subscription);
    const client = this.connections?.subscriber;
    if (client?.isReady === true)
      this.subscribeOn(client, subscription).catch((error: unknown) => this.reconnect(String(error)));
  }

  private forget(kind: Kind, channel: string): void {
    const index = this.subscriptions.findIndex(
      (subscription) => subscription.kind === kind && subscription.channel === channel,
    );
    if (index < 0) return;
    this.subscriptions.splice(index, 1);
    const client = this.connections?.subscriber;
    const method = ({ subscribe: 'unsubscribe', pSubscribe: 'pUnsubscribe', sSubscribe: 'sUnsubscribe' } as const)[
      kind
    ];
    if (client?.isReady === true) client[method](channel).catch(() => undefined);
  }

  private subscribeOn(client: Client, { kind, channel, listener }: (typeof this.subscriptions)[number]): Promise<void> {
    return client[kind](channel, listener, true);
  }

  private async connect(url: string): Promise<void> {
    const make = (): Client =>
      createClient({
        url,
        disableOfflineQueue: true,
        socket: { connectTimeout: CONNECT_TIMEOUT, reconnectStrategy: false, keepAlive: true },
      }).on('error', () => undefined) as Client;
    const fresh: Connections = { publisher: make(), subscriber: make() };
    this.connections = fresh;
    this.counts.connects += 1;
    await within(CONNECT_PATIENCE, this.setUp(fresh));
    if (this.connections !== fresh) return;
    for (const client of [fresh.publisher, fresh.subscriber]) {
      client.on('end', () => this.connections === fresh && this.reconnect('a connection ended'));
      client.on('error', (error: unknown) => this.connections === fresh && this.reconnect(String(error)));
    }
    this.beats.begin();
    this.failures = 0;
  }

  private async setUp({ publisher, subscriber }: Connections): Promise<void> {
    await Promise.all([publisher.connect(), subscriber.connect()]);
    await Promise.all(this.subscriptions.map((subscription) => this.subscribeOn(subscriber, subscription)));
  }

  /** Beats while connected, connects while not. */
  private loop(): void {
    const url = this.config.redis?.url;
    if (this.stopped || url === undefined) return;
    if (this.connections === undefined) {
      this.connect(url)
        .catch((error: unknown) => this.reconnect(String(error)))
        .finally(() => this.loopIn(this.connections === undefined ? this.retryPause() : 0));
      return;
    }
    if (this.beats.age() > BEAT_MISSED) {
      this.reconnect(`its beat did not come back${this.refusal}`);
      this.loopIn(0);
      return;
    }
    void this.send((client) => client.publish(this.beatChannel, this.beats.id));
    if (this.isBeatMissed !== this.beats.isOneMissed()) {
      this.isBeatMissed = !this.isBeatMissed;
      this.events.emit('turn');
    }
    this.loopIn(BEAT_EVERY);
  }

  private loopIn(pause: number): void {
    if (!this.stopped) this.timer = setTimeout(() => this.loop(), pause);
  }

  private retryPause(): number {
    this.failures += 1;
    return Math.random() * Math.min(RETRY_CAP, 50 * 2 ** this.failures);
  }

  private onBeat(beat: string): void {
    const whose = this.beats.hear(beat);
    if (whose === 'junk') this.noteJunk();
    if (whose !== 'own') return;
    this.refusal = '';
    this.turn(true, 'works');
  }

  /** The loop connects again at its next turn. */
  private reconnect(reason: string): void {
    this.turn(false, reason);
    this.disconnect();
  }

  private disconnect(): void {
    const old = this.connections;
    this.connections = undefined;
    for (const client of [old?.publisher, old?.subscriber]) client?.destroy();
  }

  private turn(healthy: boolean, reason: string): void {
    if (this.stopped) return;
    if (!healthy) this.warn(reason);
    if (this.isHealthy === healthy) return;
    this.isHealthy = healthy;
    if (healthy) {
      this.logger.log('The Redis bus works');
      this.reasons.clear();
    }
    this.events.emit('turn');
  }

  /** Each reason once, until the bus works again. */
  private warn(reason: string): void {
    if (this.reasons.has(reason) || this.reasons.size >= REASONS) return;
    this.reasons.add(reason);
    const hint = reason.includes('NOPERM')
      ? ` The Redis user lacks rights: it needs the channels &${this.config.redis?.prefix}*, see docs/operations.md.`
      : '';
    this.logger.warn(
      `The Redis bus is degraded: ${reason}. Changes of other instances are read from Postgres meanwhile.${hint}`,
    );
  }
}

/** @throws after `ms`, when the work is not done by then */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
