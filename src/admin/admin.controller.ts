import { Body, Controller, Delete, Get, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiSecurity, ApiTags } from '@nestjs/swagger';
import { Id, MessageResult, RoomSummary, SentMessage, SystemMessage } from '../protocol/index.js';
import { Answers } from '../rest/answers.js';
import { SeqParam } from '../rest/query.js';
import { TheActor, type Actor } from './actor.js';
import { AdminGuard } from './admin.guard.js';
import { AdminMessagePage, AdminMessagesQuery, AdminRoomPage, AdminRoomsQuery } from './admin.schemas.js';
import { AdminService } from './admin.service.js';

@ApiTags('admin')
@ApiSecurity('admin')
@UseGuards(AdminGuard)
@Controller('admin/v1/rooms')
export class AdminController {
  constructor(private readonly admin: AdminService) {}

  @Get()
  @Answers(200, AdminRoomPage)
  listRooms(@Query({ schema: AdminRoomsQuery }) query: AdminRoomsQuery): Promise<AdminRoomPage> {
    return this.admin.listRooms(query);
  }

  @Get(':roomId')
  @Answers(200, RoomSummary)
  getRoom(@Param('roomId', { schema: Id }) roomId: string): Promise<RoomSummary> {
    return this.admin.getRoom(roomId);
  }

  @Get(':roomId/messages')
  @Answers(200, AdminMessagePage)
  listMessages(
    @TheActor() actor: Actor,
    @Param('roomId', { schema: Id }) roomId: string,
    @Query({ schema: AdminMessagesQuery }) query: AdminMessagesQuery,
  ): Promise<AdminMessagePage> {
    return this.admin.listMessages(actor, roomId, query);
  }

  @Post(':roomId/messages')
  @Answers(200, SentMessage)
  post(
    @TheActor() actor: Actor,
    @Param('roomId', { schema: Id }) roomId: string,
    @Body({ schema: SystemMessage }) message: SystemMessage,
  ): Promise<SentMessage> {
    return this.admin.post(actor, roomId, message);
  }

  @Delete(':roomId/messages/:seq')
  @Answers(200, MessageResult)
  deleteMessage(
    @TheActor() actor: Actor,
    @Param('roomId', { schema: Id }) roomId: string,
    @Param('seq', { schema: SeqParam }) seq: number,
  ): Promise<MessageResult> {
    return this.admin.deleteMessage(actor, { roomId, seq });
  }
}
