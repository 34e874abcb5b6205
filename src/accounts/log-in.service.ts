import { Injectable } from '@nestjs/common';
import { byNobody } from '../audit/audit-log.js';
import { AccountSessionsService } from '../auth/account-sessions.service.js';
import { AccountTokens } from '../auth/account-tokens.js';
import type { Origin } from '../auth/origin.js';
import { networkOf } from '../limits/client-address.js';
import { Limits } from '../limits/limits.js';
import type { LoggedIn, LogIn } from '../protocol/index.js';
import { refusalOf } from '../users/access.js';
import { PasswordCheck } from './password-check.js';
import { PasswordsService } from './passwords.service.js';

@Injectable()
export class LogInService {
  constructor(
    private readonly sessions: AccountSessionsService,
    private readonly tokens: AccountTokens,
    private readonly limits: Limits,
    private readonly passwords: PasswordsService,
    private readonly passwordCheck: PasswordCheck,
  ) {}

  /** A new session. @throws ChatError `unauthenticated`, `forbidden`, `rate_limited`, `banned` */
  async logIn({ handle, password, deviceName, deviceToken }: LogIn, from: Origin): Promise<LoggedIn> {
    this.tokens.check();
    const device = deviceToken === undefined ? undefined : this.tokens.readDevice(deviceToken, handle);
    // Who has logged in before is kept out neither by who guesses at his password nor by who shares his address.
    if (device === undefined) this.limits.take('logins', networkOf(from.address));
    const subject = device === undefined ? `account ${handle}` : `device ${device}`;
    const account = await this.passwords.inTurn(() =>
      this.passwordCheck.check(handle, password, subject, byNobody(from)),
    );
    const refusal = refusalOf(account, undefined);
    if (refusal?.code === 'banned') throw refusal;
    const session = await this.sessions.beginWith(account, deviceName);
    return {
      ...session,
      deviceToken: device === undefined || deviceToken === undefined ? this.tokens.signDevice(handle) : deviceToken,
    };
  }
}
