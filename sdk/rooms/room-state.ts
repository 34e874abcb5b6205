import type { Change, Member, Message, Room, RoomSnapshot, User } from '../../src/protocol/index.js';
import type { Outgoing } from '../outbox/outgoing.js';
import { Reading } from './reading.js';
import { Roster } from './roster.js';
import { Timeline } from './timeline.js';

/** A room that I am a member of: a live read model, kept up to date in place. Read it after an event, change it never. */
export interface RoomState {
  readonly room: Room;
  /** My own membership. */
  readonly member: Member;
  /** The rev up to which every change is applied. */
  readonly cursor: number;
  readonly memberCount: number;
  /** Ascending seq, without gaps, up to the newest. */
  readonly messages: readonly Message[];
  /** Those seen so far, in changes or in pages of members, by user id; `leftAt === null` means present. */
  readonly members: ReadonlyMap<string, Member>;
  /** Whether history has messages before the first of `messages`. */
  readonly hasBefore: boolean;
  /** Not yet among `messages`, or failed; in send order. */
  readonly outgoing: readonly Outgoing[];
  /** The seq up to which I have read the room, on whatever device. */
  readonly readSeq: number;
  /** Messages of others that I have not read; exact up to 99, and 100 where there are more. */
  readonly unread: number;
  /** Those of them that mention me or the whole room. */
  readonly mentions: number;
  /** Who is typing, me among them when it is on another device. */
  readonly typing: readonly User[];
  /** By user id, how far others were seen to read, in a room that tells it. `readReceipts` fetches all. */
  readonly reads: ReadonlyMap<string, number>;
}

export class RoomModel implements RoomState {
  room!: Room;
  member!: Member;
  cursor = 0;
  readonly timeline: Timeline;
  readonly reading: Reading;
  readonly reads = new Map<string, number>();
  private readonly roster = new Roster();

  constructor(
    snapshot: RoomSnapshot,
    readonly outgoing: readonly Outgoing[],
    window: number,
    private readonly whoTypes: () => readonly User[] = () => [],
  ) {
    this.timeline = new Timeline(window);
    this.reading = new Reading(snapshot.read, this.timeline, snapshot.member.user.id);
    this.reset(snapshot);
  }

  get memberCount(): number {
    return this.roster.count;
  }

  get messages(): readonly Message[] {
    return this.timeline.messages;
  }

  get members(): ReadonlyMap<string, Member> {
    return this.roster.members;
  }

  get readSeq(): number {
    return this.reading.readSeq;
  }

  get unread(): number {
    return this.reading.unread;
  }

  get mentions(): number {
    return this.reading.mentions;
  }

  get typing(): readonly User[] {
    return this.whoTypes();
  }

  get hasBefore(): boolean {
    return this.timeline.hasBefore;
  }

  reset(snapshot: RoomSnapshot): void {
    this.room = snapshot.room;
    this.member = snapshot.member;
    this.cursor = snapshot.upTo;
    this.roster.reset(snapshot.member, snapshot.memberCount);
    this.timeline.reset(snapshot.messages, snapshot.hasBefore, snapshot.member.visibleAfter);
    this.reading.tell(snapshot.read);
  }

  /** The next change of the room: its rev is higher than `cursor`, which moves there. */
  apply(change: Change): void {
    if (change.kind === 'message') {
      this.reading.note(change.message);
      this.timeline.put(change.message);
    } else if (change.kind === 'member') {
      this.putMember(change.member);
      this.roster.count = change.memberCount;
    } else this.putRoom(change.room);
    this.cursor = change.rev;
  }

  /** Others have read so far; false when that was known. */
  putReads(reads: readonly { userId: string; readSeq: number }[]): boolean {
    const news = reads.filter(({ userId, readSeq }) => readSeq > (this.reads.get(userId) ?? -1));
    for (const { userId, readSeq } of news) this.reads.set(userId, readSeq);
    return news.length > 0;
  }

  /** Everything up to `upTo` is applied. */
  advance(upTo: number): void {
    this.cursor = Math.max(this.cursor, upTo);
  }

  putRoom(room: Room): void {
    if (room.rev > this.room.rev) this.room = room;
  }

  putMember(member: Member): void {
    this.roster.put(member);
    if (member.user.id === this.member.user.id && member.rev > this.member.rev) this.member = member;
  }
}
