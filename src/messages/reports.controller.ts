import { Body, Controller, Get, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Caller } from '../auth/caller.js';
import { RestCaller, SignedInGuard } from '../auth/signed-in.guard.js';
import { AnswerReport, Done, Id, ListMembers, MessageResult, ReportMessage, ReportPage } from '../protocol/index.js';
import { Answers } from '../rest/answers.js';
import { queryOf, SeqParam } from '../rest/query.js';
import { ReportsService } from './reports.service.js';

const PageQuery = queryOf(ListMembers.omit({ roomId: true }));
const ReportBody = ReportMessage.omit({ roomId: true, seq: true });
const AnswerBody = AnswerReport.omit({ roomId: true, seq: true });

@ApiTags('moderation')
@ApiBearerAuth()
@UseGuards(SignedInGuard)
@Controller('v1/rooms/:roomId')
export class ReportsController {
  constructor(private readonly reports: ReportsService) {}

  @Post('messages/:seq/report')
  @Answers(200, Done)
  report(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Param('seq', { schema: SeqParam }) seq: number,
    @Body({ schema: ReportBody }) body: z.output<typeof ReportBody>,
  ): Promise<Done> {
    return this.reports.report(caller, { roomId, seq, ...body });
  }

  @Get('reports')
  @Answers(200, ReportPage)
  list(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Query({ schema: PageQuery }) query: z.output<typeof PageQuery>,
  ): Promise<ReportPage> {
    return this.reports.list(caller, { roomId, ...query });
  }

  @Post('messages/:seq/report/answer')
  @Answers(200, MessageResult)
  answer(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Param('seq', { schema: SeqParam }) seq: number,
    @Body({ schema: AnswerBody }) body: z.output<typeof AnswerBody>,
  ): Promise<MessageResult> {
    return this.reports.answer(caller, { roomId, seq, ...body });
  }
}
