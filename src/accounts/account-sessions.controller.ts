import { Body, Controller, Delete, Get, Param, Post, Req, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { AccountSessionsService } from '../auth/account-sessions.service.js';
import type { Caller } from '../auth/caller.js';
import { originOf } from '../auth/origin.js';
import { RestCaller, SignedInGuard } from '../auth/signed-in.guard.js';
import { AccountSession, Id, LoggedIn, LogIn, RefreshSession, SessionList, SessionsEnded } from '../protocol/index.js';
import { Answers } from '../rest/answers.js';
import { LogInService } from './log-in.service.js';

@ApiTags('identity')
@Controller('v1/sessions')
export class AccountSessionsController {
  constructor(
    private readonly logIns: LogInService,
    private readonly sessions: AccountSessionsService,
  ) {}

  @Post()
  @Answers(201, LoggedIn)
  logIn(@Body({ schema: LogIn }) asked: LogIn, @Req() request: Request): Promise<LoggedIn> {
    return this.logIns.logIn(asked, originOf(request));
  }

  @Post('refresh')
  @Answers(200, AccountSession)
  refresh(
    @Body({ schema: RefreshSession }) { refreshToken }: RefreshSession,
    @Req() request: Request,
  ): Promise<AccountSession> {
    return this.sessions.refresh(refreshToken, originOf(request));
  }

  @Get()
  @ApiBearerAuth()
  @UseGuards(SignedInGuard)
  @Answers(200, SessionList)
  async list(@RestCaller() caller: Caller): Promise<SessionList> {
    return { items: await this.sessions.list(caller) };
  }

  @Delete()
  @ApiBearerAuth()
  @UseGuards(SignedInGuard)
  @Answers(200, SessionsEnded)
  async endAll(@RestCaller() caller: Caller): Promise<SessionsEnded> {
    return { ended: await this.sessions.endAll(caller) };
  }

  @Delete(':sessionId')
  @ApiBearerAuth()
  @UseGuards(SignedInGuard)
  @Answers(200, SessionsEnded)
  async end(
    @RestCaller() caller: Caller,
    @Param('sessionId', { schema: Id }) sessionId: string,
  ): Promise<SessionsEnded> {
    return { ended: await this.sessions.end(caller, sessionId) };
  }
}
