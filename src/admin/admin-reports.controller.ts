import { Body, Controller, Get, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiSecurity, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ReportsService } from '../messages/reports.service.js';
import { AnswerReport, Id, limits, MessageResult, ReportPage } from '../protocol/index.js';
import { Answers } from '../rest/answers.js';
import { queryOf, SeqParam } from '../rest/query.js';
import { TheActor, type Actor } from './actor.js';
import { AdminGuard } from './admin.guard.js';

const ReportsQuery = z.strictObject({
  cursor: Id.optional(),
  limit: z.int().min(1).max(limits.listPage).default(limits.listPageDefault),
});
const AdminReportsQuery = queryOf(ReportsQuery);
const AnswerBody = AnswerReport.omit({ roomId: true, seq: true });

@ApiTags('admin')
@ApiSecurity('admin')
@UseGuards(AdminGuard)
@Controller('admin/v1')
export class AdminReportsController {
  constructor(private readonly reports: ReportsService) {}

  @Get('reports')
  @Answers(200, ReportPage)
  list(@Query({ schema: AdminReportsQuery }) query: z.output<typeof ReportsQuery>): Promise<ReportPage> {
    return this.reports.listAll(query);
  }

  @Post('rooms/:roomId/messages/:seq/report/answer')
  @Answers(200, MessageResult)
  answer(
    @TheActor() actor: Actor,
    @Param('roomId', { schema: Id }) roomId: string,
    @Param('seq', { schema: SeqParam }) seq: number,
    @Body({ schema: AnswerBody }) { action }: z.output<typeof AnswerBody>,
  ): Promise<MessageResult> {
    return this.reports.answerAny(actor, { roomId, seq, action });
  }
}
