import { Body, Controller, Delete, Get, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { Caller } from '../auth/caller.js';
import { RestCaller, SignedInGuard } from '../auth/signed-in.guard.js';
import { HistoryPage, HistorySpan, Id, MessageResult, SendMessage, SentMessage, Seq } from '../protocol/index.js';
import { Answers } from '../rest/answers.js';
import { queryOf, SeqParam } from '../rest/query.js';
import { MessagesService } from './messages.service.js';

const HistoryQuery = queryOf(HistorySpan);
const SendBody = SendMessage.omit({ roomId: true });

@ApiTags('messages')
@ApiBearerAuth()
@UseGuards(SignedInGuard)
@Controller('v1/rooms/:roomId/messages')
export class MessagesController {
  constructor(private readonly messages: MessagesService) {}

  @Get()
  @Answers(200, HistoryPage)
  history(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Query({ schema: HistoryQuery }) span: HistorySpan,
  ): Promise<HistoryPage> {
    return this.messages.history(caller, { roomId, ...span });
  }

  @Post()
  @Answers(200, SentMessage)
  send(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Body({ schema: SendBody }) body: z.output<typeof SendBody>,
  ): Promise<SentMessage> {
    return this.messages.send(caller, { roomId, ...body });
  }

  @Delete(':seq')
  @Answers(200, MessageResult)
  delete(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Param('seq', { schema: SeqParam }) seq: z.output<typeof Seq>,
  ): Promise<MessageResult> {
    return this.messages.delete(caller, { roomId, seq });
  }
}
