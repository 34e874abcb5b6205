export interface BackoffPolicy {
  baseMs: number;
  capMs: number;
  /** In [0, 1). */
  random: () => number;
}

/** The longest wait before try number `attempt`, counted from 0. */
export function longestWait({ baseMs, capMs }: BackoffPolicy, attempt: number): number {
  return Math.min(capMs, baseMs * 2 ** attempt);
}

/**
 * Full jitter, drawn after the cap: `random() * min(cap, base * 2^n)`. Where the cap comes after the jitter, every client
 * of a long outage ends up waiting exactly the cap, and all come back in step.
 */
export class Backoff {
  private attempt = 0;

  constructor(private readonly policy: BackoffPolicy) {}

  /** Milliseconds before the next try: at least `retryAfterMs`, and a random part that doubles its reach each time. */
  next(retryAfterMs = 0): number {
    const jitter = this.policy.random() * longestWait(this.policy, this.attempt);
    this.attempt += 1;
    return retryAfterMs + jitter;
  }

  /** The longest that the next wait can be, in milliseconds. */
  get reach(): number {
    return longestWait(this.policy, this.attempt);
  }

  reset(): void {
    this.attempt = 0;
  }
}
