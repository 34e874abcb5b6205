import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { record, type By } from '../audit/audit-log.js';
import type { MessageRef, MessageResult, RoomSummary, SentMessage, SystemMessage } from '../protocol/index.js';
import { MessagesService } from '../messages/messages.service.js';
import { SystemMessagesService } from '../messages/system-messages.service.js';
import { RoomsService } from '../rooms/rooms.service.js';
import type { AdminMessagePage, AdminMessagesQuery, AdminRoomPage, AdminRoomsQuery } from './admin.schemas.js';

/** What admins may read and govern: every room, whoever is in it. */
@Injectable()
export class AdminService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly rooms: RoomsService,
    private readonly messages: MessagesService,
    private readonly system: SystemMessagesService,
  ) {}

  listRooms(query: AdminRoomsQuery): Promise<AdminRoomPage> {
    return this.rooms.listAll(query);
  }

  /** @throws ChatError `not_found` */
  getRoom(roomId: string): Promise<RoomSummary> {
    return this.rooms.getAny(roomId);
  }

  /** @throws ChatError `not_found` */
  async listMessages(by: By, roomId: string, query: AdminMessagesQuery): Promise<AdminMessagePage> {
    await this.rooms.getAny(roomId);
    await record(this.dataSource.manager, { by, action: 'room.read', roomId });
    return this.messages.listAny(roomId, query);
  }

  /** @throws ChatError `not_found`, `room_archived`, `idempotency_mismatch` */
  post(by: By, roomId: string, message: SystemMessage): Promise<SentMessage> {
    return this.system.post(by, roomId, message);
  }

  /** @throws ChatError `not_found` */
  deleteMessage(by: By, ref: MessageRef): Promise<MessageResult> {
    return this.messages.deleteAny(by, ref);
  }
}
