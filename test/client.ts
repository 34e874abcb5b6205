import { io, type Socket } from 'socket.io-client';
import type {
  ClientToServerEvents,
  ErrorBody,
  OpenReports,
  PresenceState,
  Reply,
  RequestInput,
  RequestName,
  ResultOf,
  RoomChanges,
  RoomSignal,
  ServerToClientEvents,
  SessionReady,
  UserSignal,
} from '../src/protocol/index.js';
import { testToken } from './instance.js';

type TypedSocket = Socket<ServerToClientEvents, ClientToServerEvents>;

export class Refused extends Error {
  constructor(readonly error: ErrorBody) {
    super(`${error.code}: ${error.message} ${(error.details ?? []).join('; ')}`);
  }
}

/** A plain Socket.IO client that knows nothing of revs: what an app sees that does not use the SDK. */
export class PlainClient {
  readonly frames: RoomChanges[] = [];
  readonly signals: UserSignal[] = [];
  readonly roomSignals: RoomSignal[] = [];
  readonly reports: OpenReports[] = [];
  /** What was told of those who are watched, frame by frame. */
  readonly presence: PresenceState[][] = [];
  /** The server's last word on the connection. */
  readonly closed: Promise<ErrorBody>;
  session!: SessionReady;

  private constructor(readonly socket: TypedSocket) {
    socket.on('room:changes', (frame) => this.frames.push(frame));
    socket.on('user:signal', (signal) => this.signals.push(signal));
    socket.on('room:signal', (signal) => this.roomSignals.push(signal));
    socket.on('presence:changed', ({ states }) => this.presence.push(states));
    socket.on('reports:changed', (reports) => this.reports.push(reports));
    this.closed = new Promise((resolve) => socket.on('session:closed', ({ error }) => resolve(error)));
  }

  /** @throws Refused when the handshake is refused */
  static async connect(
    url: string,
    user: string,
    options: { token?: string; transports?: string[]; background?: boolean } = {},
  ): Promise<PlainClient> {
    const token = options.token ?? (await testToken(user));
    const socket: TypedSocket = io(url, {
      auth: { token, ...(options.background === true && { background: true }) },
      transports: options.transports ?? ['websocket'],
      reconnection: false,
      forceNew: true,
      withCredentials: true,
    });
    const client = new PlainClient(socket);
    client.session = await new Promise<SessionReady>((resolve, reject) => {
      socket.once('session:ready', resolve);
      socket.once('connect_error', (error: Error & { data?: ErrorBody }) =>
        reject(error.data === undefined ? error : new Refused(error.data)),
      );
    });
    return client;
  }

  async ask<E extends RequestName>(event: E, request: RequestInput<E>): Promise<ResultOf<E>> {
    const reply = await this.reply(event, request);
    if (!reply.ok) throw new Refused(reply.error);
    return reply.data as ResultOf<E>;
  }

  /** What the request is refused with. @throws when it is not refused */
  async refusal<E extends RequestName>(event: E, request: RequestInput<E>): Promise<ErrorBody> {
    const reply = await this.reply(event, request);
    if (reply.ok) throw new Error(`${event} was not refused but answered ${JSON.stringify(reply.data)}`);
    return reply.error;
  }

  /** The raw reply, whatever is sent. */
  async reply(event: string, ...args: unknown[]): Promise<Reply<unknown>> {
    const socket = this.socket.timeout(10_000) as unknown as {
      emitWithAck(event: string, ...args: unknown[]): Promise<Reply<unknown>>;
    };
    return socket.emitWithAck(event, ...args);
  }

  /** The frames of a room so far, as one list of changes. @throws when they do not chain, each beginning where the last ended */
  changesOf(roomId: string): RoomChanges['changes'] {
    let place: number | undefined;
    const changes = [];
    for (const frame of this.frames) {
      if (frame.roomId !== roomId) continue;
      if (place !== undefined && frame.after !== place)
        throw new Error(`A frame begins after rev ${frame.after}, the one before ended at ${place}`);
      place = frame.upTo;
      changes.push(...frame.changes);
    }
    return changes;
  }

  /** The texts of the room's messages that were seen live, in the order in which they came. */
  textsOf(roomId: string): string[] {
    return this.changesOf(roomId).flatMap((change) => (change.kind === 'message' ? [change.message.text] : []));
  }

  /** Resolves when the condition holds; it is looked at after every frame. @throws when nothing more comes for so long, in ms */
  async until(condition: () => boolean, patience = 10_000): Promise<void> {
    while (!condition()) {
      const silence = AbortSignal.timeout(patience);
      await new Promise<void>((resolve, reject) => {
        const woken = (): void => {
          this.socket
            .off('room:changes', woken)
            .off('user:signal', woken)
            .off('room:signal', woken)
            .off('reports:changed', woken)
            .off('presence:changed', woken);
          resolve();
        };
        this.socket
          .on('room:changes', woken)
          .on('user:signal', woken)
          .on('room:signal', woken)
          .on('reports:changed', woken)
          .on('presence:changed', woken);
        silence.addEventListener('abort', () => reject(new Error('What was waited for did not come')), { once: true });
      });
    }
  }

  close(): void {
    this.socket.disconnect();
  }
}
