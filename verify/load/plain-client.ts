import type { RequestInput, RequestName, ResultOf, RoomChanges } from '../../src/protocol/index.js';
import { pause } from '../processes/program.js';
import type { Random } from '../random.js';
import type { Recorder } from '../recorder.js';
import { Line, type Noted, type Outcome } from './line.js';

export interface Place {
  instance: string;
  url: string;
}

export interface PlainClientOptions {
  name: string;
  user: string;
  token: string;
  recorder: Recorder;
  random: Random;
  /** Where to connect next: a load balancer without stickiness. */
  place: () => Place;
  patienceMs?: number;
}

/**
 * A client of the wire protocol without our SDK: connects, catches up, follows its rooms by their revs and comes back after every
 * loss of connection. All that it sends and sees is recorded. It repairs nothing: where the server leaves a hole, a hole it is.
 */
export class PlainClient {
  /** By room id: the rev up to which it has everything. */
  readonly cursors = new Map<string, number>();
  userId = '';
  private line: Line | undefined;
  private epoch = '';
  private isLive = false;
  private isClosed = false;
  private failures = 0;
  private readonly catchingUp = new Map<string, Promise<boolean>>();
  /** Live frames ahead of the cursor, while a sync is under way. */
  private readonly held = new Map<string, RoomChanges[]>();
  /** False: a connection that is lost is the last one. */
  comesBack = true;
  /** Called each time the client has caught up and may send. */
  onLive: () => void = () => undefined;

  constructor(readonly options: PlainClientOptions) {}

  get name(): string {
    return this.options.name;
  }

  /** Connected and caught up. */
  get live(): boolean {
    return this.isLive;
  }

  /** Where it is connected, or trying to. */
  get instance(): string | undefined {
    return this.line?.instance;
  }

  get connection(): Line | undefined {
    return this.line;
  }

  connect(): void {
    if (this.isClosed) return;
    const { place, name, user, token, recorder, random, patienceMs = 7_000 } = this.options;
    const line: Line = new Line(
      { ...place(), token, client: name, user, recorder, patienceMs },
      {
        ready: ({ userId, epoch }) => {
          this.userId = userId;
          if (this.epoch !== epoch) this.cursors.clear();
          this.epoch = epoch;
          void this.catchUp(line);
        },
        frame: (frame) => this.take(frame),
        away: (afterMs, spreadMs) =>
          void pause(afterMs + random.next() * spreadMs).then(() => line.end('asked to come back')),
        lost: (_, retryAfterMs) => this.comeBack(retryAfterMs),
      },
    );
    this.line = line;
  }

  close(): void {
    this.isClosed = true;
    this.line?.end('closed');
  }

  /** Cuts the connection; the client comes back by itself. */
  cut(): void {
    this.line?.end('cut');
  }

  /** The same without a word to the server. */
  drop(): void {
    this.line?.drop();
  }

  /** Reads nothing more, until `drop()`. */
  deafen(): void {
    this.line?.deafen();
  }

  request<E extends RequestName>(event: E, input: RequestInput<E>, noted?: Noted): Promise<Outcome<ResultOf<E>>> {
    return this.line?.request(event, input, noted) ?? Promise.resolve({ kind: 'unknown' });
  }

  /** Joins and catches up with the room. */
  async join(roomId: string): Promise<boolean> {
    const { recorder, user } = this.options;
    const { line } = this;
    const joined = await this.request(
      'room:join',
      { roomId },
      { membership: { room: recorder.nameOf(roomId), user, on: true } },
    );
    // Who was not answered in time may have joined: the room says it.
    if (joined.kind === 'refused' || line === undefined) return false;
    return this.cursors.has(roomId) || this.bringUp(line, roomId);
  }

  async leave(roomId: string): Promise<boolean> {
    const { recorder, user } = this.options;
    const left = await this.request(
      'room:leave',
      { roomId },
      { membership: { room: recorder.nameOf(roomId), user, on: false } },
    );
    if (left.kind === 'ok') this.forget(roomId);
    return left.kind === 'ok';
  }

  private comeBack(retryAfterMs = 0): void {
    this.isLive = false;
    this.held.clear();
    this.line = undefined;
    if (this.isClosed || !this.comesBack) return;
    const { random } = this.options;
    this.failures += 1;
    const wait = random.between(0.5, 1) * Math.min(2_000, 100 * 2 ** Math.min(this.failures, 6)) + retryAfterMs;
    void pause(wait).then(() => this.connect());
  }

  private async catchUp(line: Line): Promise<void> {
    while (line.usable) {
      const cursors = Object.fromEntries(this.cursors);
      const synced = await line.request('rooms:sync', { epoch: this.epoch, cursors }, { sync: '*' });
      if (synced.kind === 'ok') {
        for (const room of synced.data.rooms) this.apply(line, synced.request, room);
        for (const roomId of synced.data.gone) this.forget(roomId);
        for (const room of synced.data.rooms) if (!room.reset && room.more) await this.bringUp(line, room.roomId);
        if (this.line !== line) return;
        this.failures = 0;
        this.isLive = true;
        line.write({ type: 'live' });
        for (const roomId of [...this.held.keys()]) this.release(roomId);
        this.onLive();
        return;
      }
      if (synced.kind === 'unknown' || !synced.error.retryable) {
        line.end('could not catch up');
        return;
      }
      await pause(synced.error.retryAfterMs ?? 200);
    }
  }

  /** Asks for what is missing in one room until there is no more. One at a time in each room. */
  private bringUp(line: Line, roomId: string): Promise<boolean> {
    const under =
      this.catchingUp.get(roomId) ?? this.bringUpOnce(line, roomId).finally(() => this.catchingUp.delete(roomId));
    this.catchingUp.set(roomId, under);
    return under.finally(() => this.release(roomId));
  }

  private async bringUpOnce(line: Line, roomId: string): Promise<boolean> {
    while (line.usable) {
      const after = this.cursors.get(roomId);
      const from = after === undefined ? {} : { epoch: this.epoch, after };
      const synced = await line.request(
        'room:sync',
        { roomId, ...from },
        { sync: this.options.recorder.nameOf(roomId) },
      );
      if (synced.kind === 'ok') {
        this.apply(line, synced.request, synced.data);
        if (synced.data.reset || !synced.data.more) return true;
      } else if (synced.kind === 'refused' && !synced.error.retryable) {
        this.forget(roomId);
        return false;
      } else {
        await pause(synced.kind === 'refused' ? (synced.error.retryAfterMs ?? 200) : 200);
      }
    }
    return false;
  }

  private apply(line: Line, request: number, synced: ResultOf<'room:sync'>): void {
    line.noteSync(request, this.options.recorder.nameOf(synced.roomId), synced);
    this.cursors.set(synced.roomId, synced.upTo);
  }

  private take(frame: RoomChanges): void {
    const { roomId, after, upTo } = frame;
    const cursor = this.cursors.get(roomId);
    if (!this.isLive || cursor === undefined || this.catchingUp.has(roomId)) {
      const held = this.held.get(roomId) ?? [];
      held.push(frame);
      this.held.set(roomId, held);
    } else if (after <= cursor) this.cursors.set(roomId, Math.max(cursor, upTo));
    else if (this.line !== undefined) void this.bringUp(this.line, roomId);
    if (
      frame.changes.some(
        (change) => change.kind === 'member' && change.member.user.id === this.userId && change.member.leftAt !== null,
      )
    ) {
      this.cursors.delete(roomId);
    }
  }

  private release(roomId: string): void {
    if (!this.isLive || this.catchingUp.has(roomId)) return;
    const held = this.held.get(roomId) ?? [];
    this.held.delete(roomId);
    for (const frame of held) this.take(frame);
  }

  private forget(roomId: string): void {
    this.cursors.delete(roomId);
    this.held.delete(roomId);
    this.line?.write({ type: 'gone', room: this.options.recorder.nameOf(roomId) });
  }
}
