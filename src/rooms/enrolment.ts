import { IsNull } from 'typeorm';
import { ChatError } from '../chat-error.js';
import { limits, type Change, type Member, type Role, type RoomAndMember, type User } from '../protocol/index.js';
import { mustNotBeBanned } from './bans.js';
import { MemberEntity, memberColumns, toMember } from './member.entity.js';
import { toRoom } from './room.entity.js';
import type { LockedRoom, Outcome } from './room-ledger.js';

type MemberChange = Change & { kind: 'member' };

/** The user's present membership of the locked room. */
export async function present({ manager, room }: LockedRoom, userId: string): Promise<MemberEntity | null> {
  const rows: unknown = await manager.query(
    `select ${memberColumns('member')} from memberships member where room_id = $1 and user_id = $2 and left_at is null`,
    [room.id, userId],
  );
  return (rows as MemberEntity[])[0] ?? null;
}

/**
 * Makes the user a present member. Precondition: `membership` is his present membership, or null.
 * @throws ChatError `banned`, `room_full`, `room_archived`, `forbidden` where he is in too many rooms
 */
export async function enrol(
  locked: LockedRoom,
  user: User,
  membership: MemberEntity | null,
  role: Role = 'member',
): Promise<Outcome<RoomAndMember>> {
  const { room, now, manager } = locked;
  if (membership !== null) return { result: { room: toRoom(room), member: toMember(membership, user) }, changes: [] };
  if (room.archivedAt !== null) throw new ChatError('room_archived', 'The room is archived');
  await mustNotBeBanned(locked, user.id);
  if (room.memberLimit !== null && room.memberCount >= room.memberLimit)
    throw new ChatError('room_full', 'The room has as many members as it may');
  if (room.joinRequests)
    await manager.query(`delete from room_requests where room_id = $1 and user_id = $2`, [room.id, user.id]);
  room.memberCount += 1;
  const joining: MemberEntity = {
    roomId: room.id,
    userId: user.id,
    role,
    rev: 0,
    mutedUntil: null,
    visibleAfter: room.historyVisible === 'joined' ? room.seq : 0,
    shadowUntil: null, // as he has been here before: `save` leaves it as it is
    joinedAt: now,
    leftAt: null,
  };
  const joined = await save(locked, joining, user, limits.roomsPerUser);
  return { result: { room: toRoom(room), member: joined.member }, changes: [joined] };
}

/** Ends a present membership; where no owner is left, the member of longest standing becomes one. */
export async function depart(
  locked: LockedRoom,
  membership: MemberEntity,
  user: User,
): Promise<{ member: Member; changes: Change[] }> {
  const { manager, room, now } = locked;
  room.memberCount -= 1;
  const left = await save(locked, { ...membership, leftAt: now }, user);
  const changes: Change[] = [left];
  if (membership.role === 'owner' && (await owners(locked)) === 0) {
    const heir = await manager.findOne(MemberEntity, {
      where: { roomId: room.id, leftAt: IsNull() },
      order: { joinedAt: 'ASC', userId: 'ASC' },
      relations: { user: true },
      relationLoadStrategy: 'query',
    });
    if (heir?.user !== undefined) changes.push(await save(locked, { ...heir, role: 'owner' }, heir.user));
  }
  return { member: left.member, changes };
}

export function owners({ manager, room }: LockedRoom): Promise<number> {
  return manager.countBy(MemberEntity, { roomId: room.id, leftAt: IsNull(), role: 'owner' });
}

/**
 * Precondition: `room.memberCount` is what it is after the change.
 * @param atMost how many rooms he may then be in; any number when undefined. @throws ChatError `forbidden`
 */
export async function save(
  locked: LockedRoom,
  membership: MemberEntity,
  user: User,
  atMost?: number,
): Promise<MemberChange> {
  const { room, manager } = locked;
  const row = { ...membership, rev: locked.nextRev() };
  const saved: unknown = await manager.query(
    `insert into memberships (room_id, user_id, role, rev, joined_at, left_at, muted_until, visible_after, count_after)
     select $1, $2, $3, $4, $5, $6, $7, $8, $9
     where $10::int is null or $10 > (
       select count(*) from memberships where user_id = $2 and room_id <> $1 and left_at is null
     )
     on conflict (room_id, user_id) do update
     set role = excluded.role, rev = excluded.rev, joined_at = excluded.joined_at, left_at = excluded.left_at,
         muted_until = excluded.muted_until, visible_after = excluded.visible_after, count_after = excluded.count_after
     returning rev`,
    [
      row.roomId,
      row.userId,
      row.role,
      row.rev,
      row.joinedAt,
      row.leftAt,
      row.mutedUntil,
      row.visibleAfter,
      room.memberCount,
      atMost ?? null,
    ],
  );
  if ((saved as unknown[]).length === 0) throw new ChatError('forbidden', `A user may be in ${atMost} rooms at most`);
  return { rev: row.rev, kind: 'member', member: toMember(row, user), memberCount: room.memberCount };
}
