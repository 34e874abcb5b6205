import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import type {
  ClientToServerEvents,
  ErrorBody,
  Reply,
  RequestName,
  ServerToClientEvents,
  SessionReady,
} from '../../src/protocol/index.js';
import { limits } from '../../src/protocol/index.js';
import { Parley, type ConnectionStatus, type ParleyOptions } from '../../sdk/index.js';
import { me, time } from './samples.js';

type ServerSocket = Socket<ClientToServerEvents, ServerToClientEvents>;
type Answers = (request: unknown, socket: ServerSocket) => Reply<unknown> | 'silence';

export const refusals = {
  unauthenticated: { code: 'unauthenticated', message: 'Who?', retryable: false },
  expired: { code: 'token_expired', message: 'Too late', retryable: false },
  busy: { code: 'overloaded', message: 'Busy', retryable: true, retryAfterMs: 150 },
} as const satisfies Record<string, ErrorBody>;

/** A Socket.IO server that does what a test tells it: the face of Parley without anything behind it. */
export class ScriptedServer {
  /** What the next handshakes are refused with, in turn. */
  readonly refuseNext: ErrorBody[] = [];
  readonly handshakes: { token: unknown; at: number; transport: string }[] = [];
  readonly asked: { event: RequestName; request: unknown; connection: number }[] = [];
  readonly answers = new Map<RequestName, Answers>();
  session: Partial<SessionReady> = {};
  private readonly io: Server<ClientToServerEvents, ServerToClientEvents>;
  private readonly clients: Parley[] = [];

  private constructor(
    readonly http: HttpServer,
    transports: ('websocket' | 'polling')[],
  ) {
    this.io = new Server(http, { transports, serveClient: false });
    this.io.use((socket, next) => {
      const { token } = socket.handshake.auth as { token?: unknown };
      this.handshakes.push({ token, at: performance.now(), transport: socket.conn.transport.name });
      const refusal = this.refuseNext.shift();
      next(refusal && Object.assign(new Error(refusal.code), { data: refusal }));
    });
    this.io.on('connection', (socket) => this.greet(socket));
    this.answer('rooms:sync', () => ({ ok: true, data: { epoch: 'one', rooms: [], gone: [] } }));
  }

  static async start(transports: ('websocket' | 'polling')[] = ['websocket', 'polling']): Promise<ScriptedServer> {
    const http = createServer();
    const server = new ScriptedServer(http, transports);
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  get sockets(): ServerSocket[] {
    return [...this.io.sockets.sockets.values()];
  }

  answer(event: RequestName, answers: Answers): void {
    this.answers.set(event, answers);
  }

  countOf(event: RequestName): number {
    return this.asked.filter((asked) => asked.event === event).length;
  }

  client(options: Partial<ParleyOptions> = {}): Parley {
    const backoff = { baseMs: 20, capMs: 40 };
    const client = new Parley({ url: this.url, token: 'token', transports: ['websocket'], backoff, ...options });
    this.clients.push(client);
    return client;
  }

  /** As a crash of the instance looks to its clients. */
  cutAll(): void {
    for (const { conn } of this.sockets) conn.close();
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.close();
    this.http.closeAllConnections();
    await this.io.close();
  }

  private greet(socket: ServerSocket): void {
    const connection = this.handshakes.length;
    socket.onAny((event: RequestName, request: unknown, reply?: (reply: Reply<unknown>) => void) => {
      this.asked.push({ event, request, connection });
      const answer = this.answers.get(event)?.(request, socket) ?? 'silence';
      if (answer !== 'silence') reply?.(answer);
    });
    socket.emit('session:ready', {
      sessionId: socket.id,
      userId: me.id,
      epoch: 'one',
      serverTime: time,
      tokenExpiresAt: time,
      limits,
      ...this.session,
    });
  }
}

/** Resolves when the client has (or gets) the status. */
export function status(client: Parley, wanted: ConnectionStatus): Promise<void> {
  if (client.status === wanted) return Promise.resolve();
  return new Promise((resolve) => {
    const off = client.on('status', (now) => {
      if (now !== wanted) return;
      off();
      resolve();
    });
  });
}

/** The statuses that the client goes through from now on. */
export function statuses(client: Parley): ConnectionStatus[] {
  const seen: ConnectionStatus[] = [];
  client.on('status', (now) => seen.push(now));
  return seen;
}
