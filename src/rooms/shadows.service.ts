import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { byCaller, type Act } from '../audit/audit-log.js';
import type { Caller } from '../auth/caller.js';
import type { ListMembers, ShadowMember, ShadowPage, ShadowResult } from '../protocol/index.js';
import { Hints } from '../realtime/hints.js';
import { UsersService } from '../users/users.service.js';
import { MembersService } from './members.service.js';
import { bothOf, mustRankAbove } from './moderation.service.js';
import { FIRST_ID, pageOfUsers, userIdOf } from './pages.js';
import { RoomLedger } from './room-ledger.js';
import { ShadowList } from './shadow-list.js';

interface Row {
  id: string;
  name: string;
  until: Date;
}

/**
 * Members whose messages only they themselves see: who is muted openly comes back under another name. It takes no rev, because
 * everybody is told of those. Every send looks at it in the row of the membership, so it holds from its commit on.
 */
@Injectable()
export class ShadowsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly ledger: RoomLedger,
    private readonly members: MembersService,
    private readonly users: UsersService,
    private readonly list: ShadowList,
    private readonly hints: Hints,
  ) {}

  /** What he sent before stays as it is, and what he sent in the shadow stays there. @throws ChatError `not_member`, `not_found`, `forbidden` */
  async set(caller: Caller, { roomId, userId, until }: ShadowMember): Promise<ShadowResult> {
    const user = await this.users.get(userId);
    const result = await this.ledger.change<ShadowResult>(roomId, async (locked) => {
      await this.members.mustMay(locked, caller.id, 'member:shadow');
      const { mine, his } = await bothOf(this.members, locked, caller.id, userId);
      mustRankAbove(mine, his);
      await locked.manager.query(`update memberships set shadow_until = $3 where room_id = $1 and user_id = $2`, [
        roomId,
        userId,
        until,
      ]);
      const holds = until !== null && new Date(until) > locked.now;
      const audit: Act = { by: byCaller(caller), action: 'member.shadow', target: userId, details: { until } };
      return { result: { shadow: holds ? { roomId, user, until } : null }, changes: [], audit };
    });
    await this.list.look();
    this.hints.give('shadows');
    return result;
  }

  /** Those that hold, by user id; also of members who have left. @throws ChatError `not_member`, `not_found`, `forbidden` */
  async page(caller: Caller, { roomId, cursor, limit }: ListMembers): Promise<ShadowPage> {
    await this.members.mustBeOneWhoMay(caller.id, roomId, 'shadow:list');
    const rows: unknown = await this.dataSource.query(
      `select users.id, users.name, member.shadow_until as until
       from memberships member join users on users.id = member.user_id
       where member.room_id = $1 and member.user_id > $2 and member.shadow_until > now()
       order by member.user_id limit $3`,
      [roomId, cursor === undefined ? FIRST_ID : userIdOf(cursor), limit + 1],
    );
    const shadows = (rows as Row[]).map(({ id, name, until }) => ({
      roomId,
      user: { id, name },
      until: until.toISOString(),
    }));
    return pageOfUsers(shadows, limit);
  }
}
