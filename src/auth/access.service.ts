import { EventEmitter } from 'node:events';
import { Injectable, Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { record, type Act, type By } from '../audit/audit-log.js';
import { ChatError } from '../chat-error.js';
import { accessColumns, type Access } from '../users/access.js';
import { UsersService } from '../users/users.service.js';

/** How often Postgres is asked who was shut out, in ms: so late it is where the bus has lost the news. */
const LOOK_EVERY = 2_000;
/** A change is held against connections for so long, in ms; a handshake that it overtook is over by then. */
const KEPT = 60_000;
/** Of so many at most; where more are shut out in a minute, the first of them are held against what is connected only. */
const MOST_KEPT = 100_000;
const PAGE = 1_000;

interface Changed extends Access {
  /** Of a user, of a key, or of a session of an account. */
  id: string;
  kind: string;
  subject: string;
  rev: number;
}

/**
 * Who is shut out: Postgres says so, and every instance looks there every two seconds, or at once where it is told to. What is
 * told over the bus is no more than that there is something to look at.
 */
@Injectable()
export class AccessService implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger(AccessService.name);
  private readonly events = new EventEmitter();
  private readonly changed = new Map<string, Access & { seenAt: number }>();
  private rev = 0;
  private looking: Promise<void> | undefined;
  private asked = 0;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly users: UsersService,
  ) {}

  async onModuleInit(): Promise<void> {
    const rows: unknown = await this.dataSource.query('select access_rev as rev from server_state');
    this.rev = (rows as { rev: number }[])[0]?.rev ?? 0;
    this.plan();
  }

  beforeApplicationShutdown(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** By user, key or session of an account, what changed in the last minute; most of the time it is empty. */
  get lately(): ReadonlyMap<string, Access> {
    return this.changed;
  }

  /** `listener` runs with each user, key or session of an account for which something changed, whichever instance did it. */
  onChange(listener: (id: string, access: Access) => void): void {
    this.events.on('change', listener);
  }

  /** `listener` runs when this instance has changed something, so that others can be told. */
  onOwnChange(listener: () => void): void {
    this.events.on('own', listener);
  }

  /** From now on the tokens that the user has are refused. @throws ChatError `not_found` */
  async endSessions(by: By, userId: string): Promise<void> {
    // The claim `iat` has whole seconds: one that was made in this second may be older than this.
    const columns = `valid_from = date_trunc('second', clock_timestamp()) + interval '1 second'`;
    await this.change({ by, action: 'user.disconnect', target: userId }, columns);
  }

  /** @param until for good where it is undefined. @throws ChatError `not_found` */
  async ban(by: By, userId: string, until: string | undefined, reason: string): Promise<void> {
    const act = { by, action: 'user.ban', target: userId, details: { until: until ?? null, reason } } as const;
    await this.change(act, `banned_at = clock_timestamp(), banned_until = $2, ban_reason = $3`, [until, reason]);
  }

  /** @throws ChatError `not_found` */
  async unban(by: By, userId: string): Promise<void> {
    await this.change(
      { by, action: 'user.unban', target: userId },
      `banned_at = null, banned_until = null, ban_reason = null`,
    );
  }

  /** Takes a key back, for the second time too. False where there is no such key. */
  async revokeKey(by: By, id: string): Promise<boolean> {
    const isThere = await this.dataSource.transaction(async (manager) => {
      const found: unknown = await manager.query(
        `with known as (select from api_keys where id = $1),
            next as (update server_state set access_rev = access_rev + 1 where exists (select from known) returning access_rev),
            revoked as (update api_keys set revoked_at = coalesce(revoked_at, clock_timestamp()), rev = access_rev
                        from next where id = $1)
       select from known`,
        [id],
      );
      if ((found as unknown[]).length === 0) return false;
      await record(manager, { by, action: 'key.revoke', target: id });
      return true;
    });
    if (isThere) await this.tell();
    return isThere;
  }

  /**
   * Ends those sessions of accounts that `which` says of their columns, in the caller's transaction; after its commit he calls
   * `tell()`. Gives the ids. Each has a rev of its own, for a page of changes may end after any.
   */
  async endAccountSessions(manager: EntityManager, which: string, values: unknown[]): Promise<string[]> {
    const rows: unknown = await manager.query(
      `with chosen as (select id from account_sessions where ended_at is null and ${which} for no key update),
            numbered as (select id, row_number() over () as number from chosen),
            next as (update server_state set access_rev = access_rev + (select count(*) from numbered)
                     where exists (select from numbered) returning access_rev),
            ended as (update account_sessions session
                      set ended_at = clock_timestamp(), rev = access_rev - number + 1
                      from next, numbered where session.id = numbered.id returning session.id)
       select id from ended`,
      values,
    );
    return (rows as { id: string }[]).map(({ id }) => id);
  }

  /** Has everybody look for what was just committed, this instance before it resolves. Never rejects. */
  async tell(): Promise<void> {
    this.events.emit('own');
    await this.look();
  }

  /** Looks for what changed; resolves when it was looked for after this was called. Never rejects. */
  look(): Promise<void> {
    this.asked += 1;
    if (this.looking !== undefined) return this.looking;
    clearTimeout(this.timer);
    this.looking = this.lookOnce().finally(() => {
      this.looking = undefined;
      this.plan();
    });
    return this.looking;
  }

  private async change(act: Act & { target: string }, columns: string, values: unknown[] = []): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await this.write(manager, act.target, columns, values);
      await record(manager, act);
    });
    await this.tell();
  }

  private async write(manager: EntityManager, userId: string, columns: string, values: unknown[]): Promise<void> {
    const found: unknown = await manager.query('select from users where id = $1', [userId]);
    if ((found as unknown[]).length === 0) throw new ChatError('not_found', 'There is no such user');
    await manager.query(
      `with next as (update server_state set access_rev = access_rev + 1 returning access_rev)
       insert into user_access (user_id, rev) select $1, access_rev from next
       on conflict (user_id) do update set rev = excluded.rev`,
      [userId],
    );
    await manager.query(`update user_access set ${columns} where user_id = $1`, [userId, ...values]);
  }

  private plan(): void {
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => void this.look(), LOOK_EVERY);
  }

  private async lookOnce(): Promise<void> {
    try {
      for (let answered = 0; answered !== this.asked && !this.stopped;) {
        answered = this.asked;
        while ((await this.take()) === PAGE);
      }
    } catch (error) {
      if (!this.stopped) this.logger.warn(`Looking for who was shut out failed: ${String(error)}`);
    }
    for (const [id, { seenAt }] of this.changed)
      if (performance.now() - seenAt > KEPT || this.changed.size > MOST_KEPT) this.changed.delete(id);
  }

  private async take(): Promise<number> {
    const rows: unknown = await this.dataSource.query(
      `select users.id, users.kind, coalesce(users.subject, users.id::text) as subject, access.rev, ${accessColumns},
              null as revoked
       from user_access access join users on users.id = access.user_id where access.rev > $1
       union all
       select id, 'key', '', rev, 0, 0, 'key' from api_keys where rev > $1
       union all
       select id, 'session', '', rev, 0, 0, 'session' from account_sessions where rev > $1
       order by rev limit ${PAGE}`,
      [this.rev],
    );
    for (const { id, kind, subject, rev, ...access } of rows as Changed[]) {
      this.rev = rev;
      if (access.revoked === null) this.users.forget(kind, subject);
      this.changed.delete(id);
      this.changed.set(id, { ...access, seenAt: performance.now() });
      this.events.emit('change', id, access);
    }
    return (rows as unknown[]).length;
  }
}
