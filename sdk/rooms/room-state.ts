import type { Change, Member, Message, Room, RoomSnapshot } from '../../src/protocol/index.js';
import type { Outgoing } from '../outbox/outgoing.js';
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
}

export class RoomModel implements RoomState {
  room!: Room;
  member!: Member;
  cursor = 0;
  readonly timeline: Timeline;
  private readonly roster = new Roster();

  /** `at` is the server's time in milliseconds when the snapshot was asked for. */
  constructor(
    snapshot: RoomSnapshot,
    at: number,
    readonly outgoing: readonly Outgoing[],
    window: number,
  ) {
    this.timeline = new Timeline(window);
    this.reset(snapshot, at);
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

  get hasBefore(): boolean {
    return this.timeline.hasBefore;
  }

  reset(snapshot: RoomSnapshot, at: number): void {
    this.room = snapshot.room;
    this.member = snapshot.member;
    this.cursor = snapshot.upTo;
    this.roster.reset(snapshot.member, snapshot.memberCount, at);
    this.timeline.reset(snapshot.messages, snapshot.hasBefore);
  }

  /** The next change of the room: its rev is higher than `cursor`, which moves there. */
  apply(change: Change): void {
    if (change.kind === 'message') this.timeline.put(change.message);
    else if (change.kind === 'member') this.putMember(change.member);
    else this.putRoom(change.room);
    this.cursor = change.rev;
  }

  /** Everything up to `upTo` is applied. */
  advance(upTo: number): void {
    this.cursor = Math.max(this.cursor, upTo);
  }

  putRoom(room: Room): void {
    if (room.rev > this.room.rev) this.room = room;
  }

  putMember(member: Member): void {
    this.roster.put(member, this.cursor);
    if (member.user.id === this.member.user.id && member.rev > this.member.rev) this.member = member;
  }
}
