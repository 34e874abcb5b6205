import type { Rate } from './rates.js';

/** Of its share of a limit, an instance uses this much without telling the others of it … */
const UNTOLD_SHARE = 0.25;
/** … and a debt, of what others have used at the same time or say that they have, is never more than this many bursts. */
const DEBT = 2;

/** How many instances a limit is shared by, and whether they hear each other. */
export interface Sharing {
  readonly instances: number;
  readonly connected: boolean;
}

/**
 * One limit of one user, room or address, as this instance knows it. What is used here is told to the other instances, who take it
 * off theirs. Between two tellings no more than the instance's share may be used; while they do not hear each other, no more
 * than its share of the whole. Times are `performance.now()`.
 */
export class SharedBucket {
  private tokens: number;
  private quiet: number;
  private filledAt: number;
  /** What the others are to be told of. */
  private used = 0;

  constructor(
    private readonly rate: Rate,
    now: number,
  ) {
    this.tokens = rate.count;
    this.quiet = rate.count;
    this.filledAt = now;
  }

  /** 0 where it was taken; otherwise how long to wait, in ms, and nothing is taken. Of nothing: whether there is any left. */
  take(wanted: number, now: number, { instances, connected }: Sharing): number {
    const { count, perS } = this.rate;
    const burst = connected ? count : Math.max(1, count / instances);
    const cost = Math.min(wanted, burst);
    this.fill(now, burst, connected ? 1 : instances, instances);
    const needed = Math.max(cost, 1);
    if (this.tokens < needed) return Math.ceil(((needed - this.tokens) * perS * 1_000) / burst) || 1;
    const mayUse = Math.max(needed, count / instances) + this.quiet;
    if (instances > 1 && connected && this.used + needed > mayUse) return SharedBucket.UNTIL_TOLD;
    this.spend(cost, { instances, connected });
    return 0;
  }

  /** Without asking. */
  spend(cost: number, { instances, connected }: Sharing): void {
    this.tokens = Math.max(-DEBT * this.rate.count, this.tokens - cost);
    if (instances === 1 || !connected) return;
    const quiet = Math.min(cost, this.quiet);
    this.quiet -= quiet;
    this.used += cost - quiet;
  }

  get isUntold(): boolean {
    return this.used > 0;
  }

  /** How long it may take until the others have been told and there is a share again, in ms. */
  static readonly UNTIL_TOLD = 250;

  /** Whether so much was used that the others should hear of it now. */
  isPressing({ instances }: Sharing): boolean {
    return this.used * 2 >= this.rate.count / instances;
  }

  /** What was used since it was last told. */
  tell(): number {
    const { used } = this;
    this.used = 0;
    return used;
  }

  /** Others have used so much. It can only take away, and never so much that it is not back after some time. */
  hear(used: number): void {
    this.tokens = Math.max(-DEBT * this.rate.count, this.tokens - used);
  }

  /** Whether it is as good as a new one. */
  isFull(now: number): boolean {
    return (
      this.used === 0 &&
      this.tokens + ((now - this.filledAt) / 1_000 / this.rate.perS) * this.rate.count >= this.rate.count
    );
  }

  private fill(now: number, burst: number, slower: number, instances: number): void {
    const { count, perS } = this.rate;
    const come = ((now - this.filledAt) / 1_000 / perS) * count;
    this.filledAt = now;
    this.tokens = Math.min(burst, this.tokens + come / slower);
    const share = UNTOLD_SHARE / instances;
    this.quiet = Math.min(count * share, this.quiet + come * share);
  }
}
