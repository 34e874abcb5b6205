import type { Caller } from '../auth/caller.js';
import type { Done, SetTyping } from '../protocol/index.js';
import { ChatGateway, On } from '../realtime/chat-gateway.js';
import { TypingService } from './typing.service.js';

@ChatGateway()
export class TypingGateway {
  constructor(private readonly typing: TypingService) {}

  @On('typing:set')
  set(caller: Caller, request: SetTyping): Promise<Done> {
    return this.typing.set(caller, request);
  }
}
