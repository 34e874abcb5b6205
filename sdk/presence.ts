import type { PresenceState, PresenceStatus, RequestInput } from '../src/protocol/index.js';
import type { Link } from './connection/link.js';

/** Who is there of those whom I watch, and what I said of myself; both are said again on each new connection. */
export class PresenceBook {
  readonly states = new Map<string, PresenceStatus>();
  /** By room id, of those that I have counted. */
  readonly online = new Map<string, number>();
  private readonly watched = new Set<string>();
  private readonly counted = new Set<string>();
  private mine: RequestInput<'presence:set'> | undefined;

  constructor(private readonly changed: () => void) {}

  set(mine: RequestInput<'presence:set'>, link: Link | undefined): void {
    this.mine = mine;
    if (link) void link.ask('presence:set', mine);
  }

  watch(userIds: readonly string[], link: Link | undefined): void {
    const added = userIds.filter((userId) => !this.watched.has(userId));
    for (const userId of added) this.watched.add(userId);
    if (link && added.length > 0) void this.ask(link, added);
  }

  unwatch(userIds: readonly string[], link: Link | undefined): void {
    const gone = userIds.filter((userId) => this.watched.delete(userId));
    for (const userId of gone) this.states.delete(userId);
    if (gone.length === 0) return;
    if (link) void link.ask('presence:unwatch', { userIds: gone });
    this.changed();
  }

  tell(states: readonly PresenceState[]): void {
    for (const { userId, status } of states) if (this.watched.has(userId)) this.states.set(userId, status);
    if (states.length > 0) this.changed();
  }

  count(roomId: string, on: boolean, link: Link | undefined): void {
    if (on === this.counted.has(roomId)) return;
    if (on) this.counted.add(roomId);
    else {
      this.counted.delete(roomId);
      this.online.delete(roomId);
    }
    if (link) void this.askCount(link, roomId, on);
  }

  tellCount(roomId: string, count: number): void {
    if (!this.counted.has(roomId)) return;
    this.online.set(roomId, count);
    this.changed();
  }

  /** A new connection, which knows nothing of it. */
  resume(link: Link): void {
    if (this.mine) void link.ask('presence:set', this.mine);
    if (this.watched.size > 0) void this.ask(link, [...this.watched]);
    for (const roomId of this.counted) void this.askCount(link, roomId, true);
  }

  private async askCount(link: Link, roomId: string, on: boolean): Promise<void> {
    const answer = await link.ask('presence:count', { roomId, on });
    if (answer !== 'gone' && answer !== 'timeout' && answer.ok) this.tellCount(roomId, answer.data.online);
  }

  private async ask(link: Link, userIds: string[]): Promise<void> {
    const answer = await link.ask('presence:watch', { userIds });
    if (answer !== 'gone' && answer !== 'timeout' && answer.ok) this.tell(answer.data.states);
  }
}
