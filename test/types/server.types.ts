/** What a gateway and a controller may and may not answer; checked as `client.types.ts` is. */
import type { Caller } from '../../src/auth/caller.js';
import {
  MessageResult,
  SentMessage,
  type GetHistory,
  type Message,
  type RequestName,
  type SendMessage,
} from '../../src/protocol/index.js';
import { ChatGateway, On } from '../../src/realtime/chat-gateway.js';
import type { ChatServer } from '../../src/realtime/chat-socket.js';
import { Answers } from '../../src/rest/answers.js';

declare const message: Message;
declare const server: ChatServer;

@ChatGateway()
export class Handlers {
  @On('message:send')
  right(_caller: Caller, _request: SendMessage): Promise<SentMessage> {
    return Promise.resolve({ message, duplicate: false });
  }

  // @ts-expect-error there is no such request
  @On('message:sent')
  name(_caller: Caller, _request: SendMessage): Promise<SentMessage> {
    return Promise.resolve({ message, duplicate: false });
  }

  // @ts-expect-error the request of another event
  @On('message:send')
  request(_caller: Caller, _request: GetHistory): Promise<SentMessage> {
    return Promise.resolve({ message, duplicate: false });
  }

  // @ts-expect-error a request with a field that is not in it
  @On('message:send')
  field(_caller: Caller, _request: SendMessage & { urgent: boolean }): Promise<SentMessage> {
    return Promise.resolve({ message, duplicate: false });
  }

  // @ts-expect-error a result of another shape
  @On('message:send')
  result(_caller: Caller, _request: SendMessage): Promise<MessageResult> {
    return Promise.resolve({ message });
  }

  // @ts-expect-error a result without a promise
  @On('message:send')
  sync(_caller: Caller, _request: SendMessage): SentMessage {
    return { message, duplicate: false };
  }

  // @ts-expect-error who asks comes first
  @On('message:send')
  order(_request: SendMessage, _caller: Caller): Promise<SentMessage> {
    return Promise.resolve({ message, duplicate: false });
  }
}

export class Routes {
  @Answers(200, SentMessage)
  right(): Promise<SentMessage> {
    return Promise.resolve({ message, duplicate: false });
  }

  // @ts-expect-error an answer of another shape
  @Answers(200, SentMessage)
  shape(): Promise<MessageResult> {
    return Promise.resolve({ message });
  }

  // @ts-expect-error an answer without a promise
  @Answers(200, MessageResult)
  sync(): MessageResult {
    return { message };
  }
}

export function emits(): void {
  const { roomId, rev } = message;
  const frame = { roomId, after: 0, upTo: rev };
  server.emit('room:changes', { ...frame, changes: [{ rev, kind: 'message', message }] });
  // @ts-expect-error there is no such event
  server.emit('room:change', { ...frame, changes: [{ rev, kind: 'message', message }] });
  // @ts-expect-error a frame without its end
  server.emit('room:changes', { roomId, after: 0, changes: [{ rev, kind: 'message', message }] });
  // @ts-expect-error a change of another kind than it says
  server.emit('room:changes', { ...frame, changes: [{ rev, kind: 'room', message }] });
}

export const names: RequestName[] = ['rooms:sync', 'message:send'];
// @ts-expect-error there is no such request
export const others: RequestName[] = ['rooms:sync', 'message:sent'];
