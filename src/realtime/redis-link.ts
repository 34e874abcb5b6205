import { createClient } from 'redis';
import { BusBeats } from './bus-beats.js';
import type { Seal } from './seal.js';

/** A beat goes out this often, in ms … */
const BEAT_EVERY = 500;
/** … and when none came back for this long, the link is down and both connections are made anew. */
const BEAT_MISSED = 2_000;
/** What the last word to the other instances may take, in ms. */
const GOODBYE = 500;
const CONNECT_TIMEOUT = 2_000;
/** Connecting, with every subscription made, is given up after this long, in ms: a subscriber whose answers vanish says nothing. */
const CONNECT_PATIENCE = 3_000;
/** Longest pause between two tries to connect, in ms. */
const RETRY_CAP = 1_000;

export type Client = ReturnType<typeof createClient>;
export type Listener = (message: Buffer, channel: Buffer) => unknown;
export type SubscriptionKind = 'subscribe' | 'pSubscribe' | 'sSubscribe';
export type PublishKind = 'publish' | 'sPublish';

export interface Subscription {
  kind: SubscriptionKind;
  channel: string;
  /** Must not throw. */
  listener: Listener;
}

/** What the bus runs on: one Redis, or the masters of a Redis Cluster. */
export interface Transport {
  /** Whether Redis carries what this instance publishes, and brings it what is published, on every channel. */
  readonly healthy: boolean;
  /**
   * Whether all that the other instances publish can be expected to arrive. It cannot from the first beat on that is missed, our own
   * or that of an instance that may have lost Redis alone.
   */
  readonly complete: boolean;
  /** How many instances were heard of lately, this one included. */
  readonly instances: number;
  /** Connects, and keeps at it until `close`. */
  open(): void;
  close(): Promise<void>;
  /** Kept, and made again on each new connection. One a kind and channel. */
  subscribe(subscription: Subscription): void;
  unsubscribe(kind: SubscriptionKind, channel: string): void;
  /** Never queues. @throws when Redis did not take it */
  publish(kind: PublishKind, channel: string, message: string | Buffer): Promise<unknown>;
}

/** What a transport tells of itself. */
export interface TransportEvents {
  /** `healthy` or `complete` turned. */
  turned(): void;
  /** Why it is not healthy, or still not. */
  failed(reason: string): void;
  /** Something came that no instance of ours sends. */
  junk(): void;
  /** Something came that none of us has sealed. */
  unsealed(): void;
  /** Redis confirmed a subscription that was made while the connections stood: from now on what is published arrives. */
  subscribed(channel: string): void;
  connecting(): void;
}

export interface LinkEvents extends TransportEvents {
  /** The channel belongs to another master of the cluster. */
  moved?(channel: string): void;
}

interface Connections {
  publisher: Client;
  subscriber: Client;
}

/** Where a Redis is, and by whom it is known to be that. */
export interface RedisAddress {
  readonly url: string;
  /** Certificates (PEM) in place of those that Node trusts, for `rediss:`. */
  readonly ca?: string | undefined;
}

/** Keeps no commands for later and does not reconnect by itself. */
export function makeClient({ url, ca }: RedisAddress): Client {
  const socket = { connectTimeout: CONNECT_TIMEOUT, reconnectStrategy: false, keepAlive: true } as const;
  return createClient({
    url,
    disableOfflineQueue: true,
    socket: url.startsWith('rediss:') ? { ...socket, tls: true, ca } : socket,
  }).on('error', () => undefined) as Client;
}

export const subscriptionKey = (kind: SubscriptionKind, channel: string): string => `${kind} ${channel}`;

/**
 * Two connections to one Redis. That all is well is only believed while our own beat comes back through Redis, the way that
 * everything else goes: connections can look fine while nothing arrives.
 */
export class RedisLink implements Transport {
  private readonly subscriptions = new Map<string, Subscription>();
  private connections: Connections | undefined;
  private readonly beats = new BusBeats();
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;
  private isHealthy = false;
  private isBeatMissed = false;
  /** What Redis said last to a publish that it did not take. */
  private refusal = '';

  /**
   * @param seal what is published is sealed by
   * @param beat the channel that every instance beats on at this Redis, and how one publishes there
   */
  constructor(
    private readonly address: RedisAddress,
    private readonly seal: Seal,
    private readonly beat: { kind: PublishKind; channel: string },
    private readonly events: LinkEvents,
  ) {
    const kind = beat.kind === 'publish' ? 'subscribe' : 'sSubscribe';
    this.subscribe({ kind, channel: beat.channel, listener: (beat) => this.onBeat(String(beat)) });
  }

  get healthy(): boolean {
    return this.isHealthy;
  }

  get complete(): boolean {
    return this.isHealthy && !this.isBeatMissed;
  }

  get instances(): number {
    return this.beats.instances;
  }

  get beatChannel(): string {
    return this.beat.channel;
  }

  open(): void {
    this.loop();
  }

  async close(): Promise<void> {
    const wasHealthy = this.isHealthy;
    this.closed = true;
    this.isHealthy = false;
    clearTimeout(this.timer);
    const { kind, channel } = this.beat;
    if (wasHealthy) await within(GOODBYE, this.publish(kind, channel, this.beats.goodbye)).catch(() => undefined);
    this.disconnect();
  }

  subscribe(subscription: Subscription): void {
    const { kind, channel } = subscription;
    this.subscriptions.set(subscriptionKey(kind, channel), subscription);
    const client = this.connections?.subscriber;
    if (client?.isReady !== true) return;
    this.subscribeOn(client, subscription).then(
      () => this.events.subscribed(channel),
      (error: unknown) => {
        if (client !== this.connections?.subscriber) return;
        if (isMoved(error)) this.events.moved?.(channel);
        else this.reconnect(String(error));
      },
    );
  }

  unsubscribe(kind: SubscriptionKind, channel: string): void {
    if (!this.subscriptions.delete(subscriptionKey(kind, channel))) return;
    const client = this.connections?.subscriber;
    const method = ({ subscribe: 'unsubscribe', pSubscribe: 'pUnsubscribe', sSubscribe: 'sUnsubscribe' } as const)[
      kind
    ];
    if (client?.isReady === true) client[method](channel).catch(() => undefined);
  }

  async publish(kind: PublishKind, channel: string, message: string | Buffer): Promise<unknown> {
    try {
      const sealed = this.seal.close(channel, message);
      return await this.ask((client) => client[kind](channel, sealed));
    } catch (error) {
      this.refusal = `: ${String(error)}`;
      throw error;
    }
  }

  /** A command on the publishing connection. @throws when that does not stand */
  async ask<T>(command: (client: Client) => Promise<T>): Promise<T> {
    const client = this.connections?.publisher;
    if (client?.isReady !== true) throw new Error('Redis is not connected');
    return command(client);
  }

  private subscribeOn(client: Client, { kind, channel, listener }: Subscription): Promise<void> {
    const opened: Listener = (sealed, from) => {
      const message = this.seal.open(from, sealed);
      if (message === undefined) this.events.unsealed();
      else listener(message, from);
    };
    return client[kind](channel, opened, true);
  }

  private async connect(): Promise<void> {
    const fresh: Connections = { publisher: makeClient(this.address), subscriber: makeClient(this.address) };
    this.connections = fresh;
    this.events.connecting();
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
    subscriber.on('sharded-channel-moved', (channel: string) => this.events.moved?.(channel));
    await Promise.all([publisher.connect(), subscriber.connect()]);
    const made = [...this.subscriptions.values()].map((subscription) =>
      this.subscribeOn(subscriber, subscription).catch((error: unknown) => {
        if (!isMoved(error) || this.events.moved === undefined) throw error;
        this.events.moved(subscription.channel);
      }),
    );
    await Promise.all(made);
  }

  /** Beats while connected, connects while not. */
  private loop(): void {
    if (this.closed) return;
    if (this.connections === undefined) {
      this.connect()
        .catch((error: unknown) => this.reconnect(String(error)))
        .finally(() => this.loopIn(this.connections === undefined ? this.retryPause() : 0));
      return;
    }
    if (this.beats.age() > BEAT_MISSED) {
      this.reconnect(`its beat did not come back${this.refusal}`);
      this.loopIn(0);
      return;
    }
    const { kind, channel } = this.beat;
    this.publish(kind, channel, this.beats.id).catch(() => undefined);
    if (this.isBeatMissed !== this.beats.isOneMissed()) {
      this.isBeatMissed = !this.isBeatMissed;
      this.events.turned();
    }
    this.loopIn(BEAT_EVERY);
  }

  private loopIn(pause: number): void {
    if (!this.closed) this.timer = setTimeout(() => this.loop(), pause);
  }

  private retryPause(): number {
    this.failures += 1;
    return Math.random() * Math.min(RETRY_CAP, 50 * 2 ** this.failures);
  }

  private onBeat(beat: string): void {
    const whose = this.beats.hear(beat);
    if (whose === 'junk') this.events.junk();
    if (whose !== 'own') return;
    this.refusal = '';
    this.turn(true);
  }

  /** The loop connects again at its next turn. */
  private reconnect(reason: string): void {
    if (this.closed) return;
    this.events.failed(reason);
    this.turn(false);
    this.disconnect();
  }

  private disconnect(): void {
    const old = this.connections;
    this.connections = undefined;
    for (const client of [old?.publisher, old?.subscriber]) client?.destroy();
  }

  private turn(healthy: boolean): void {
    if (this.isHealthy === healthy || this.closed) return;
    this.isHealthy = healthy;
    this.events.turned();
  }
}

export function isMoved(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('MOVED ');
}

/** @throws after `ms`, when the work is not done by then */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
