import type { Caller } from '../auth/caller.js';
import type { AnswerHeld, HeldAnswered, HeldPage, ListMembers } from '../protocol/index.js';
import { ChatGateway, On } from '../realtime/chat-gateway.js';
import { HeldService } from './held.service.js';

@ChatGateway()
export class HeldGateway {
  constructor(private readonly held: HeldService) {}

  @On('held:list')
  list(caller: Caller, request: ListMembers): Promise<HeldPage> {
    return this.held.list(caller, request);
  }

  @On('held:answer')
  answer(caller: Caller, request: AnswerHeld): Promise<HeldAnswered> {
    return this.held.answer(caller, request);
  }
}
