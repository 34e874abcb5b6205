import type { Caller } from '../auth/caller.js';
import type { AnswerReport, Done, ListMembers, MessageResult, ReportMessage, ReportPage } from '../protocol/index.js';
import { ChatGateway, On } from '../realtime/chat-gateway.js';
import { ReportsService } from './reports.service.js';

@ChatGateway()
export class ReportsGateway {
  constructor(private readonly reports: ReportsService) {}

  @On('message:report')
  report(caller: Caller, request: ReportMessage): Promise<Done> {
    return this.reports.report(caller, request);
  }

  @On('reports:list')
  list(caller: Caller, request: ListMembers): Promise<ReportPage> {
    return this.reports.list(caller, request);
  }

  @On('report:answer')
  answer(caller: Caller, request: AnswerReport): Promise<MessageResult> {
    return this.reports.answer(caller, request);
  }
}
