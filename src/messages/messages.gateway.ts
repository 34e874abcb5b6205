import type { Caller } from '../auth/caller.js';
import type {
  GetHistory,
  HistoryPage,
  MessageRef,
  MessageResult,
  SendMessage,
  SentMessage,
} from '../protocol/index.js';
import { ChatGateway, On } from '../realtime/chat-gateway.js';
import { MessagesService } from './messages.service.js';

@ChatGateway()
export class MessagesGateway {
  constructor(private readonly messages: MessagesService) {}

  @On('message:send')
  send(caller: Caller, request: SendMessage): Promise<SentMessage> {
    return this.messages.send(caller, request);
  }

  @On('message:delete')
  delete(caller: Caller, request: MessageRef): Promise<MessageResult> {
    return this.messages.delete(caller, request);
  }

  @On('history:get')
  history(caller: Caller, request: GetHistory): Promise<HistoryPage> {
    return this.messages.history(caller, request);
  }
}
