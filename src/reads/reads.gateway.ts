import type { Caller } from '../auth/caller.js';
import type { MarkRead, ReadState, Receipts, RoomRef } from '../protocol/index.js';
import { ChatGateway, On } from '../realtime/chat-gateway.js';
import { ReadsService } from './reads.service.js';

@ChatGateway()
export class ReadsGateway {
  constructor(private readonly reads: ReadsService) {}

  @On('read:mark')
  mark(caller: Caller, request: MarkRead): Promise<ReadState> {
    return this.reads.mark(caller, request);
  }

  @On('reads:list')
  list(caller: Caller, request: RoomRef): Promise<Receipts> {
    return this.reads.receipts(caller, request);
  }
}
