import { Inject, Injectable } from '@nestjs/common';
import { ChatError } from '../chat-error.js';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import { limitNames, type LimitName } from './rates.js';
import { SharedBucket, type Sharing } from './shared-bucket.js';

/** Users, rooms or addresses of one limit that are kept in mind; past that the first is forgotten. */
const KEPT = 50_000;
/** Notes of one telling, and of one that is heard. */
const TOLD_AT_ONCE = 2_000;
/** Longest name of what is counted. */
const KEY_LENGTH = 64;

/** That so much was used of a limit by somebody, between instances. */
export type Usage = [limit: LimitName, key: string, used: number];

/** Where there is no other instance. */
const ALONE: Sharing = { instances: 1, connected: true };

/** What users, rooms and addresses may do in a time, over all instances: see `defaultRates`. It never waits for anything. */
@Injectable()
export class Limits {
  private readonly buckets = new Map<LimitName, Map<string, SharedBucket>>();
  private readonly untold = new Map<SharedBucket, [LimitName, string]>();
  private pressing: (() => void) | undefined;
  private sharing: () => Sharing = () => ALONE;
  /** Refusals so far, by limit. */
  readonly refused = Object.fromEntries(limitNames.map((name) => [name, 0])) as Record<LimitName, number>;

  constructor(@Inject(CONFIG) private readonly config: Config) {
    for (const name of limitNames) this.buckets.set(name, new Map());
  }

  /** @param key the id of the user or room, the address, or nothing where all are counted together @throws ChatError `rate_limited` */
  take(name: LimitName, key = '', cost = 1): void {
    const wait = this.tryTake(name, key, cost);
    if (wait > 0) throw new ChatError('rate_limited', `Too many: ${name}`, { retryAfterMs: wait });
  }

  /** By the caller. Servers and bots that bring a key of the app's are bound by their `requests` alone. @throws ChatError `rate_limited` */
  takeOf(name: LimitName, caller: { readonly id: string; readonly key?: unknown }): void {
    if (caller.key === undefined) this.take(name, caller.id);
  }

  /** It was done, whatever is left; refused is what comes after it. */
  spend(name: LimitName, key: string, cost = 1): void {
    const now = performance.now();
    const sharing = this.sharing();
    const bucket = this.bucketOf(name, key, now);
    bucket.spend(cost, sharing);
    this.note(name, key, bucket, sharing);
  }

  /** 0 where it was taken; otherwise how long to wait, in ms. */
  tryTake(name: LimitName, key: string, cost = 1, now = performance.now()): number {
    const sharing = this.sharing();
    const bucket = this.bucketOf(name, key, now);
    const wait = bucket.take(cost, now, sharing);
    if (wait > 0) this.refused[name] += 1;
    else this.note(name, key, bucket, sharing);
    return wait;
  }

  /** @param pressing somebody uses much, and the other instances should hear of it soon */
  share(sharing: () => Sharing, pressing: () => void): void {
    this.sharing = sharing;
    this.pressing = pressing;
  }

  /** What was used here since the last telling, in lists that are short enough to be sent. */
  tell(): Usage[][] {
    const told: Usage[] = [];
    for (const [bucket, [name, key]] of this.untold) {
      const used = bucket.tell();
      if (used > 0) told.push([name, key, used]);
    }
    this.untold.clear();
    const lists: Usage[][] = [];
    for (let i = 0; i < told.length; i += TOLD_AT_ONCE) lists.push(told.slice(i, i + TOLD_AT_ONCE));
    return lists;
  }

  /** From the bus, where anything can come: it takes away, and never gives. */
  hear(told: unknown): void {
    if (!Array.isArray(told)) return;
    const now = performance.now();
    for (const usage of told.slice(0, TOLD_AT_ONCE) as unknown[]) {
      if (!Array.isArray(usage)) continue;
      const [name, key, used] = usage as unknown[];
      if (!limitNames.includes(name as LimitName) || typeof key !== 'string' || key.length > KEY_LENGTH) continue;
      if (typeof used === 'number' && used > 0) this.bucketOf(name as LimitName, key, now).hear(used);
    }
  }

  /** Lets go of those who have used nothing lately. */
  sweep(now = performance.now()): void {
    for (const buckets of this.buckets.values())
      for (const [key, bucket] of buckets) if (bucket.isFull(now)) buckets.delete(key);
  }

  private note(name: LimitName, key: string, bucket: SharedBucket, sharing: Sharing): void {
    if (!bucket.isUntold) return;
    if (!this.untold.has(bucket)) this.untold.set(bucket, [name, key]);
    if (bucket.isPressing(sharing)) this.pressing?.();
  }

  private bucketOf(name: LimitName, key: string, now: number): SharedBucket {
    const buckets = this.buckets.get(name) as Map<string, SharedBucket>;
    let bucket = buckets.get(key);
    if (bucket === undefined) {
      bucket = new SharedBucket(this.config.rates[name], now);
      if (buckets.size >= KEPT) {
        const [first] = buckets.keys();
        if (first !== undefined) buckets.delete(first);
      }
      buckets.set(key, bucket);
    }
    return bucket;
  }
}
