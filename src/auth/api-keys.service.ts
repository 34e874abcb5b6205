import { createHash, randomBytes } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import { record, type By } from '../audit/audit-log.js';
import { ChatError } from '../chat-error.js';
import { BatchedRead } from '../database/batched-read.js';
import type { Scope, User } from '../protocol/index.js';
import { accessColumns, type Access } from '../users/access.js';
import { AccessService } from './access.service.js';

/** Begins every key, so that a leaked one is known for what it is. */
const PREFIX = 'parley_';
const KEY = new RegExp(`^${PREFIX}([\\w-]{43})$`);
const BYTES = 32;
const HOUR = 3_600_000;
/** Keys that may be there at the same time, so that all can be listed. */
const MOST = 1_000;

export interface ApiKey {
  id: string;
  name: string;
  scopes: Scope[];
  /** Whom it acts as. */
  userId: string;
  createdAt: Date;
  expiresAt: Date | null;
  revokedAt: Date | null;
  /** To the hour. */
  lastUsedAt: Date | null;
}

/** A key that holds, and whom it acts as. */
export interface KeyHolder extends Access {
  key: ApiKey;
  user: User;
}

const COLUMNS = `key.id, key.name, key.scopes, key.user_id as "userId", key.created_at as "createdAt",
  key.expires_at as "expiresAt", key.revoked_at as "revokedAt",
  key.last_used_at as "lastUsedAt"`;

/**
 * Keys that servers and bots bring in place of a token. Only what they hash to is kept, and they are found by it, so nothing is
 * compared whose time could tell of another key. A fast hash will do: there is no guessing 256 random bits, however fast.
 */
@Injectable()
export class ApiKeysService {
  private readonly logger = new Logger(ApiKeysService.name);
  private readonly holders = new BatchedRead((hashes: readonly string[]) => this.read(hashes));

  constructor(
    private readonly dataSource: DataSource,
    private readonly access: AccessService,
  ) {}

  static looksLikeOne(token: string): boolean {
    return token.startsWith(PREFIX);
  }

  /** @throws ChatError `unauthenticated`, `token_expired`, or what the database says */
  async find(token: string): Promise<KeyHolder> {
    const [, secret] = KEY.exec(token) ?? [];
    const holder = secret === undefined ? undefined : await this.holders.get(hashOf(secret).toString('hex'));
    if (holder === undefined || holder.key.revokedAt !== null)
      throw new ChatError('unauthenticated', 'The key is none that is taken here');
    if (holder.key.expiresAt !== null && holder.key.expiresAt.getTime() <= Date.now())
      throw new ChatError('token_expired', 'The key has expired');
    return holder;
  }

  /**
   * A new key, in full for this once.
   * @param userId the bot that it acts as; a new one of this name where it is undefined
   * @throws ChatError `not_found` where there is no such bot, `conflict` where there are too many keys
   */
  async make(
    by: By,
    name: string,
    scopes: readonly Scope[],
    userId: string | undefined,
    expiresAt: string | undefined,
  ): Promise<{ key: ApiKey; secret: string }> {
    const secret = randomBytes(BYTES).toString('base64url');
    const key = await this.dataSource.transaction(async (manager) => {
      const counted: unknown = await manager.query(
        `select count(*)::int as count from api_keys where revoked_at is null`,
      );
      if (((counted as { count: number }[])[0]?.count ?? 0) >= MOST)
        throw new ChatError('conflict', `There are ${MOST} keys; revoke some`);
      const botId = userId ?? uuidv7();
      if (userId === undefined)
        await manager.query(`insert into users (id, kind, name) values ($1, 'bot', $2)`, [botId, name]);
      const made: unknown = await manager.query(
        `insert into api_keys as key (id, user_id, name, hash, scopes, expires_at)
         select $1, users.id, $3, $4, $5, $6 from users where users.id = $2 and kind = 'bot' returning ${COLUMNS}`,
        [uuidv7(), botId, name, hashOf(secret), scopes, expiresAt],
      );
      const [first] = made as ApiKey[];
      if (first === undefined) throw new ChatError('not_found', 'There is no such bot');
      await record(manager, { by, action: 'key.make', target: first.id, details: { name, scopes, userId: botId } });
      return first;
    });
    return { key, secret: `${PREFIX}${secret}` };
  }

  /** Those that were not revoked, oldest first. */
  async list(): Promise<ApiKey[]> {
    const rows: unknown = await this.dataSource.query(
      `select ${COLUMNS} from api_keys key where revoked_at is null order by id limit ${MOST}`,
    );
    return rows as ApiKey[];
  }

  /** What is connected with the key is closed, on every instance; revoking twice is revoking once. @throws ChatError `not_found` */
  async revoke(by: By, id: string): Promise<ApiKey> {
    const isThere = await this.access.revokeKey(by, id);
    const rows: unknown = await this.dataSource.query(`select ${COLUMNS} from api_keys key where id = $1`, [id]);
    const [key] = rows as ApiKey[];
    if (!isThere || key === undefined) throw new ChatError('not_found', 'There is no such key');
    return key;
  }

  private async read(hashes: readonly string[]): Promise<(KeyHolder | undefined)[]> {
    const rows: unknown = await this.dataSource.query(
      `select encode(hash, 'hex') as hash, ${COLUMNS}, users.name as "userName", ${accessColumns}
       from api_keys key join users on users.id = key.user_id
       left join user_access access on access.user_id = users.id
       where key.hash = any(select decode(unnest($1::text[]), 'hex'))`,
      [[...new Set(hashes)]],
    );
    const byHash = new Map(
      (rows as (ApiKey & Access & { hash: string; userName: string })[]).map(
        ({ hash, userName, validFrom, bannedUntil, ...key }) => [
          hash,
          { key, user: { id: key.userId, name: userName }, validFrom, bannedUntil },
        ],
      ),
    );
    await this.noteUse([...byHash.values()].map(({ key }) => key));
    return hashes.map((hash) => byHash.get(hash));
  }

  /** Once an hour a key, and without waiting for whoever notes it just now. Nobody is refused because it fails. */
  private async noteUse(keys: readonly ApiKey[]): Promise<void> {
    const hourAgo = Date.now() - HOUR;
    const unnoted = keys.filter(({ lastUsedAt }) => lastUsedAt === null || lastUsedAt.getTime() <= hourAgo);
    if (unnoted.length === 0) return;
    try {
      await this.dataSource.query(
        `update api_keys set last_used_at = date_trunc('hour', now())
         where id in (select id from api_keys where id = any($1) and revoked_at is null
                        and (expires_at is null or expires_at > now()) for no key update skip locked)`,
        [unnoted.map(({ id }) => id)],
      );
    } catch (error) {
      this.logger.warn(`Noting the use of keys failed: ${String(error)}`);
    }
  }
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(Buffer.from(secret, 'base64url')).digest();
}
