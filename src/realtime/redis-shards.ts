import {
  isMoved,
  makeClient,
  RedisLink,
  subscriptionKey,
  within,
  type Client,
  type PublishKind,
  type Subscription,
  type SubscriptionKind,
  type Transport,
  type TransportEvents,
} from './redis-link.js';
import type { Seal } from './seal.js';
import { readSlotOwners, slotOf, type SlotOwners } from './redis-slots.js';

/** How often the cluster is asked who owns what, in ms: as a matter of course, and while something is wrong or has just moved. */
const LOOK_EVERY = 10_000;
const LOOK_DEGRADED = 1_000;
/** After a hint that a slot has moved, in ms: a move of many slots gives many. */
const LOOK_SOON = 50;
const LOOK_PATIENCE = 3_000;

/**
 * Sharded pub/sub: each channel belongs to one master of a Redis Cluster, and goes by that master's link. A Redis that is
 * no cluster is taken for one master that owns everything.
 *
 * Every master has a beat of its own, on a channel that it owns: healthy means that all of them come back. A slot that
 * moves, by resharding or by a failover, takes its subscriptions along.
 */
export class RedisShards implements Transport {
  private readonly links = new Map<string, RedisLink>();
  private readonly subscriptions = new Map<string, Subscription & { slot: number; on: RedisLink | undefined }>();
  /** Undefined until a Redis answered. */
  private owners: SlotOwners | undefined;
  private isCluster = true;
  private looking = false;
  /** A hint came while a look was under way. */
  private again = false;
  /** Until when a slot counts as just moved, by `performance.now()`: for a while not every master has heard of it. */
  private movingUntil = 0;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;
  private isHealthy = false;
  private isComplete = false;

  /**
   * @param urls of some nodes, or of a Redis alone; the first gives user, password and TLS for all
   * @param ca as in `RedisAddress`
   * @param seal what is published is sealed by
   */
  constructor(
    private readonly urls: readonly string[],
    private readonly ca: string | undefined,
    private readonly seal: Seal,
    private readonly prefix: string,
    private readonly events: TransportEvents,
  ) {}

  get healthy(): boolean {
    return this.isHealthy;
  }

  get complete(): boolean {
    return this.isComplete;
  }

  get instances(): number {
    return Math.max(1, ...[...this.links.values()].map((link) => link.instances));
  }

  open(): void {
    void this.look();
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await Promise.all([...this.links.values()].map((link) => link.close()));
  }

  subscribe(subscription: Subscription): void {
    const { kind, channel } = subscription;
    const slot = slotOf(channel);
    const on = this.linkOf(slot);
    this.subscriptions.set(subscriptionKey(kind, channel), { ...subscription, slot, on });
    on?.subscribe(subscription);
  }

  unsubscribe(kind: SubscriptionKind, channel: string): void {
    const key = subscriptionKey(kind, channel);
    this.subscriptions.get(key)?.on?.unsubscribe(kind, channel);
    this.subscriptions.delete(key);
  }

  async publish(kind: PublishKind, channel: string, message: string | Buffer): Promise<unknown> {
    const link = this.linkOf(slotOf(channel));
    if (link === undefined) throw new Error('No Redis owns the channel');
    try {
      return await link.publish(kind, channel, message);
    } catch (error) {
      if (!isMoved(error)) throw error;
      this.noteMove();
      const owner = / (\S+)$/.exec((error as Error).message)?.[1];
      const next = owner === undefined ? undefined : this.links.get(owner);
      if (next === undefined || next === link) throw error;
      return next.publish(kind, channel, message);
    }
  }

  private linkOf(slot: number): RedisLink | undefined {
    const owner = this.owners?.[slot];
    return owner === undefined ? undefined : this.links.get(owner);
  }

  private lookIn(pause: number): void {
    if (this.looking) this.again = true;
    if (this.closed || this.looking) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), pause);
  }

  /** Asks who owns what, and follows. */
  private async look(): Promise<void> {
    if (this.closed || this.looking) return;
    this.looking = true;
    try {
      this.follow(await this.askOwners());
    } catch (error) {
      this.events.failed(String(error));
      this.judge();
    }
    this.looking = false;
    const soon = this.again;
    this.again = false;
    const isQuiet = this.isHealthy && performance.now() >= this.movingUntil;
    if (this.isCluster) this.lookIn(soon ? LOOK_SOON : isQuiet ? LOOK_EVERY : LOOK_DEGRADED);
  }

  /** Those who answer well are asked first. @throws when nobody answers */
  private async askOwners(): Promise<SlotOwners> {
    const links = [...this.links].filter(([, { healthy }]) => healthy).sort(() => Math.random() - 0.5);
    for (const [address, link] of links) {
      try {
        return await within(
          LOOK_PATIENCE,
          link.ask((client) => this.ask(client, hostOf(address))),
        );
      } catch {
        // The next one knows it, too.
      }
    }
    let failure: unknown = new Error('no Redis is named');
    for (const url of [...this.urls, ...[...this.links.keys()].map((address) => this.urlOf(address))]) {
      const client = makeClient({ url, ca: this.ca });
      try {
        const work = client.connect().then(() => this.ask(client, new URL(url).hostname));
        return await within(LOOK_PATIENCE, work);
      } catch (error) {
        failure = error;
      } finally {
        client.destroy();
      }
    }
    throw failure;
  }

  private async ask(client: Client, host: string): Promise<SlotOwners> {
    try {
      return readSlotOwners(await client.sendCommand(['CLUSTER', 'SLOTS']), host);
    } catch (error) {
      if (!String(error).includes('cluster support disabled')) throw error;
      // Several that do not know of each other would each carry half of the news.
      if (this.urls.length > 1) throw new Error(`the Redis at ${host} is no cluster, but REDIS_URL names several`);
      this.isCluster = false;
      const { host: address } = new URL(this.urls[0] ?? '');
      return readSlotOwners([], host).map(() => address);
    }
  }

  private follow(owners: SlotOwners): void {
    if (this.closed) return;
    this.owners = owners;
    const addresses = new Set(owners.filter((owner) => owner !== undefined));
    for (const [address, link] of this.links) {
      if (addresses.has(address) && link.beatChannel === this.beatChannelOf(address, owners)) continue;
      void link.close();
      this.links.delete(address);
      for (const subscription of this.subscriptions.values()) if (subscription.on === link) subscription.on = undefined;
    }
    const fresh: RedisLink[] = [];
    for (const address of addresses) {
      if (this.links.has(address)) continue;
      const link = this.newLink(address, owners);
      this.links.set(address, link);
      fresh.push(link);
    }
    for (const subscription of this.subscriptions.values()) this.move(subscription);
    for (const link of fresh) link.open();
    if (owners.includes(undefined)) this.events.failed('some slots have no master');
    this.judge();
  }

  private move(subscription: Subscription & { slot: number; on: RedisLink | undefined }): void {
    const owner = this.linkOf(subscription.slot);
    if (owner === subscription.on) return;
    const { kind, channel } = subscription;
    subscription.on?.unsubscribe(kind, channel);
    subscription.on = owner;
    owner?.subscribe(subscription);
  }

  private newLink(address: string, owners: SlotOwners): RedisLink {
    return new RedisLink(
      { url: this.isCluster ? this.urlOf(address) : (this.urls[0] ?? ''), ca: this.ca },
      this.seal,
      { kind: 'sPublish', channel: this.beatChannelOf(address, owners) },
      {
        turned: () => this.judge(),
        failed: (reason) => {
          this.events.failed(`${address}: ${reason}`);
          if (this.isCluster && this.isHealthy) this.lookIn(LOOK_SOON);
        },
        junk: () => this.events.junk(),
        unsealed: () => this.events.unsealed(),
        subscribed: (moved) => this.events.subscribed(moved),
        connecting: () => this.events.connecting(),
        moved: (moved) => this.onMoved(moved),
      },
    );
  }

  /** The same on every instance, so that they hear each other's beats. */
  private beatChannelOf(address: string, owners: SlotOwners): string {
    for (let i = 0; ; i++) {
      const channel = `${this.prefix}:beat:${i}`;
      if (owners[slotOf(channel)] === address) return channel;
    }
  }

  /** The link has let go of the subscription; it is made again where `look` finds its owner, be that the same. */
  private onMoved(channel: string): void {
    const subscription = this.subscriptions.get(subscriptionKey('sSubscribe', channel));
    if (subscription !== undefined) {
      subscription.on?.unsubscribe('sSubscribe', channel);
      subscription.on = undefined;
    }
    this.noteMove();
  }

  private noteMove(): void {
    this.movingUntil = performance.now() + LOOK_EVERY;
    this.lookIn(LOOK_SOON);
  }

  private urlOf(address: string): string {
    const url = new URL(this.urls[0] ?? '');
    url.host = address;
    return url.href;
  }

  private judge(): void {
    const links = [...this.links.values()];
    const owned = this.owners?.includes(undefined) === false;
    const healthy = owned && links.every((link) => link.healthy);
    const complete = healthy && links.every((link) => link.complete);
    if (this.closed || (healthy === this.isHealthy && complete === this.isComplete)) return;
    this.isHealthy = healthy;
    this.isComplete = complete;
    this.events.turned();
  }
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
}
