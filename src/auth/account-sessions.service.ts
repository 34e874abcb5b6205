import { randomBytes } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import { byCaller, record, type By } from '../audit/audit-log.js';
import { ChatError } from '../chat-error.js';
import { BatchedRead } from '../database/batched-read.js';
import { limits, type AccountSession, type Session, type User } from '../protocol/index.js';
import { accessColumns, refusalOf, type Access } from '../users/access.js';
import { AccessService } from './access.service.js';
import { AccountTokens, type RefreshToken } from './account-tokens.js';
import type { Caller } from './caller.js';

/** How long a session lasts that is not refreshed, and how long at most. */
const IDLE = `interval '30 days'`;
const LONGEST = `interval '365 days'`;
/** So long the refresh token of before gets the answer that it got, for a client that did not hear it. */
const GRACE = `interval '20 seconds'`;

/** A session that has not ended, and whose it is. */
export interface AccountHolder extends Access {
  user: User;
  /** When the session began; ms since 1970. */
  createdAt: number;
}

/** Whose session it is to be, and the hash that his password was right for. */
interface Owner {
  userId: string;
  name: string;
  handle: string;
  password: string;
}

interface Row extends Access {
  userId: string;
  name: string;
  handle: string;
  createdAt: Date;
  token: Buffer;
  tokenBefore: Buffer | null;
  salt: Buffer | null;
  /** Whether it was refreshed within the grace. */
  isRecent: boolean;
  expiresAt: Date;
}

/** Sessions of accounts. Each is a line of refresh tokens, of which one is good. */
@Injectable()
export class AccountSessionsService {
  private readonly logger = new Logger(AccountSessionsService.name);
  private readonly holders = new BatchedRead((ids: readonly string[]) => this.read(ids));

  constructor(
    private readonly dataSource: DataSource,
    private readonly access: AccessService,
    private readonly tokens: AccountTokens,
  ) {}

  /** Undefined where there is no such session any more. */
  find(sessionId: string): Promise<AccountHolder | undefined> {
    return this.holders.get(sessionId);
  }

  /** A new session of one whose password was right, unless it was changed meanwhile. @throws ChatError `unauthenticated` */
  async beginWith(account: Owner, deviceName: string): Promise<AccountSession> {
    const { userId: id, name, handle, password } = account;
    const { session, surplus } = await this.dataSource.transaction(async (manager) => {
      // Sessions of an account begin one after the other, so that they can be counted.
      const found: unknown = await manager.query(
        `select from accounts where user_id = $1 and password = $2 for no key update`,
        [id, password],
      );
      if ((found as unknown[]).length === 0)
        throw new ChatError('unauthenticated', 'The password was changed just now');
      return {
        surplus: await this.access.endAccountSessions(
          manager,
          `id in (select id from account_sessions where user_id = $1 and ended_at is null
                  order by refreshed_at desc offset ${limits.sessionsPerAccount - 1})`,
          [id],
        ),
        session: await this.begin(manager, { id, name }, handle, deviceName),
      };
    });
    if (surplus.length > 0) await this.access.tell();
    return session;
  }

  /** Writes a session, in the caller’s transaction. */
  async begin(manager: EntityManager, user: User, handle: string, deviceName: string): Promise<AccountSession> {
    const refresh = this.tokens.firstRefresh(uuidv7());
    // Younger than what an admin has just ended, whose moment may lie ahead.
    const begun: unknown = await manager.query(
      `insert into account_sessions (id, user_id, device_name, created_at, token, refreshed_at, expires_at)
       select $1, $2, $3, greatest(clock_timestamp(), max(valid_from)), $4, clock_timestamp(), clock_timestamp() + ${IDLE}
       from user_access where user_id = $2
       returning expires_at as "expiresAt"`,
      [refresh.sessionId, user.id, deviceName, refresh.hash],
    );
    const [{ expiresAt } = { expiresAt: new Date() }] = begun as Pick<Row, 'expiresAt'>[];
    return this.sessionOf(user, handle, refresh, expiresAt);
  }

  /**
   * The next tokens of the session. One that was used up ends the session, for then somebody else has it, too.
   * @throws ChatError `unauthenticated`, `banned`, or what the database says
   */
  async refresh(text: string, origin: Pick<By, 'address' | 'requestId'>): Promise<AccountSession> {
    this.tokens.check();
    const token = this.tokens.readRefresh(text);
    if (token === undefined) throw new ChatError('unauthenticated', 'The refresh token is none that is taken here');
    const refreshed = await this.dataSource.transaction((manager) => this.refreshIn(manager, token, origin));
    if (refreshed === 'reused') {
      await this.access.tell();
      this.logger.warn(`A refresh token was used again: session ${token.sessionId} was ended`);
    }
    if (typeof refreshed === 'string') throw new ChatError('unauthenticated', 'The session has ended; log in again');
    return refreshed;
  }

  /** What was used last comes first. @throws ChatError `forbidden` for who has no account */
  async list({ id, accountSessionId }: Caller): Promise<Session[]> {
    if (accountSessionId === undefined) throw noAccount();
    const rows: unknown = await this.dataSource.query(
      `select session.id, device_name as "deviceName", session.created_at as "createdAt", refreshed_at as "lastUsedAt"
       from account_sessions session left join user_access access on access.user_id = session.user_id
       where session.user_id = $1 and ended_at is null and expires_at > clock_timestamp()
         and session.created_at >= coalesce(access.valid_from, session.created_at)
       order by refreshed_at desc, session.id limit ${limits.sessionsPerAccount}`,
      [id],
    );
    return (rows as { id: string; deviceName: string; createdAt: Date; lastUsedAt: Date }[]).map(
      ({ createdAt, lastUsedAt, ...session }) => ({
        ...session,
        createdAt: createdAt.toISOString(),
        lastUsedAt: lastUsedAt.toISOString(),
        current: session.id === accountSessionId,
      }),
    );
  }

  /** Closes what is connected with it, on every instance. @throws ChatError `forbidden`, `not_found` */
  async end(caller: Caller, sessionId: string): Promise<number> {
    if (caller.accountSessionId === undefined) throw noAccount();
    const ended = await this.endWhere(caller, sessionId, 'id = $1 and user_id = $2', [sessionId, caller.id]);
    if (ended === 0) throw new ChatError('not_found', 'There is no such session of yours');
    return ended;
  }

  /** All of his, the one that asks too. @throws ChatError `forbidden` */
  async endAll(caller: Caller): Promise<number> {
    if (caller.accountSessionId === undefined) throw noAccount();
    return this.endWhere(caller, 'all', 'user_id = $1', [caller.id]);
  }

  private async endWhere(caller: Caller, target: string, which: string, values: unknown[]): Promise<number> {
    const ended = await this.dataSource.transaction(async (manager) => {
      const sessions = await this.access.endAccountSessions(manager, which, values);
      if (sessions.length > 0) await record(manager, { by: byCaller(caller), action: 'session.end', target });
      return sessions;
    });
    if (ended.length > 0) await this.access.tell();
    return ended.length;
  }

  private async refreshIn(
    manager: EntityManager,
    token: RefreshToken,
    origin: Pick<By, 'address' | 'requestId'>,
  ): Promise<AccountSession | 'over' | 'reused'> {
    const rows: unknown = await manager.query(
      `select session.user_id as "userId", name, handle, session.created_at as "createdAt", token,
              token_before as "tokenBefore", salt, refreshed_at > clock_timestamp() - ${GRACE} as "isRecent",
              expires_at as "expiresAt", ${accessColumns}
       from account_sessions session join users on users.id = session.user_id
       join accounts on accounts.user_id = session.user_id
       left join user_access access on access.user_id = session.user_id
       where session.id = $1 and ended_at is null and expires_at > clock_timestamp() for no key update of session`,
      [token.sessionId],
    );
    const [row] = rows as Row[];
    if (row === undefined) return 'over';
    const refusal = refusalOf(row, row.createdAt.getTime());
    if (refusal?.code === 'banned') throw refusal;
    if (refusal !== undefined) return 'over';
    const user = { id: row.userId, name: row.name };
    if (token.hash.equals(row.token)) {
      const salt = randomBytes(32);
      const next = this.tokens.nextRefresh(token, salt);
      const expiresAt = await this.replace(manager, token, next, salt);
      return this.sessionOf(user, row.handle, next, expiresAt);
    }
    if (row.isRecent && row.salt !== null && row.tokenBefore?.equals(token.hash) === true) {
      const next = this.tokens.nextRefresh(token, row.salt);
      if (next.hash.equals(row.token)) return this.sessionOf(user, row.handle, next, row.expiresAt);
    }
    await this.access.endAccountSessions(manager, 'id = $1', [token.sessionId]);
    const by: By = { kind: 'user', id: user.id, ...origin };
    await record(manager, { by, action: 'session.reuse', target: token.sessionId });
    return 'reused';
  }

  private async replace(manager: EntityManager, token: RefreshToken, next: RefreshToken, salt: Buffer): Promise<Date> {
    const replaced: unknown = await manager.query(
      `with replaced as (
         update account_sessions
         set token = $2, token_before = $3, salt = $4, refreshed_at = clock_timestamp(),
             expires_at = least(clock_timestamp() + ${IDLE}, created_at + ${LONGEST})
         where id = $1 returning expires_at)
       select expires_at as "expiresAt" from replaced`,
      [token.sessionId, next.hash, token.hash, salt],
    );
    return (replaced as [Pick<Row, 'expiresAt'>])[0].expiresAt;
  }

  private sessionOf(user: User, handle: string, refresh: RefreshToken, expiresAt: Date): AccountSession {
    const { sessionId, text } = refresh;
    return {
      user,
      handle,
      sessionId,
      ...this.tokens.signAccess(user.id, sessionId),
      refreshToken: text,
      refreshExpiresAt: expiresAt.toISOString(),
    };
  }

  private async read(ids: readonly string[]): Promise<(AccountHolder | undefined)[]> {
    const rows: unknown = await this.dataSource.query(
      `select session.id as "sessionId", session.created_at as "createdAt", users.id, users.name, ${accessColumns}
       from account_sessions session join users on users.id = session.user_id
       left join user_access access on access.user_id = users.id
       where session.id = any($1::uuid[]) and ended_at is null and expires_at > clock_timestamp()`,
      [[...new Set(ids)]],
    );
    const bySession = new Map(
      (rows as (User & Access & { sessionId: string; createdAt: Date })[]).map(
        ({ sessionId, createdAt, id, name, validFrom, bannedUntil }): [string, AccountHolder] => [
          sessionId,
          { user: { id, name }, createdAt: createdAt.getTime(), validFrom, bannedUntil },
        ],
      ),
    );
    return ids.map((id) => bySession.get(id));
  }
}

/** What somebody is told who asks for sessions with a token of the app, a guest’s, or a key. */
export function noAccount(): ChatError {
  return new ChatError('forbidden', 'You did not log in with an account');
}
