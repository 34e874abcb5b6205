import { Body, Controller, Delete, Get, Param, Patch, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Caller } from '../auth/caller.js';
import { RestCaller, SignedInGuard } from '../auth/signed-in.guard.js';
import {
  BanMember,
  BanPage,
  BanResult,
  Id,
  ListMembers,
  MemberResult,
  MemberSettings,
  ShadowMember,
  ShadowPage,
  ShadowResult,
} from '../protocol/index.js';
import { Answers } from '../rest/answers.js';
import { queryOf } from '../rest/query.js';
import { ModerationService } from './moderation.service.js';
import { ShadowsService } from './shadows.service.js';

const PageQuery = queryOf(ListMembers.omit({ roomId: true }));
const ShadowBody = ShadowMember.omit({ roomId: true });
const BanBody = BanMember.omit({ roomId: true });

@ApiTags('moderation')
@ApiBearerAuth()
@UseGuards(SignedInGuard)
@Controller('v1/rooms/:roomId')
export class ModerationController {
  constructor(
    private readonly moderation: ModerationService,
    private readonly shadows: ShadowsService,
  ) {}

  @Patch('members/:userId')
  @Answers(200, MemberResult)
  update(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Param('userId', { schema: Id }) userId: string,
    @Body({ schema: MemberSettings }) settings: MemberSettings,
  ): Promise<MemberResult> {
    return this.moderation.update(caller, { roomId, userId, ...settings });
  }

  @Delete('members/:userId')
  @Answers(200, MemberResult)
  remove(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Param('userId', { schema: Id }) userId: string,
  ): Promise<MemberResult> {
    return this.moderation.remove(caller, { roomId, userId });
  }

  @Post('bans')
  @Answers(200, BanResult)
  ban(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Body({ schema: BanBody }) body: z.output<typeof BanBody>,
  ): Promise<BanResult> {
    return this.moderation.ban(caller, { roomId, ...body });
  }

  @Get('bans')
  @Answers(200, BanPage)
  bans(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Query({ schema: PageQuery }) query: z.output<typeof PageQuery>,
  ): Promise<BanPage> {
    return this.moderation.bans(caller, { roomId, ...query });
  }

  @Post('shadows')
  @Answers(200, ShadowResult)
  shadow(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Body({ schema: ShadowBody }) body: z.output<typeof ShadowBody>,
  ): Promise<ShadowResult> {
    return this.shadows.set(caller, { roomId, ...body });
  }

  @Get('shadows')
  @Answers(200, ShadowPage)
  shadowed(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Query({ schema: PageQuery }) query: z.output<typeof PageQuery>,
  ): Promise<ShadowPage> {
    return this.shadows.page(caller, { roomId, ...query });
  }
}
