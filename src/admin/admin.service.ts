import { Injectable } from '@nestjs/common';
import type { MessageRef, MessageResult, RoomSummary } from '../protocol/index.js';
import { MessagesService } from '../messages/messages.service.js';
import { RoomsService } from '../rooms/rooms.service.js';
import type { AdminMessagePage, AdminMessagesQuery, AdminRoomPage, AdminRoomsQuery } from './admin.schemas.js';

/** What admins may read and govern: every room, whoever is in it. */
@Injectable()
export class AdminService {
  constructor(
    private readonly rooms: RoomsService,
    private readonly messages: MessagesService,
  ) {}

  listRooms(query: AdminRoomsQuery): Promise<AdminRoomPage> {
    return this.rooms.listAll(query);
  }

  /** @throws ChatError `not_found` */
  getRoom(roomId: string): Promise<RoomSummary> {
    return this.rooms.getAny(roomId);
  }

  /** @throws ChatError `not_found` */
  async listMessages(roomId: string, query: AdminMessagesQuery): Promise<AdminMessagePage> {
    await this.rooms.getAny(roomId);
    return this.messages.listAny(roomId, query);
  }

  /** @throws ChatError `not_found` */
  deleteMessage(ref: MessageRef): Promise<MessageResult> {
    return this.messages.deleteAny(ref);
  }
}
