import type { Caller } from '../auth/caller.js';
import type { RoomsSynced, RoomSynced, SyncRoom, SyncRooms } from '../protocol/index.js';
import { ChatGateway, On } from '../realtime/chat-gateway.js';
import { SyncService } from './sync.service.js';

@ChatGateway()
export class SyncGateway {
  constructor(private readonly sync: SyncService) {}

  @On('rooms:sync')
  rooms(caller: Caller, request: SyncRooms): Promise<RoomsSynced> {
    return this.sync.rooms(caller, request);
  }

  @On('room:sync')
  room(caller: Caller, request: SyncRoom): Promise<RoomSynced> {
    return this.sync.room(caller, request);
  }
}
