import type { Caller } from '../auth/caller.js';
import type { SendMessage } from '../protocol/index.js';

/** How long the caller's later sends to the room are refused too, in ms. Longer than a send is on its way. */
export const BEHIND_REFUSED = 1_000;

/**
 * Keeps the order of a client that pipelines. When one of its sends is refused and may be tried again, it has more on the
 * way; taken, they would stand before the one that it sends again.
 */
export class RefusedSends {
  /** For a caller and a room until when, by `performance.now()`. */
  private readonly until = new Map<string, number>();

  note(caller: Caller, { roomId }: SendMessage): void {
    const key = `${roomId} ${caller.id}`;
    const until = performance.now() + BEHIND_REFUSED;
    this.until.set(key, until);
    setTimeout(() => {
      if (this.until.get(key) === until) this.until.delete(key);
    }, BEHIND_REFUSED).unref();
  }

  standsBefore(caller: Caller, { roomId }: SendMessage): boolean {
    if (this.until.size === 0) return false;
    const until = this.until.get(`${roomId} ${caller.id}`);
    return until !== undefined && performance.now() < until;
  }
}
