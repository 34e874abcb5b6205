import { Body, Controller, Post, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Caller } from '../auth/caller.js';
import { RestCaller, SignedInGuard } from '../auth/signed-in.guard.js';
import { ClientAddress } from '../limits/client-address.js';
import { ChangePassword, LoggedIn, Register, SessionsEnded } from '../protocol/index.js';
import { Answers } from '../rest/answers.js';
import { PasswordChangeService } from './password-change.service.js';
import { RegistrationService } from './registration.service.js';

@ApiTags('identity')
@Controller('v1/accounts')
export class AccountsController {
  constructor(
    private readonly registration: RegistrationService,
    private readonly passwordChange: PasswordChangeService,
  ) {}

  @Post()
  @Answers(201, LoggedIn)
  register(@Body({ schema: Register }) request: Register, @ClientAddress() address: string): Promise<LoggedIn> {
    return this.registration.register(request, address);
  }

  @Post('password')
  @ApiBearerAuth()
  @UseGuards(SignedInGuard)
  @Answers(200, SessionsEnded)
  async changePassword(
    @RestCaller() caller: Caller,
    @Body({ schema: ChangePassword }) request: ChangePassword,
  ): Promise<SessionsEnded> {
    return { ended: await this.passwordChange.change(caller, request) };
  }
}
