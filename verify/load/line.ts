import { io, type Socket } from 'socket.io-client';
import type {
  ClientToServerEvents,
  ErrorBody,
  Reply,
  RequestInput,
  RequestName,
  ResultOf,
  RoomChanges,
  ServerToClientEvents,
  SessionReady,
} from '../../src/protocol/index.js';
import type { OkRecord, RequestRecord } from '../history.js';
import type { Recorder } from '../recorder.js';

/** What became of a request; `unknown` is neither done nor refused. */
export type Outcome<T> =
  { kind: 'ok'; data: T; request: number } | { kind: 'refused'; error: ErrorBody } | { kind: 'unknown' };

export type Noted = Pick<RequestRecord, 'send' | 'membership' | 'sync' | 'change'>;

export interface LineOptions {
  url: string;
  /** The name of the instance at that URL. */
  instance: string;
  token: string;
  client: string;
  user: string;
  recorder: Recorder;
  /** How long a reply is waited for, in ms. */
  patienceMs: number;
}

export interface LineEvents {
  ready: (session: SessionReady) => void;
  /** A live frame; never before `ready`. */
  frame: (frame: RoomChanges) => void;
  /** The server asks the client to come back after so many ms. */
  away: (afterMs: number, spreadMs: number) => void;
  /** The end of it, once, whether it was ever ready or not; with when to come back, where the server refused and said so. */
  lost: (reason: string, retryAfterMs?: number) => void;
}

/** The packet type ACK of the Socket.IO protocol. */
const acknowledgement = 3;

/** One connection of one client: records what is asked, answered and delivered on it. */
export class Line {
  private readonly socket: Socket<ServerToClientEvents, ClientToServerEvents>;
  private readonly waiting = new Set<() => void>();
  private readonly early: RoomChanges[] = [];
  private connection = -1;
  private isOver = false;
  private isDeaf = false;

  constructor(
    private readonly options: LineOptions,
    private readonly events: LineEvents,
  ) {
    this.socket = io(options.url, {
      auth: { token: options.token },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      timeout: 3_000,
    });
    this.socket.on('session:ready', (session) => this.begin(session));
    this.socket.on('room:changes', (frame) => {
      if (this.connection < 0) this.early.push(frame);
      else this.deliver(frame);
    });
    this.socket.on('session:reconnect', ({ afterMs, spreadMs }) => events.away(afterMs, spreadMs));
    this.socket.on('connect_error', (error: Error & { data?: Partial<ErrorBody> }) =>
      this.end(error.message, error.data?.retryAfterMs),
    );
    this.socket.on('disconnect', (reason) => this.end(reason));
    this.watchReplies();
  }

  get usable(): boolean {
    return !this.isOver && this.connection >= 0;
  }

  get instance(): string {
    return this.options.instance;
  }

  /** For clients that misbehave on purpose. */
  get raw(): Socket {
    return this.socket;
  }

  write(record: { type: 'live' } | { type: 'gone'; room: string }): void {
    const { recorder, client } = this.options;
    recorder.write({ ...record, client, connection: this.connection });
  }

  noteSync(request: number, room: string, synced: ResultOf<'room:sync'>): void {
    const { recorder, client } = this.options;
    const common = { type: 'sync' as const, client, connection: this.connection, request, room, upTo: synced.upTo };
    if (synced.reset) {
      const changes = synced.messages.map((message) => recorder.seenMessage(message));
      recorder.write({ ...common, reset: true, after: 0, more: false, changes });
    } else {
      const { after, more } = synced;
      recorder.write({
        ...common,
        reset: false,
        after,
        more,
        changes: synced.changes.map((change) => recorder.seen(change)),
      });
    }
  }

  /** Asks once. The reply is waited for while the connection lasts, at most `patienceMs`. */
  request<E extends RequestName>(event: E, input: RequestInput<E>, noted: Noted = {}): Promise<Outcome<ResultOf<E>>> {
    const { recorder, client, user, patienceMs } = this.options;
    if (!this.usable) return Promise.resolve({ kind: 'unknown' });
    const request = recorder.nextRequest();
    recorder.write({ type: 'request', request, client, user, connection: this.connection, event, ...noted });
    return new Promise((resolve) => {
      const giveUp = (reason: 'timeout' | 'disconnected') => {
        clearTimeout(timer);
        this.waiting.delete(onLoss);
        recorder.write({ type: 'info', request, reason });
        resolve({ kind: 'unknown' });
      };
      const onLoss = () => giveUp('disconnected');
      const timer = setTimeout(() => giveUp('timeout'), patienceMs);
      this.waiting.add(onLoss);
      this.raw.emit(event, input, (reply: Reply<ResultOf<E>>) => {
        clearTimeout(timer);
        this.waiting.delete(onLoss);
        if (reply.ok) {
          recorder.write({ type: 'ok', request, ...this.noteOf(event, reply.data) });
          resolve({ kind: 'ok', data: reply.data, request });
        } else {
          const { code, retryable } = reply.error;
          recorder.write({ type: 'fail', request, code, retryable });
          resolve({ kind: 'refused', error: reply.error });
        }
      });
    });
  }

  /** Closes it, and says so at once: what comes later on it is not looked at. */
  end(reason: string, retryAfterMs?: number): void {
    if (this.isOver) return;
    this.isOver = true;
    const { recorder, client } = this.options;
    for (const loss of [...this.waiting]) loss();
    if (this.connection >= 0) recorder.write({ type: 'disconnected', client, connection: this.connection, reason });
    this.socket.removeAllListeners();
    this.socket.disconnect();
    this.events.lost(reason, retryAfterMs);
  }

  /** Resets the connection beneath, as a network does that is gone: the server is told nothing of why. */
  drop(): void {
    const { engine } = this.socket.io as unknown as {
      engine?: { transport?: { ws?: { _socket?: { resetAndDestroy(): void } } } };
    };
    engine?.transport?.ws?._socket?.resetAndDestroy();
    this.end('dropped');
  }

  /** Takes nothing more from the network, and does not say so. What it gets at its end, it did not read. */
  deafen(): void {
    this.isDeaf = true;
    const { engine } = this.socket.io as unknown as { engine?: { transport?: { ws?: { pause(): void } } } };
    engine?.transport?.ws?.pause();
  }

  private begin(session: SessionReady): void {
    if (this.connection >= 0) return;
    const { recorder, client, user, instance } = this.options;
    this.connection = recorder.nextConnection();
    recorder.call(session.userId, user);
    recorder.write({ type: 'connected', client, user, connection: this.connection, instance, epoch: session.epoch });
    this.events.ready(session);
    for (const frame of this.early.splice(0)) this.deliver(frame);
  }

  private deliver(frame: RoomChanges): void {
    if (this.isOver || this.isDeaf) return;
    const { recorder, client } = this.options;
    const { roomId, after, upTo, changes } = frame;
    recorder.write({
      type: 'deliver',
      client,
      connection: this.connection,
      room: recorder.nameOf(roomId),
      after,
      upTo,
      changes: changes.map((change) => recorder.seen(change)),
    });
    this.events.frame(frame);
  }

  private noteOf<E extends RequestName>(event: E, data: ResultOf<E>): Pick<OkRecord, 'stored' | 'member' | 'changed'> {
    const { recorder } = this.options;
    if (event === 'message:send') {
      const { message, duplicate } = data as ResultOf<'message:send'>;
      const [, rev, seq, sender, cmid, hash] = recorder.seenMessage(message);
      return { stored: { room: recorder.nameOf(message.roomId), rev, seq, sender, cmid, hash, duplicate } };
    }
    if (event === 'message:edit' || event === 'message:react' || event === 'message:delete') {
      const { message } = data as ResultOf<'message:edit'>;
      return { changed: { room: recorder.nameOf(message.roomId), message: recorder.seenMessage(message) } };
    }
    if ('member' in data && data.member !== null) {
      const { roomId, rev, user, leftAt } = data.member;
      return { member: { room: recorder.nameOf(roomId), rev, user: recorder.nameOf(user.id), left: leftAt !== null } };
    }
    return {};
  }

  /** The client library drops a second reply without a word, so replies are counted where they come in. */
  private watchReplies(): void {
    const { recorder, client } = this.options;
    const answered = new Set<number>();
    this.raw.io.on('packet', ({ type, id }) => {
      if ((type as number) !== acknowledgement || id === undefined || this.isOver) return;
      if (answered.has(id))
        recorder.write({ type: 'stray', client, connection: this.connection, detail: `reply ${id} came again` });
      answered.add(id);
    });
  }
}
