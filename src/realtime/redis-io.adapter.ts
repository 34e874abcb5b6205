import type { INestApplication } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import pLimit from 'p-limit';
import { firstValueFrom, type Observable } from 'rxjs';
import type { ServerOptions } from 'socket.io';
import { ChatError } from '../chat-error.js';
import type { Config } from '../config.js';
import { Admission } from '../database/admission.js';
import { errorBodyOf } from '../error-body.js';
import { limits, requests, type Reply } from '../protocol/index.js';
import { busAdapter } from './bus-adapter.js';
import type { ChatServer, ChatSocket } from './chat-socket.js';
import { ConnectionGuard, type EngineConnection, type SocketIoClient } from './connection-guard.js';
import { Drain } from './drain.js';
import { Handshake } from './handshake.js';
import { Isolation } from './isolation.js';
import { originCheck } from './origins.js';
import { RedisBus } from './redis-bus.js';
import { RoomBroadcaster } from './room-broadcaster.js';
import { TokenBucket } from './token-bucket.js';

/** Longer than a request is on its way, in ms. */
const HOLD = 500;
/**
 * Of one socket's requests so many are worked on at a time, the others wait in its own line: together they would take every
 * connection to Postgres, and everybody else would wait. Sends go their own way, many in one commit.
 */
const AT_ONCE = 4;

interface BoundHandler {
  message: string;
  callback: (data: unknown) => unknown;
}

type Transform = (result: unknown) => Observable<unknown>;
type AnswerRequest = (reply: Reply<unknown>) => void;

/**
 * Nest's WebSocket adapter, on the Socket.IO Redis adapter. Holds every server option, lets in who passes the handshake,
 * and answers each request exactly once.
 */
export class RedisIoAdapter extends IoAdapter {
  private readonly admission: Admission;
  private readonly guard: ConnectionGuard;

  constructor(
    private readonly app: INestApplication,
    private readonly config: Config,
  ) {
    super(app);
    this.admission = app.get(Admission);
    this.guard = app.get(ConnectionGuard);
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
    if (this.config.redis !== undefined) options.adapter = busAdapter(bus, this.config.redis);
    const server = super.createIOServer(port, options as ServerOptions) as ChatServer;
    this.app.get(RoomBroadcaster).attach(server);
    this.app.get(Handshake).attach(server);
    this.app.get(Drain).attach(server);
    this.app.get(Isolation).attach(server);
    server.engine.on('connection', (connection: EngineConnection) => {
      this.guard.watch(connection);
    });
    server.on('connection', (socket) => {
      this.guard.shedSignals(socket.client as unknown as SocketIoClient);
      this.answerUnknown(socket);
    });
    return server;
  }

  override bindMessageHandlers(socket: ChatSocket, handlers: BoundHandler[], transform: Transform): void {
    for (const { message, callback } of handlers) {
      socket.on(
        message as never,
        ((...args: unknown[]) => {
          const answer = takeAnswer(args);
          const handle = () => firstValueFrom(transform(callback(args[0]))) as Promise<Reply<unknown>>;
          void this.replyTo(socket, message, args, handle).then(answer);
        }) as never,
      );
    }
  }

  private async replyTo(
    socket: ChatSocket,
    message: string,
    args: unknown[],
    handle: () => Promise<Reply<unknown>>,
  ): Promise<Reply<unknown>> {
    const { data } = socket;
    try {
      this.mustBeWithinRates(socket);
      if (args.length > 1) throw new ChatError('invalid_argument', 'Send one object');
    } catch (error) {
      this.guard.noteRefusal(connectionOf(socket));
      return refuse(error);
    }
    data.inFlight += 1;
    try {
      if (message === 'message:send') return await handle();
      data.line ??= pLimit(AT_ONCE);
      return await data.line(() => {
        // Nobody waits for it any more, and a flood would be worked on long after its connection was cut.
        if (!socket.connected) throw new ChatError('unavailable', 'The connection has ended');
        return handle();
      });
    } catch (error) {
      return refuse(error);
    } finally {
      data.inFlight -= 1;
    }
  }

  /**
   * Once a socket is refused, it is for `HOLD` ms, whatever it asks: what it had on its way when it was refused must not
   * overtake what it will send again.
   * @throws ChatError `rate_limited`, `overloaded`
   */
  private mustBeWithinRates(socket: ChatSocket): void {
    const { data } = socket;
    const now = performance.now();
    data.rate ??= new TokenBucket(this.config.limits.requestsPerSecond, this.config.limits.requestsPerSecond * 2);
    if (now >= data.heldUntil && data.inFlight < limits.requestsInFlight && data.rate.take(1)) {
      this.admission.check();
      return;
    }
    if (now >= data.heldUntil) data.heldUntil = now + HOLD;
    throw new ChatError('rate_limited', 'Too many requests', { retryAfterMs: Math.ceil(data.heldUntil - now) });
  }

  private answerUnknown(socket: ChatSocket): void {
    socket.onAny((event: string, ...args: unknown[]) => {
      if (!socket.connected || Object.hasOwn(requests, event)) return;
      this.guard.noteRefusal(connectionOf(socket));
      takeAnswer(args)(refuse(new ChatError('unknown_event', 'There is no such request')));
    });
  }
}

/** Takes the acknowledgement callback off the arguments; one who did not ask for a reply gets none. */
function takeAnswer(args: unknown[]): AnswerRequest {
  const last = args.at(-1);
  if (typeof last !== 'function') return () => undefined;
  args.pop();
  return last as AnswerRequest;
}

function connectionOf(socket: ChatSocket): EngineConnection {
  return socket.conn;
}

function refuse(error: unknown): Reply<never> {
  return { ok: false, error: errorBodyOf(error) };
}
