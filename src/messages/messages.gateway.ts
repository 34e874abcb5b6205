import type { Caller } from '../auth/caller.js';
import type {
  EditMessage,
  GetHistory,
  HistoryPage,
  MessageRef,
  MessageResult,
  Messages,
  MessageVersions,
  MyReactions,
  MyReactionsSpan,
  PinMessage,
  ReactToMessage,
  RoomRef,
  SendMessage,
  SentMessage,
} from '../protocol/index.js';
import { ChatGateway, On } from '../realtime/chat-gateway.js';
import { EditsService } from './edits.service.js';
import { PinsService } from './pins.service.js';
import { ReactionsService } from './reactions.service.js';
import { MessagesService } from './messages.service.js';

@ChatGateway()
export class MessagesGateway {
  constructor(
    private readonly messages: MessagesService,
    private readonly edits: EditsService,
    private readonly reactions: ReactionsService,
    private readonly pins: PinsService,
  ) {}

  @On('message:send')
  send(caller: Caller, request: SendMessage): Promise<SentMessage> {
    return this.messages.send(caller, request);
  }

  @On('message:edit')
  edit(caller: Caller, request: EditMessage): Promise<MessageResult> {
    return this.edits.edit(caller, request);
  }

  @On('message:delete')
  delete(caller: Caller, request: MessageRef): Promise<MessageResult> {
    return this.messages.delete(caller, request);
  }

  @On('message:versions')
  versions(caller: Caller, request: MessageRef): Promise<MessageVersions> {
    return this.edits.versionsOf(caller, request);
  }

  @On('message:react')
  react(caller: Caller, request: ReactToMessage): Promise<MessageResult> {
    return this.reactions.react(caller, request);
  }

  @On('reactions:mine')
  myReactions(caller: Caller, request: MyReactionsSpan): Promise<MyReactions> {
    return this.reactions.mine(caller, request);
  }

  @On('message:pin')
  pin(caller: Caller, request: PinMessage): Promise<MessageResult> {
    return this.pins.pin(caller, request);
  }

  @On('pins:list')
  listPins(caller: Caller, request: RoomRef): Promise<Messages> {
    return this.pins.list(caller, request);
  }

  @On('history:get')
  history(caller: Caller, request: GetHistory): Promise<HistoryPage> {
    return this.messages.history(caller, request);
  }
}
