import { io, type Socket } from 'socket.io-client';
import type {
  ClientToServerEvents,
  ErrorBody,
  Reply,
  RequestInput,
  RequestName,
  ResultOf,
  OpenReports,
  PresenceState,
  RoomChanges,
  RoomSignal,
  ServerToClientEvents,
  SessionReady,
  UserSignal,
} from '../../src/protocol/index.js';
import type { Transport } from '../options.js';
import { isErrorBody } from '../parley-error.js';

/** A reply, or why there is none: the time is up, or the connection is gone. Both leave open whether it was done. */
export type Answer<T> = Reply<T> | 'timeout' | 'gone';

/** Why a connection ended, in the server's words where it had any. */
export type Loss = { kind: 'refused'; error: ErrorBody } | { kind: 'unready' } | { kind: 'broken' };

export interface LinkListener {
  ready(session: SessionReady): void;
  changes(frame: RoomChanges): void;
  signal(signal: UserSignal): void;
  roomSignal(signal: RoomSignal): void;
  presence(states: PresenceState[]): void;
  reports(reports: OpenReports): void;
  /** Called once, and nothing after it. */
  lost(loss: Loss): void;
  /** The token ends in `inMs` ms, and the connection with it, unless there is another one. */
  expiring(notice: { inMs: number }): void;
  /** The server goes away: it asks for a new connection after `afterMs` and a random part of `spreadMs`. */
  sentAway(notice: { afterMs: number; spreadMs: number }): void;
}

export interface LinkSettings {
  url: string;
  token: string;
  background: boolean;
  transports: Transport[];
  requestTimeoutMs: number;
}

type Emit = (event: RequestName, request: unknown, reply: (reply: Reply<unknown>) => void) => void;
type Ask = { event: RequestName; input: unknown; done: (answer: Answer<unknown>) => void; timer?: Timer };
type Timer = ReturnType<typeof setTimeout>;

/**
 * One connection, from its handshake to its end; it never comes back, another one takes its place. Nothing that was
 * asked on it is sent later or elsewhere: Socket.IO's own buffer, which would do that, dies with the socket.
 */
export class Link {
  private readonly socket: Socket<ServerToClientEvents, ClientToServerEvents>;
  private readonly open = new Set<Ask>();
  private readonly queued: Ask[] = [];
  private readonly readiness: Timer;
  private capacity = 0;
  private heardAt = 0;
  private over = false;

  constructor(
    private readonly settings: LinkSettings,
    private readonly listener: LinkListener,
  ) {
    const { url, token, background, transports, requestTimeoutMs } = settings;
    this.socket = io(url, {
      auth: { token, ...(background && { background }) },
      transports,
      tryAllTransports: true,
      reconnection: false,
      forceNew: true,
      // `readiness` is over before; it also covers what comes after the transport is open.
      timeout: 3 * requestTimeoutMs,
      // Where there is no browser to do it, the sticky cookie of a balancer has to be kept by the client.
      withCredentials: !('location' in globalThis),
    });
    this.readiness = setTimeout(() => this.end({ kind: 'unready' }), 2 * requestTimeoutMs);
    this.listen();
  }

  /** Asks at once, or when fewer requests of this connection are waiting for their replies. Never rejects. */
  ask<E extends RequestName>(event: E, input: RequestInput<E>): Promise<Answer<ResultOf<E>>> {
    return new Promise((resolve) => {
      const ask: Ask = { event, input, done: resolve as Ask['done'] };
      if (this.over || this.capacity === 0) resolve('gone');
      else if (this.open.size < this.capacity) this.emit(ask);
      else this.queued.push(ask);
    });
  }

  close(): void {
    this.end({ kind: 'broken' });
  }

  private listen(): void {
    const { socket, listener } = this;
    const heard = () => (this.heardAt = performance.now());
    socket.io.on('packet', heard);
    socket.io.on('ping', heard);
    socket.on('connect_error', (error) => {
      const body: unknown = error.data;
      this.end(isErrorBody(body) ? { kind: 'refused', error: body } : { kind: 'broken' });
    });
    socket.on('disconnect', () => this.end({ kind: 'broken' }));
    socket.on('session:ready', (session) => {
      if (this.over) return;
      clearTimeout(this.readiness);
      // Half of what the server takes: it still counts those that timed out here.
      this.capacity = Math.max(1, Math.floor(session.limits.requestsInFlight / 2));
      listener.ready(session);
    });
    socket.on('session:closed', ({ error }) => this.end({ kind: 'refused', error }));
    socket.on('session:expiring', (notice) => {
      if (!this.over) listener.expiring(notice);
    });
    socket.on('session:reconnect', (notice) => {
      if (!this.over) listener.sentAway(notice);
    });
    socket.on('room:changes', (frame) => {
      if (!this.over) listener.changes(frame);
    });
    socket.on('room:signal', (signal) => {
      if (!this.over) listener.roomSignal(signal);
    });
    socket.on('presence:changed', ({ states }) => {
      if (!this.over) listener.presence(states);
    });
    socket.on('reports:changed', (reports) => {
      if (!this.over) listener.reports(reports);
    });
    socket.on('user:signal', (signal) => {
      if (!this.over) listener.signal(signal);
    });
  }

  private emit(ask: Ask): void {
    this.open.add(ask);
    ask.timer = setTimeout(() => {
      this.settle(ask, 'timeout');
      // Two timeouts of silence, not even a ping: a connection that looks open and is not.
      if (performance.now() - this.heardAt >= 2 * this.settings.requestTimeoutMs) this.end({ kind: 'broken' });
    }, this.settings.requestTimeoutMs);
    (this.socket.emit as Emit).call(this.socket, ask.event, ask.input, (reply) => {
      // The connection is about to be closed, and nothing that was asked on it is done: it is asked again on the next one.
      if (!reply.ok && reply.error.code === 'token_expired' && ask.event !== 'auth:refresh')
        this.end({ kind: 'refused', error: reply.error });
      else this.settle(ask, reply);
    });
  }

  private settle(ask: Ask, answer: Answer<unknown>): void {
    if (!this.open.delete(ask)) return;
    clearTimeout(ask.timer);
    ask.done(answer);
    const next = this.queued.shift();
    if (next) this.emit(next);
  }

  private end(loss: Loss): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.readiness);
    this.socket.disconnect();
    this.listener.lost(loss);
    for (const ask of [...this.open, ...this.queued]) {
      clearTimeout(ask.timer);
      ask.done('gone');
    }
    this.open.clear();
    this.queued.length = 0;
  }
}
