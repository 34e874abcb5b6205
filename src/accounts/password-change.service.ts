import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { byCaller, record } from '../audit/audit-log.js';
import { AccessService } from '../auth/access.service.js';
import { noAccount } from '../auth/account-sessions.service.js';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import type { ChangePassword } from '../protocol/index.js';
import { PasswordCheck, type Account } from './password-check.js';
import { PasswordsService } from './passwords.service.js';

@Injectable()
export class PasswordChangeService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly access: AccessService,
    private readonly passwords: PasswordsService,
    private readonly passwordCheck: PasswordCheck,
  ) {}

  /** Ends all other sessions. @throws ChatError `forbidden` where the password of before is wrong, `invalid_argument`, `rate_limited` */
  async change(caller: Caller, { password, newPassword }: ChangePassword): Promise<number> {
    const handle = await this.handleOf(caller);
    this.passwords.checkNew(newPassword, handle, caller.name);
    const { account, hashed } = await this.passwords.inTurn(async () => ({
      account: await this.checkOld(handle, password, caller),
      hashed: await this.passwords.hash(newPassword),
    }));
    const ended = await this.dataSource.transaction(async (manager) => {
      const changed: unknown = await manager.query(
        `with changed as (update accounts set password = $3, password_changed_at = clock_timestamp()
                          where user_id = $1 and password = $2 returning user_id)
         select from changed`,
        [caller.id, account.password, hashed],
      );
      if ((changed as unknown[]).length === 0) throw isWrong();
      const others = [caller.id, caller.accountSessionId];
      const sessions = await this.access.endAccountSessions(manager, 'user_id = $1 and id <> $2', others);
      await record(manager, { by: byCaller(caller), action: 'account.password', target: caller.id });
      return sessions;
    });
    await this.access.tell();
    return ended.length;
  }

  /** Whoever found somebody’s session open may not try out passwords faster than who logs in. */
  private async checkOld(handle: string, password: string, caller: Caller): Promise<Account> {
    try {
      return await this.passwordCheck.check(handle, password, `change ${caller.id}`, byCaller(caller));
    } catch (error) {
      // The session is good all the same: no client shall take this for its end.
      throw error instanceof ChatError && error.code === 'unauthenticated' ? isWrong() : error;
    }
  }

  private async handleOf({ id, accountSessionId }: Caller): Promise<string> {
    if (accountSessionId === undefined) throw noAccount();
    const rows: unknown = await this.dataSource.query(`select handle from accounts where user_id = $1`, [id]);
    const [found] = rows as { handle: string }[];
    if (found === undefined) throw noAccount();
    return found.handle;
  }
}

function isWrong(): ChatError {
  return new ChatError('forbidden', 'The password of before is wrong; after several wrong tries wait a while');
}
