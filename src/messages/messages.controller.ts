import { Body, Controller, Delete, Get, Param, Patch, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { Caller } from '../auth/caller.js';
import { RestCaller, SignedInGuard } from '../auth/signed-in.guard.js';
import {
  EditMessage,
  HistoryPage,
  HistorySpan,
  Id,
  MessageResult,
  Messages,
  MessageVersions,
  MyReactions,
  MyReactionsWindow,
  PinMessage,
  ReactToMessage,
  SendMessage,
  SentMessage,
  Seq,
} from '../protocol/index.js';
import { Answers } from '../rest/answers.js';
import { queryOf, SeqParam } from '../rest/query.js';
import { EditsService } from './edits.service.js';
import { PinsService } from './pins.service.js';
import { ReactionsService } from './reactions.service.js';
import { MessagesService } from './messages.service.js';

const HistoryQuery = queryOf(HistorySpan);
const SendBody = SendMessage.omit({ roomId: true });
const ReactBody = ReactToMessage.omit({ roomId: true, seq: true });
const PinBody = PinMessage.omit({ roomId: true, seq: true });
const MyReactionsQuery = queryOf(MyReactionsWindow);
const EditBody = EditMessage.omit({ roomId: true, seq: true });

@ApiTags('messages')
@ApiBearerAuth()
@UseGuards(SignedInGuard)
@Controller('v1/rooms/:roomId')
export class MessagesController {
  constructor(
    private readonly messages: MessagesService,
    private readonly edits: EditsService,
    private readonly reactions: ReactionsService,
    private readonly pins: PinsService,
  ) {}

  @Get('messages')
  @Answers(200, HistoryPage)
  history(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Query({ schema: HistoryQuery }) span: HistorySpan,
  ): Promise<HistoryPage> {
    return this.messages.history(caller, { roomId, ...span });
  }

  @Post('messages')
  @Answers(200, SentMessage)
  send(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Body({ schema: SendBody }) body: z.output<typeof SendBody>,
  ): Promise<SentMessage> {
    return this.messages.send(caller, { roomId, ...body });
  }

  @Patch('messages/:seq')
  @Answers(200, MessageResult)
  edit(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Param('seq', { schema: SeqParam }) seq: z.output<typeof Seq>,
    @Body({ schema: EditBody }) body: z.output<typeof EditBody>,
  ): Promise<MessageResult> {
    return this.edits.edit(caller, { roomId, seq, ...body });
  }

  @Get('messages/:seq/versions')
  @Answers(200, MessageVersions)
  versions(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Param('seq', { schema: SeqParam }) seq: z.output<typeof Seq>,
  ): Promise<MessageVersions> {
    return this.edits.versionsOf(caller, { roomId, seq });
  }

  @Post('messages/:seq/reactions')
  @Answers(200, MessageResult)
  react(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Param('seq', { schema: SeqParam }) seq: z.output<typeof Seq>,
    @Body({ schema: ReactBody }) body: z.output<typeof ReactBody>,
  ): Promise<MessageResult> {
    return this.reactions.react(caller, { roomId, seq, ...body });
  }

  @Get('reactions')
  @Answers(200, MyReactions)
  myReactions(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Query({ schema: MyReactionsQuery }) span: z.output<typeof MyReactionsQuery>,
  ): Promise<MyReactions> {
    return this.reactions.mine(caller, { roomId, ...span });
  }

  @Post('messages/:seq/pin')
  @Answers(200, MessageResult)
  pin(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Param('seq', { schema: SeqParam }) seq: z.output<typeof Seq>,
    @Body({ schema: PinBody }) { on }: z.output<typeof PinBody>,
  ): Promise<MessageResult> {
    return this.pins.pin(caller, { roomId, seq, on });
  }

  @Get('pins')
  @Answers(200, Messages)
  listPins(@RestCaller() caller: Caller, @Param('roomId', { schema: Id }) roomId: string): Promise<Messages> {
    return this.pins.list(caller, { roomId });
  }

  @Delete('messages/:seq')
  @Answers(200, MessageResult)
  delete(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Param('seq', { schema: SeqParam }) seq: z.output<typeof Seq>,
  ): Promise<MessageResult> {
    return this.messages.delete(caller, { roomId, seq });
  }
}
