import { Body, Controller, Get, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Caller } from '../auth/caller.js';
import { RestCaller, SignedInGuard } from '../auth/signed-in.guard.js';
import { AnswerHeld, HeldAnswered, HeldPage, Id, ListMembers } from '../protocol/index.js';
import { Answers } from '../rest/answers.js';
import { queryOf } from '../rest/query.js';
import { HeldService } from './held.service.js';

const HeldQuery = queryOf(ListMembers.omit({ roomId: true }));
const AnswerBody = AnswerHeld.omit({ roomId: true, heldId: true });

@ApiTags('moderation')
@ApiBearerAuth()
@UseGuards(SignedInGuard)
@Controller('v1/rooms/:roomId/held')
export class HeldController {
  constructor(private readonly held: HeldService) {}

  @Get()
  @Answers(200, HeldPage)
  list(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Query({ schema: HeldQuery }) query: z.output<typeof HeldQuery>,
  ): Promise<HeldPage> {
    return this.held.list(caller, { roomId, ...query });
  }

  @Post(':heldId')
  @Answers(200, HeldAnswered)
  answer(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Param('heldId', { schema: Id }) heldId: string,
    @Body({ schema: AnswerBody }) body: z.output<typeof AnswerBody>,
  ): Promise<HeldAnswered> {
    return this.held.answer(caller, { roomId, heldId, ...body });
  }
}
