/** A rate with a burst. */
export class TokenBucket {
  private tokens: number;
  private filledAt = performance.now();

  /**
   * @param perSecond how fast tokens come back
   * @param burst how many may be taken at once after a pause
   */
  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
  ) {
    this.tokens = burst;
  }

  /** Whether so many could be taken; where not, none are. */
  take(count: number): boolean {
    const now = performance.now();
    this.tokens = Math.min(this.burst, this.tokens + ((now - this.filledAt) / 1_000) * this.perSecond);
    this.filledAt = now;
    if (this.tokens < count) return false;
    this.tokens -= count;
    return true;
  }

  /** How long until so many can be taken, in ms. */
  waitFor(count: number): number {
    return Math.max(0, Math.ceil(((count - this.tokens) / this.perSecond) * 1_000));
  }
}
