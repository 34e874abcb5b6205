/**
 * What an app's code may and may not say to a typed socket. `npm run types` checks it: each wrong line stands beside the right
 * one and differs from it in one thing, and a wrong line that compiles is an error.
 */
import type { Socket } from 'socket.io-client';
import type {
  ClientToServerEvents,
  ErrorCode,
  Message,
  RequestInput,
  RequestOf,
  ResultOf,
  ServerToClientEvents,
} from '../../src/protocol/index.js';
import type { PlainClient } from '../client.js';

declare const socket: Socket<ServerToClientEvents, ClientToServerEvents>;
declare const client: PlainClient;
declare const roomId: string;

export function requests(): void {
  socket.emit('room:join', { roomId }, (reply) => reply.ok);
  // @ts-expect-error there is no such request
  socket.emit('room:jion', { roomId }, (reply: { ok: boolean }) => reply.ok);
  // @ts-expect-error a field of another name
  socket.emit('room:join', { room: roomId }, (reply) => reply.ok);
  // @ts-expect-error a field too many
  socket.emit('room:join', { roomId, force: true }, (reply) => reply.ok);
  // @ts-expect-error a field of another type
  socket.emit('room:join', { roomId: 7 }, (reply) => reply.ok);
  // @ts-expect-error a field missing
  socket.emit('room:join', {}, (reply) => reply.ok);
  // @ts-expect-error no request at all
  socket.emit('room:join', (reply: { ok: boolean }) => reply.ok);
  // @ts-expect-error no place for the reply
  socket.emit('room:join', { roomId });
  // @ts-expect-error what the server says is not for a client to say
  socket.emit('room:changes', { roomId, after: 0, upTo: 0, changes: [] });
}

export function defaults(): void {
  // What has a default may be left out by who asks, and is there for who answers.
  const asked: RequestInput<'history:get'> = { roomId };
  const answered: RequestOf<'history:get'> = { roomId, limit: 50 };
  // @ts-expect-error the limit is not there
  const without: RequestOf<'history:get'> = { roomId };
  void [asked, answered, without];
}

export async function replies(): Promise<void> {
  socket.emit('message:send', { roomId, clientMsgId: 'a', text: 'Hello' }, (reply) => {
    if (reply.ok) return reply.data.message.seq.toFixed();
    return reply.error.code satisfies ErrorCode;
  });
  socket.emit('message:send', { roomId, clientMsgId: 'a', text: 'Hello' }, (reply) => {
    // @ts-expect-error there is data only in a good reply
    return reply.data.message.seq.toFixed();
  });
  socket.emit('message:send', { roomId, clientMsgId: 'a', text: 'Hello' }, (reply) => {
    // @ts-expect-error there is no such error code
    return !reply.ok && reply.error.code === 'teapot';
  });
  const { message } = await client.ask('message:send', { roomId, clientMsgId: 'a', text: 'Hello' });
  message satisfies Message;
  // @ts-expect-error the result has no such field
  const { id } = await client.ask('message:send', { roomId, clientMsgId: 'a', text: 'Hello' });
  // @ts-expect-error a result of another shape
  const result: ResultOf<'message:send'> = { message };
  void [id, result];
}

export function events(): void {
  socket.on('room:changes', ({ changes }) => changes.map(({ rev }) => rev.toFixed()));
  // @ts-expect-error there is no such event
  socket.on('room:change', () => undefined);
  // @ts-expect-error the frame has no such field
  socket.on('room:changes', ({ messages }) => messages);
  socket.on('room:changes', ({ changes }) => {
    for (const change of changes) if (change.kind === 'member') change.member.user.name.trim();
    // @ts-expect-error only a message's change has a message
    for (const change of changes) if (change.kind === 'member') change.message.text.trim();
    // @ts-expect-error there is no such kind of change
    for (const change of changes) if (change.kind === 'reaction') break;
  });
  socket.on('user:signal', (signal) => signal.kind === 'roomAdded');
  // @ts-expect-error there is no such signal
  socket.on('user:signal', (signal) => signal.kind === 'typing');
}
