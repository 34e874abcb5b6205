import type { Caller } from '../auth/caller.js';
import type { SendMessage } from '../protocol/index.js';

/** How long the caller's later sends to the room are refused too, in ms. Longer than a send is on its way. */
export const BEHIND_REFUSED = 1_000;

/**
 * Keeps the order of a client that pipelines. When one of its sends is refused and may be tried again, it has more on the
 * way; taken, they would stand before the one that it sends again. So they are refused too, until that one comes again or
 * some time has passed.
 */
export class RefusedSends {
  /** For a caller and a room the first send that was refused, and until when (`performance.now()`) it is waited for. */
  private readonly first = new Map<string, { clientMsgId: string; until: number }>();

  note(caller: Caller, { roomId, clientMsgId }: SendMessage): void {
    const key = `${roomId} ${caller.id}`;
    if (this.first.has(key)) return;
    const refused = { clientMsgId, until: performance.now() + BEHIND_REFUSED };
    this.first.set(key, refused);
    setTimeout(() => {
      if (this.first.get(key) === refused) this.first.delete(key);
    }, BEHIND_REFUSED).unref();
  }

  /** Whether this send has to stay behind one that was refused. Asked once for each send that comes. */
  standsBefore(caller: Caller, { roomId, clientMsgId }: SendMessage): boolean {
    if (this.first.size === 0) return false;
    const key = `${roomId} ${caller.id}`;
    const refused = this.first.get(key);
    if (refused === undefined || refused.until < performance.now()) return false;
    if (refused.clientMsgId !== clientMsgId) return true;
    this.first.delete(key);
    return false;
  }
}
