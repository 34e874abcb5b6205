import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import { AccountSessionsService } from '../auth/account-sessions.service.js';
import { AccountTokens } from '../auth/account-tokens.js';
import { ChatError } from '../chat-error.js';
import { violatedConstraint } from '../database/failures.js';
import { Limits } from '../limits/limits.js';
import type { LoggedIn, Register } from '../protocol/index.js';
import { PasswordsService } from './passwords.service.js';
import { skeletonOf } from './skeleton.js';

/** Accounts for people whom no app vouches for. */
@Injectable()
export class RegistrationService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sessions: AccountSessionsService,
    private readonly tokens: AccountTokens,
    private readonly limits: Limits,
    private readonly passwords: PasswordsService,
  ) {}

  /** @throws ChatError `forbidden`, `rate_limited`, `invalid_argument`, or `conflict` where the handle is taken */
  async register({ handle, password, name, deviceName }: Register, address: string): Promise<LoggedIn> {
    this.tokens.check();
    this.limits.take('logins', address);
    this.passwords.checkNew(password, handle, name);
    const skeleton = skeletonOf(handle);
    const hashed = await this.passwords.inTurn(async () => {
      const taken: unknown = await this.dataSource.query(`select from accounts where skeleton = $1`, [skeleton]);
      if ((taken as unknown[]).length > 0) throw isTaken();
      return this.passwords.hash(password);
    });
    const user = { id: uuidv7(), name };
    try {
      const session = await this.dataSource.transaction(async (manager) => {
        await manager.query(`insert into users (id, kind, name) values ($1, 'account', $2)`, [user.id, name]);
        await manager.query(`insert into accounts (user_id, handle, skeleton, password) values ($1, $2, $3, $4)`, [
          user.id,
          handle,
          skeleton,
          hashed,
        ]);
        return this.sessions.begin(manager, user, handle, deviceName);
      });
      return { ...session, deviceToken: this.tokens.signDevice(handle) };
    } catch (error) {
      throw violatedConstraint(error)?.startsWith('accounts_') === true ? isTaken() : error;
    }
  }
}

function isTaken(): ChatError {
  return new ChatError('conflict', 'The handle is taken, or looks like one that is');
}
