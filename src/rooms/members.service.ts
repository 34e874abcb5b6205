import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, MoreThan, Repository } from 'typeorm';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import {
  Id,
  limits,
  type AddMember,
  type Change,
  type ListMembers,
  type Member,
  type MemberPage,
  type MemberResult,
  type Role,
  type RoomAndMember,
  type RoomRef,
  type User,
} from '../protocol/index.js';
import { RoomBroadcaster } from '../realtime/room-broadcaster.js';
import { UsersService } from '../users/users.service.js';
import { MemberEntity, toMember } from './member.entity.js';
import { toRoom, type RoomEntity } from './room.entity.js';
import { RoomLedger, type LockedRoom } from './room-ledger.js';

/** Who is in a room. Each joining and leaving is a change of the room with a rev, like a message. */
@Injectable()
export class MembersService {
  constructor(
    @InjectRepository(MemberEntity) private readonly members: Repository<MemberEntity>,
    private readonly ledger: RoomLedger,
    private readonly broadcaster: RoomBroadcaster,
    private readonly users: UsersService,
  ) {}

  /** Joining a room twice is joining it once. @throws ChatError `not_found` also for a private room, `room_archived` */
  async join(caller: Caller, { roomId }: RoomRef): Promise<RoomAndMember> {
    const joined = await this.ledger.change(roomId, async (locked) => {
      const present = await this.present(locked, caller.id);
      if (present === null && locked.room.visibility === 'private')
        throw new ChatError('not_found', 'There is no such room');
      return this.enrol(locked, caller, present);
    });
    await this.broadcaster.admit(caller.id, roomId);
    return joined;
  }

  /** @throws ChatError `not_member`, `not_found`, `forbidden` for one who is no owner */
  async add(caller: Caller, { roomId, userId }: AddMember): Promise<MemberResult> {
    const user = await this.users.get(userId);
    const { member } = await this.ledger.change(roomId, async (locked) => {
      await this.mustOwn(locked, caller.id);
      return this.enrol(locked, user, await this.present(locked, userId));
    });
    await this.broadcaster.admit(userId, roomId);
    return { member };
  }

  /** The last owner may leave; the member who has been there longest then owns the room. @throws ChatError `not_member`, `not_found` */
  leave(caller: Caller, { roomId }: RoomRef): Promise<RoomAndMember> {
    return this.ledger.change(roomId, async (locked) => {
      const { manager, room, now } = locked;
      const membership = await this.present(locked, caller.id);
      if (membership === null) throw notMember(room);
      const left = await this.save(locked, { ...membership, leftAt: now }, caller);
      room.memberCount -= 1;
      const changes: Change[] = [left];
      if (membership.role === 'owner') {
        const where = { roomId, leftAt: IsNull() };
        const owners = await manager.countBy(MemberEntity, { ...where, role: 'owner' });
        const heir =
          owners > 0
            ? null
            : await manager.findOne(MemberEntity, {
                where,
                order: { joinedAt: 'ASC', userId: 'ASC' },
                relations: { user: true },
              });
        if (heir?.user !== undefined) changes.push(await this.save(locked, { ...heir, role: 'owner' }, heir.user));
      }
      return { result: { room: toRoom(room), member: left.member }, changes };
    });
  }

  /** Present members by user id, so in the order in which users were made. @throws ChatError `not_member`, `not_found` */
  async list(caller: Caller, { roomId, cursor, limit }: ListMembers): Promise<MemberPage> {
    await this.mustBeMember(caller.id, roomId);
    const rows = await this.members.find({
      where: { roomId, leftAt: IsNull(), ...(cursor === undefined ? {} : { userId: MoreThan(userIdOf(cursor)) }) },
      order: { userId: 'ASC' },
      take: limit + 1,
      relations: { user: true },
    });
    const items = rows.slice(0, limit).map((row) => toMember(row, row.user ?? unknownUser(row)));
    return { items, nextCursor: rows.length > limit ? (items.at(-1)?.user.id ?? null) : null };
  }

  /** @throws ChatError `not_member`; `not_found` where the caller may not know that the room exists */
  async mustBeMember(userId: string, roomId: string): Promise<MemberEntity> {
    const membership = await this.members.findOneBy({ roomId, userId, leftAt: IsNull() });
    if (membership !== null) return membership;
    const rooms: unknown = await this.members.query(`select visibility from rooms where id = $1`, [roomId]);
    throw notMember((rooms as Pick<RoomEntity, 'visibility'>[])[0]);
  }

  /** @throws ChatError as `mustBeMember`, and `forbidden` */
  async mustOwn(locked: LockedRoom, userId: string): Promise<void> {
    const membership = await this.present(locked, userId);
    if (membership === null) throw notMember(locked.room);
    if (membership.role !== 'owner') throw new ChatError('forbidden', 'Only an owner of the room may do this');
  }

  /** Makes the user a present member. Precondition: `membership` is his present membership, or null. */
  async enrol(
    locked: LockedRoom,
    user: User,
    membership: MemberEntity | null,
    role: Role = 'member',
  ): Promise<{ result: RoomAndMember; changes: Change[] }> {
    const { room, now } = locked;
    if (membership !== null) return { result: { room: toRoom(room), member: toMember(membership, user) }, changes: [] };
    if (room.archivedAt !== null) throw new ChatError('room_archived', 'The room is archived');
    const joined = await this.save(
      locked,
      { roomId: room.id, userId: user.id, role, rev: 0, joinedAt: now, leftAt: null },
      user,
      limits.roomsPerUser,
    );
    room.memberCount += 1;
    return { result: { room: toRoom(room), member: joined.member }, changes: [joined] };
  }

  private async present({ manager, room }: LockedRoom, userId: string): Promise<MemberEntity | null> {
    const rows: unknown = await manager.query(
      `select room_id as "roomId", user_id as "userId", role, rev, joined_at as "joinedAt", left_at as "leftAt"
       from memberships where room_id = $1 and user_id = $2 and left_at is null`,
      [room.id, userId],
    );
    return (rows as MemberEntity[])[0] ?? null;
  }

  /** @param atMost how many rooms he may then be in; any number when undefined. @throws ChatError `forbidden` */
  private async save(
    locked: LockedRoom,
    membership: MemberEntity,
    user: User,
    atMost?: number,
  ): Promise<Change & { kind: 'member'; member: Member }> {
    const { roomId, userId, role, joinedAt, leftAt } = membership;
    const row = { roomId, userId, role, joinedAt, leftAt, rev: locked.nextRev() };
    const saved: unknown = await locked.manager.query(
      `insert into memberships (room_id, user_id, role, rev, joined_at, left_at)
       select $1, $2, $3, $4, $5, $6
       where $7::int is null or $7 > (
         select count(*) from memberships where user_id = $2 and room_id <> $1 and left_at is null
       )
       on conflict (room_id, user_id) do update
       set role = excluded.role, rev = excluded.rev, joined_at = excluded.joined_at, left_at = excluded.left_at
       returning rev`,
      [roomId, userId, role, row.rev, joinedAt, leftAt, atMost ?? null],
    );
    if ((saved as unknown[]).length === 0) throw new ChatError('forbidden', `A user may be in ${atMost} rooms at most`);
    return { rev: row.rev, kind: 'member', member: toMember(row, user) };
  }
}

/** Whether a private room exists is nobody's business but its members'. */
export function notMember(room: Pick<RoomEntity, 'visibility'> | undefined): ChatError {
  return room?.visibility === 'public'
    ? new ChatError('not_member', 'You are no member of this room; join it first')
    : new ChatError('not_found', 'There is no such room');
}

function userIdOf(cursor: string): string {
  const id = Id.safeParse(cursor);
  if (id.success) return id.data;
  throw new ChatError('invalid_argument', 'The cursor is not one that a page gave', { details: ['cursor: Unknown'] });
}

function unknownUser({ userId }: MemberEntity): User {
  return { id: userId, name: '' };
}
