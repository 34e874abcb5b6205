import { Injectable } from '@nestjs/common';
import { ChatError } from '../chat-error.js';

/** How long somebody whose connection was cut for flooding is not let in again on this instance, in ms. */
const KEPT_OUT = 10_000;

/** Users whose connections flood. Without this they would come back at once and flood again: the cut alone costs them nothing. */
@Injectable()
export class Flooders {
  private readonly owners = new WeakMap<object, string>();
  /** By user: until when he is kept out, by `performance.now()`; the first to be let in again stands first. */
  private readonly until = new Map<string, number>();

  /** Notes whose connection this is. @throws ChatError `rate_limited` while he is kept out */
  enter(connection: object, user: string): void {
    const retryAfterMs = Math.ceil((this.until.get(user) ?? 0) - performance.now());
    if (retryAfterMs > 0)
      throw new ChatError('rate_limited', 'A connection of yours sent far too much', { retryAfterMs });
    this.owners.set(connection, user);
  }

  /** The connection was cut for what it sent. */
  note(connection: object): void {
    const now = performance.now();
    for (const [user, until] of this.until) {
      if (until > now) break;
      this.until.delete(user);
    }
    const user = this.owners.get(connection);
    if (user === undefined) return;
    this.until.delete(user);
    this.until.set(user, now + KEPT_OUT);
  }
}
