import { Module } from '@nestjs/common';
import { AccountSessionsController } from './account-sessions.controller.js';
import { AccountSweep } from './account-sweep.js';
import { AccountsController } from './accounts.controller.js';
import { LogInService } from './log-in.service.js';
import { LoginAttempts } from './login-attempts.js';
import { PasswordChangeService } from './password-change.service.js';
import { PasswordCheck } from './password-check.js';
import { PasswordsService } from './passwords.service.js';
import { RegistrationService } from './registration.service.js';
import { WaysInController } from './ways-in.controller.js';

@Module({
  controllers: [AccountsController, AccountSessionsController, WaysInController],
  providers: [
    AccountSweep,
    LogInService,
    LoginAttempts,
    PasswordChangeService,
    PasswordCheck,
    PasswordsService,
    RegistrationService,
  ],
})
export class AccountsModule {}
