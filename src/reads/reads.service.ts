import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import { limits, type MarkRead, type ReadState, type Receipts, type RoomRef } from '../protocol/index.js';
import { RoomBroadcaster } from '../realtime/room-broadcaster.js';
import { RoomSignals } from '../realtime/room-signals.js';
import { MembersService } from '../rooms/members.service.js';
import { ReadStates } from './read-states.js';

/** Forward only, and not past the newest message. */
const FORWARD = `
  update memberships member
  set read_seq = least($3, room.seq), read_version = read_version + 1
  from rooms room
  where room.id = member.room_id and member.room_id = $1 and member.user_id = $2 and member.left_at is null
    and member.read_seq < least($3, room.seq)
  returning member.read_seq as "readSeq", room.member_count as "memberCount"`;

/** To before the message, or to the first that is for this member. What was sent by oneself until now no longer counts as reading. */
const BACK = `
  update memberships member
  set read_seq = greatest(least($3, room.seq + 1) - 1, member.visible_after), unread_since = room.seq, read_version = read_version + 1
  from rooms room
  where room.id = member.room_id and member.room_id = $1 and member.user_id = $2 and member.left_at is null`;

/** Markers: how far each member has read. They are no changes of the room and take no rev. */
@Injectable()
export class ReadsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly states: ReadStates,
    private readonly members: MembersService,
    private readonly broadcaster: RoomBroadcaster,
    private readonly signals: RoomSignals,
  ) {}

  /** Tells the caller's devices, and in a small room the others. @throws ChatError `not_member`, `not_found` */
  async mark(caller: Caller, { roomId, seq, unread }: MarkRead): Promise<ReadState> {
    const [rows, count]: [{ readSeq: number; memberCount: number }[], number] = await this.dataSource.query(
      unread ? BACK : FORWARD,
      [roomId, caller.id, seq],
    );
    const state = (await this.states.of(caller.id, [roomId])).get(roomId);
    if (state === undefined) {
      await this.members.mustBeMember(caller.id, roomId);
      throw new ChatError('not_member', 'You have just left this room');
    }
    if (count > 0) this.broadcaster.signalUser(caller.id, { kind: 'unread', roomId, ...state });
    const [moved] = rows;
    if (moved !== undefined && moved.memberCount <= limits.receiptMembers)
      this.signals.read(roomId, caller.id, moved.readSeq);
    return state;
  }

  /** Nothing in a room of more than `receiptMembers`. @throws ChatError `not_member`, `not_found` */
  async receipts(caller: Caller, { roomId }: RoomRef): Promise<Receipts> {
    await this.members.mustBeMember(caller.id, roomId);
    const reads: unknown = await this.dataSource.query(
      `select member.user_id as "userId", member.read_seq as "readSeq"
       from memberships member join rooms room on room.id = member.room_id
       where member.room_id = $1 and member.left_at is null and room.member_count <= $2
       order by member.user_id`,
      [roomId, limits.receiptMembers],
    );
    return { reads: reads as Receipts['reads'] };
  }
}
