import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { record, type Act, type By } from '../audit/audit-log.js';
import { AccessService } from '../auth/access.service.js';
import { ChatError } from '../chat-error.js';
import { limits } from '../protocol/index.js';
import { purge } from '../rooms/purge.js';
import { RoomLedger } from '../rooms/room-ledger.js';
import { SYSTEM } from '../users/system-user.js';
import type {
  AdminUser,
  AdminUserPage,
  AdminUsersQuery,
  BanUser,
  PurgedUser,
  PurgeUser,
} from './admin-users.schemas.js';

type Row = Omit<AdminUser, 'createdAt' | 'tokensFrom' | 'ban'> & {
  createdAt: Date;
  tokensFrom: Date | null;
  since: Date | null;
  until: Date | null;
  reason: string | null;
};

const SELECT = `
  select users.id, name, kind, subject, created_at as "createdAt", valid_from as "tokensFrom",
         case when banned_until is null or banned_until > now() then banned_at end as since,
         banned_until as until, ban_reason as reason
  from users left join user_access on user_id = users.id`;

/** Rooms that one request purges, at most. */
const PURGED_ROOMS = 100;

/** Who is known, shutting them out, and deleting what they said. */
@Injectable()
export class AdminUsersService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly access: AccessService,
    private readonly ledger: RoomLedger,
  ) {}

  async list({ subject, cursor, limit }: AdminUsersQuery): Promise<AdminUserPage> {
    const rows: unknown = await this.dataSource.query(
      `${SELECT} where users.id <> '${SYSTEM.id}' and ($1::text is null or (kind = 'app' and subject = $1)) and ($2::uuid is null or users.id > $2)
       order by users.id limit $3`,
      [subject, cursor, limit + 1],
    );
    const items = (rows as Row[]).slice(0, limit).map(toAdminUser);
    return { items, nextCursor: (rows as Row[]).length > limit ? (items.at(-1)?.id ?? null) : null };
  }

  /** @throws ChatError `not_found` */
  async get(userId: string): Promise<AdminUser> {
    const rows: unknown = await this.dataSource.query(`${SELECT} where users.id = $1 and users.id <> $2`, [
      userId,
      SYSTEM.id,
    ]);
    const [user] = rows as Row[];
    if (user === undefined) throw new ChatError('not_found', 'There is no such user');
    return toAdminUser(user);
  }

  /** Tokens that the user has are refused from now on, and what is connected with them is closed. @throws ChatError `not_found` */
  async endSessions(by: By, userId: string): Promise<AdminUser> {
    await this.access.endSessions(by, userId);
    return this.get(userId);
  }

  /** @throws ChatError `not_found` */
  async ban(by: By, userId: string, { until, reason }: BanUser): Promise<AdminUser> {
    await this.access.ban(by, userId, until, reason);
    return this.get(userId);
  }

  /** @throws ChatError `not_found` */
  async unban(by: By, userId: string): Promise<AdminUser> {
    await this.access.unban(by, userId);
    return this.get(userId);
  }

  /** Each room in a transaction of its own, until as many messages as one may delete are gone. Repeatable. @throws ChatError `not_found` */
  async purge(by: By, userId: string, { lastS }: PurgeUser): Promise<PurgedUser> {
    await this.get(userId);
    const rooms: unknown = await this.dataSource.query(
      `select room_id as id from memberships member where user_id = $1 and exists (
         select from messages where room_id = member.room_id and sender_id = $1 and deleted_at is null
           and ($2::int is null or created_at >= now() - make_interval(secs => $2))
       ) order by room_id limit $3`,
      [userId, lastS, PURGED_ROOMS + 1],
    );
    const ids = (rooms as { id: string }[]).map(({ id }) => id);
    const done: PurgedUser = { deleted: 0, rooms: 0, more: ids.length > PURGED_ROOMS };
    for (const id of ids.slice(0, PURGED_ROOMS)) {
      if (done.deleted >= limits.purge) return { ...done, more: true };
      const { deleted, more } = await this.ledger.change(id, async (locked) => {
        const result = await purge(locked, userId, null, lastS);
        const audit: Act = { by, action: 'user.purge', target: userId, details: { lastS, deleted: result.deleted } };
        return { result, changes: [], audit };
      });
      done.deleted += deleted;
      done.more ||= more;
      if (deleted > 0) done.rooms += 1;
    }
    if (done.rooms === 0)
      await record(this.dataSource.manager, {
        by,
        action: 'user.purge',
        target: userId,
        details: { lastS, deleted: 0 },
      });
    return done;
  }
}

function toAdminUser({ createdAt, tokensFrom, since, until, reason, ...user }: Row): AdminUser {
  return {
    ...user,
    createdAt: createdAt.toISOString(),
    tokensFrom: tokensFrom?.toISOString() ?? null,
    ban: since && { since: since.toISOString(), until: until?.toISOString() ?? null, reason: reason ?? '' },
  };
}
