import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { byCaller, type Act } from '../audit/audit-log.js';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import {
  mayTouch,
  Role,
  type BanMember,
  type BanPage,
  type BanResult,
  type Change,
  type ListMembers,
  type MemberRef,
  type MemberResult,
  type UpdateMember,
} from '../protocol/index.js';
import { UsersService } from '../users/users.service.js';
import { BAN_COLUMNS, toBan, type BanRow } from './bans.js';
import { depart, owners, present, save } from './enrolment.js';
import { toMember, type MemberEntity } from './member.entity.js';
import { MembersService } from './members.service.js';
import { FIRST_ID, pageOfUsers, userIdOf } from './pages.js';
import { purge } from './purge.js';
import { RoomLedger, type LockedRoom } from './room-ledger.js';

/** What those who govern a room do to its members. Nobody but an owner acts on one of his own rank or above. */
@Injectable()
export class ModerationService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly ledger: RoomLedger,
    private readonly members: MembersService,
    private readonly users: UsersService,
  ) {}

  /** @throws ChatError `not_member`, `not_found`, `forbidden` */
  async update(caller: Caller, { roomId, userId, role, mutedUntil }: UpdateMember): Promise<MemberResult> {
    const user = await this.users.get(userId);
    return this.ledger.change(roomId, async (locked) => {
      if (mutedUntil !== undefined) await this.members.mustMay(locked, caller.id, 'member:mute');
      if (role !== undefined) await this.members.mustMay(locked, caller.id, 'member:role');
      const { mine, his } = await bothOf(this.members, locked, caller.id, userId);
      const wanted = { ...his };
      if (mutedUntil !== undefined) {
        mustRankAbove(mine, his);
        wanted.mutedUntil = mutedUntil === null ? null : new Date(mutedUntil);
      }
      if (role !== undefined) {
        await this.mustBeAbleToMake(locked, mine, his, role);
        wanted.role = role;
      }
      if (wanted.role === his.role && wanted.mutedUntil?.getTime() === his.mutedUntil?.getTime())
        return { result: { member: toMember(his, user) }, changes: [] };
      const changed = await save(locked, wanted, user);
      const audit: Act = {
        by: byCaller(caller),
        action: role === undefined ? 'member.mute' : 'member.role',
        target: userId,
        details: { role, mutedUntil },
      };
      return { result: { member: changed.member }, changes: [changed], audit };
    });
  }

  /** He may come back, where he could have come without it. @throws ChatError `not_member`, `not_found`, `forbidden` */
  async remove(caller: Caller, { roomId, userId }: MemberRef): Promise<MemberResult> {
    const user = await this.users.get(userId);
    return this.ledger.change(roomId, async (locked) => {
      await this.members.mustMay(locked, caller.id, 'member:remove');
      const { mine, his } = await bothOf(this.members, locked, caller.id, userId);
      mustRankAbove(mine, his);
      const { member, changes } = await depart(locked, his, user);
      const audit: Act = { by: byCaller(caller), action: 'member.remove', target: userId };
      return { result: { member }, changes, audit };
    });
  }

  /**
   * Also of one who is no member. Banning again changes the ban. What of him waits for a moderator is declined. With `purge` what he said is deleted in the same transaction.
   * @throws ChatError `not_member`, `not_found`, `forbidden`, `invalid_argument`
   */
  async ban(caller: Caller, request: BanMember): Promise<BanResult> {
    const { roomId, userId, on, until, reason, purgeLastS } = request;
    const purges = request.purge || purgeLastS !== undefined;
    if (purges && !on) throw new ChatError('invalid_argument', 'Only a ban purges');
    const user = await this.users.get(userId);
    return this.ledger.change<BanResult>(roomId, async (locked) => {
      const mine = await this.members.mustMay(locked, caller.id, 'member:ban');
      if (purges) await this.members.mustMay(locked, caller.id, 'message:deleteOthers');
      const { manager, now } = locked;
      const by = byCaller(caller);
      await manager.query(`delete from room_requests where room_id = $1 and user_id = $2`, [roomId, userId]);
      if (!on) {
        await manager.query(`delete from room_bans where room_id = $1 and user_id = $2`, [roomId, userId]);
        return { result: { ban: null }, changes: [], audit: { by, action: 'member.unban', target: userId } };
      }
      if (userId === caller.id) throw new ChatError('forbidden', 'Nobody bans himself');
      let changes: Change[] = [];
      const his = await present(locked, userId);
      if (his !== null) {
        mustRankAbove(mine, his);
        ({ changes } = await depart(locked, his, user));
      }
      const row = { roomId, userId, userName: user.name, bannedBy: caller.id, reason, createdAt: now };
      const ban: BanRow = { ...row, until: until === null ? null : new Date(until) };
      await manager.query(
        `insert into room_bans (room_id, user_id, banned_by, reason, created_at, until) values ($1, $2, $3, $4, $5, $6)
         on conflict (room_id, user_id) do update
         set banned_by = excluded.banned_by, reason = excluded.reason, created_at = excluded.created_at, until = excluded.until`,
        [roomId, userId, caller.id, reason, now, ban.until],
      );
      await manager.query(
        `update held_messages set answer = 'declined', answered_by = $3, request = null
         where room_id = $1 and sender_id = $2 and request is not null and answer is null`,
        [roomId, userId, caller.id],
      );
      const purged = purges ? { purged: await purge(locked, userId, caller.id, purgeLastS) } : {};
      const audit: Act = { by, action: 'member.ban', target: userId, details: { until, reason, ...purged.purged } };
      return { result: { ban: toBan(ban), ...purged }, changes, audit };
    });
  }

  /** Those that hold, by user id. @throws ChatError `not_member`, `not_found`, `forbidden` */
  async bans(caller: Caller, { roomId, cursor, limit }: ListMembers): Promise<BanPage> {
    await this.members.mustBeOneWhoMay(caller.id, roomId, 'ban:list');
    const rows: unknown = await this.dataSource.query(
      `select ${BAN_COLUMNS} from room_bans ban join users on users.id = ban.user_id
       where ban.room_id = $1 and ban.user_id > $2 and (ban.until is null or ban.until > now())
       order by ban.user_id limit $3`,
      [roomId, cursor === undefined ? FIRST_ID : userIdOf(cursor), limit + 1],
    );
    return pageOfUsers((rows as BanRow[]).map(toBan), limit);
  }

  /** Everyone who may change roles may give up his own, as long as an owner is left. @throws ChatError `forbidden` */
  private async mustBeAbleToMake(locked: LockedRoom, mine: MemberEntity, his: MemberEntity, role: Role): Promise<void> {
    if (mine.userId === his.userId) {
      if (Role.options.indexOf(role) < Role.options.indexOf(mine.role))
        throw new ChatError('forbidden', 'Nobody raises himself');
    } else {
      mustRankAbove(mine, his);
      if (!mayTouch(mine.role, role)) throw new ChatError('forbidden', 'You may not give this role');
    }
    if (his.role === 'owner' && role !== 'owner' && (await owners(locked)) === 1)
      throw new ChatError('forbidden', 'A room needs an owner; make someone else one first');
  }
}

/** Who acts on a member, and that one. @throws ChatError `not_member`, `not_found` */
export async function bothOf(
  members: MembersService,
  locked: LockedRoom,
  callerId: string,
  userId: string,
): Promise<{ mine: MemberEntity; his: MemberEntity }> {
  const mine = await members.mustMay(locked, callerId, 'room:read');
  const his = userId === callerId ? mine : await present(locked, userId);
  if (his === null) throw new ChatError('not_found', 'There is no such member');
  return { mine, his };
}

/** @throws ChatError `forbidden` */
export function mustRankAbove(mine: MemberEntity, his: MemberEntity): void {
  if (mine.userId === his.userId) throw new ChatError('forbidden', 'Nobody may do this to himself');
  if (!mayTouch(mine.role, his.role)) throw new ChatError('forbidden', 'This member is not below you');
}
