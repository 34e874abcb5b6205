import type { INestApplication } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { createAdapter } from '@socket.io/redis-adapter';
import { ChatError } from '../chat-error.js';
import type { Config } from '../config.js';
import { errorBodyOf } from '../error-body.js';
import { limits, requests, type Reply } from '../protocol/index.js';
import { firstValueFrom, type Observable } from 'rxjs';
import type { ServerOptions } from 'socket.io';
import type { ChatServer, ChatSocket } from './chat-socket.js';
import { Handshake } from './handshake.js';
import { originCheck } from './origins.js';
import { RedisBus } from './redis-bus.js';
import { RoomBroadcaster } from './room-broadcaster.js';

interface BoundHandler {
  message: string;
  callback: (data: unknown) => unknown;
}

type Transform = (result: unknown) => Observable<unknown>;

/**
 * Nest's WebSocket adapter, on the Socket.IO Redis adapter. Holds every server option, lets in who passes the handshake,
 * and answers each request exactly once.
 */
export class RedisIoAdapter extends IoAdapter {
  constructor(
    private readonly app: INestApplication,
    private readonly config: Config,
  ) {
    super(app);
  }

  override createIOServer(port: number): ChatServer {
    const bus = this.app.get(RedisBus);
    const options: Partial<ServerOptions> = {
      transports: ['websocket', 'polling'],
      maxHttpBufferSize: limits.payloadBytes,
      connectTimeout: 10_000,
      serveClient: false,
      perMessageDeflate: false,
      cleanupEmptyChildNamespaces: true,
      ...originCheck(this.config),
    };
    if (this.config.redis !== undefined) {
      options.adapter = createAdapter(bus.publisher, bus.subscriber, {
        key: this.config.redis.prefix,
      }) as ServerOptions['adapter'];
    }
    const server = super.createIOServer(port, options as ServerOptions) as ChatServer;
    this.app.get(RoomBroadcaster).attach(server);
    this.app.get(Handshake).attach(server);
    server.on('connection', (socket) => answerUnknown(socket));
    return server;
  }

  override bindMessageHandlers(socket: ChatSocket, handlers: BoundHandler[], transform: Transform): void {
    for (const { message, callback } of handlers) {
      socket.on(
        message as never,
        ((...args: unknown[]) => {
          const reply = takeReply(args);
          void this.answer(socket, args, callback, transform).then(reply);
        }) as never,
      );
    }
  }

  private async answer(
    socket: ChatSocket,
    args: unknown[],
    callback: BoundHandler['callback'],
    transform: Transform,
  ): Promise<Reply<unknown>> {
    const { data } = socket;
    if (data.inFlight >= limits.requestsInFlight) {
      return refuse(new ChatError('rate_limited', 'Too many requests wait for their reply', { retryAfterMs: 200 }));
    }
    if (args.length > 1) return refuse(new ChatError('invalid_argument', 'Send one object'));
    data.inFlight += 1;
    try {
      return (await firstValueFrom(transform(callback(args[0])))) as Reply<unknown>;
    } catch (error) {
      return refuse(error);
    } finally {
      data.inFlight -= 1;
    }
  }
}

/** Takes the acknowledgement callback off the arguments; one who did not ask for a reply gets none. */
function takeReply(args: unknown[]): (reply: Reply<unknown>) => void {
  const last = args.at(-1);
  if (typeof last !== 'function') return () => undefined;
  args.pop();
  return (reply) => void (last as (reply: Reply<unknown>) => void)(reply);
}

function refuse(error: unknown): Reply<never> {
  return { ok: false, error: errorBodyOf(error) };
}

function answerUnknown(socket: ChatSocket): void {
  socket.onAny((event: string, ...args: unknown[]) => {
    if (Object.hasOwn(requests, event)) return;
    takeReply(args)(refuse(new ChatError('unknown_event', 'There is no such request')));
  });
}
