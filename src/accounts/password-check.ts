import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { record, type By } from '../audit/audit-log.js';
import { ChatError } from '../chat-error.js';
import { accessColumns, type Access } from '../users/access.js';
import { FREE, LoginAttempts } from './login-attempts.js';
import { PasswordsService } from './passwords.service.js';

/** An account whose password was given. */
export interface Account extends Access {
  userId: string;
  name: string;
  handle: string;
  /** As it is hashed now. */
  password: string;
}

/** Whether a password is right, within the bounds of how often one may try. */
@Injectable()
export class PasswordCheck {
  constructor(
    private readonly dataSource: DataSource,
    private readonly attempts: LoginAttempts,
    private readonly passwords: PasswordsService,
  ) {}

  /**
   * Whatever is wrong, that there is no such account, that the password is another one, or that it was tried too often, is
   * answered the same; and the first two after the same work. To be called in turn.
   * @param subject what tries are counted of
   * @param by who tries: it is recorded when he has tried too often
   * @throws ChatError `unauthenticated`
   */
  async check(handle: string, password: string, subject: string, by: By): Promise<Account> {
    const rows: unknown = await this.dataSource.query(
      `select accounts.user_id as "userId", name, handle, password, ${accessColumns}
       from accounts join users on users.id = accounts.user_id
       left join user_access access on access.user_id = accounts.user_id where handle = $1`,
      [handle],
    );
    const [account] = rows as Account[];
    const tries = await this.attempts.take(subject);
    if (tries === 0) throw isWrong();
    const isRight = await this.passwords.isRight(password, account?.password);
    if (!isRight || account === undefined) {
      if (tries >= FREE) await this.recordRefusal(account, tries, by);
      throw isWrong();
    }
    await this.attempts.forget(subject);
    return this.passwords.isWeak(account.password) ? this.strengthen(account, password) : account;
  }

  /**
   * From here on there is a pause before each try, so whoever guesses writes a few rows, and not one for each guess. What was typed
   * as a handle is not kept where there is no such account: people type their password into the wrong field.
   */
  private async recordRefusal(account: Account | undefined, tries: number, by: By): Promise<void> {
    const act = { by, action: 'login.refuse', details: { tries }, ...(account && { target: account.userId }) } as const;
    await this.dataSource.transaction((manager) => record(manager, act));
  }

  private async strengthen(account: Account, password: string): Promise<Account> {
    const stronger = await this.passwords.hash(password);
    await this.dataSource.query(`update accounts set password = $3 where user_id = $1 and password = $2`, [
      account.userId,
      account.password,
      stronger,
    ]);
    return { ...account, password: stronger };
  }
}

function isWrong(): ChatError {
  return new ChatError(
    'unauthenticated',
    'The handle or the password is wrong; after several wrong tries wait a while',
  );
}
