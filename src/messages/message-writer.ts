import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import pLimit from 'p-limit';
import type pg from 'pg';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import { sendPool } from '../database/data-source.js';
import { isTransient } from '../database/failures.js';
import type { SendMessage } from '../protocol/index.js';
import { RoomBroadcaster } from '../realtime/room-broadcaster.js';
import { BEHIND_REFUSED, RefusedSends } from './refused-sends.js';
import { framesOf, outcomeOf, store, type Patience, type Send, type SentRow, type Written } from './send-statement.js';
import { ThreadRoots } from './thread-roots.js';

/** Sends that share a commit, at most. */
const BATCH = 500;
/** Sends that may wait for a commit on this instance; one more is answered `overloaded`. */
const WAITING = 10_000;
/** Every send is answered within this time, in ms; what became of one that took longer is not known. */
const ANSWER_WITHIN = 4_000;

/** Each room's sends go by one of these: while one lane's batch is stored, the other's is answered and broadcast, and its next one is read. */
const LANES = 2;
/** How long sends may go on coming, turn after turn, before a batch of them goes, in ms. */
const GATHERED_FOR = 4;

/** Where another instance was found to write to the same rooms, its batches are waited for at once, for so long, in ms. */
const SHARED_FOR = 1_000;

interface Lane {
  waiting: Waiting[];
  /** Until when its rooms are taken to be written to by others as well, by `performance.now()`. */
  sharedUntil: number;
  running: boolean;
}

interface Waiting extends Send {
  resolve(written: Written): void;
  reject(error: unknown): void;
}

/**
 * Group commit: what arrives while one batch is on its way to Postgres is the next batch. An idle server commits a single
 * send at once, a busy one shares a commit among hundreds; there is no timer.
 *
 * A send is acknowledged and broadcast after its commit, never before. A room whose lock someone else holds leaves the common
 * lane for one of its own until its sends are stored, so nobody else waits for it.
 */
@Injectable()
export class MessageWriter implements OnApplicationShutdown {
  private readonly logger = new Logger(MessageWriter.name);
  private readonly lanes = Array.from({ length: LANES }, (): Lane => ({
    waiting: [],
    sharedUntil: 0,
    running: false,
  }));
  /** The sends to rooms whose lock is waited for, in order. */
  private readonly byRoom = new Map<string, Waiting[]>();
  private readonly roomsInTurn: string[] = [];
  private roomLanes = 0;
  /** In the order in which they came. */
  private readonly unanswered = new Set<Waiting>();
  private expiry: NodeJS.Timeout | undefined;
  /**
   * Of the lanes one has its batch with Postgres: two batches that leave together come back together, and between there is
   * nothing to do here.
   */
  private readonly inTurn = pLimit(1);
  private readonly refused = new RefusedSends();
  private stopped = false;
  private idle: (() => void) | undefined;
  private readonly pool: pg.Pool;
  /** Rooms that may wait for their lock at the same time, each with a connection of its own. The others are left for the common lanes: one where there are two in all. */
  private readonly maxRoomLanes: number;

  constructor(
    @Inject(CONFIG) { database }: Config,
    private readonly broadcaster: RoomBroadcaster,
    private readonly threads: ThreadRoots,
  ) {
    this.pool = sendPool(database);
    this.maxRoomLanes = Math.max(1, this.pool.options.max - LANES);
  }

  /**
   * Stores the message and tells its room. Sends of one caller to one room are numbered in the order of these calls.
   * @throws ChatError `not_member`, `not_found`, `room_archived`, `idempotency_mismatch`, `overloaded`, `unavailable`
   */
  write(caller: Caller, request: SendMessage, fingerprint: string): Promise<Written> {
    this.mustBeTaken(caller, request);
    return new Promise((resolve, reject) => {
      const waiting = { caller, request, fingerprint, since: performance.now(), resolve, reject };
      this.unanswered.add(waiting);
      this.expiry ??= setTimeout(() => this.expire(), ANSWER_WITHIN);
      this.enqueue(waiting);
    });
  }

  /** Sends that are not answered yet. */
  get waiting(): number {
    return this.unanswered.size;
  }

  /** Takes no more sends; resolves when those that were taken are answered. */
  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    if (this.unanswered.size > 0) await new Promise<void>((resolve) => (this.idle = resolve));
    clearTimeout(this.expiry);
    await this.pool.end();
  }

  /** @throws ChatError `draining`, `overloaded`, `unavailable` */
  private mustBeTaken(caller: Caller, request: SendMessage): void {
    if (this.stopped)
      throw new ChatError('draining', 'This instance is going away; ask another one', { retryAfterMs: 500 });
    if (this.refused.standsBefore(caller, request)) throw unavailable();
    if (this.unanswered.size < WAITING) return;
    this.refused.note(caller, request);
    throw new ChatError('overloaded', 'Too many messages wait to be stored', { retryAfterMs: BEHIND_REFUSED });
  }

  /**
   * The next sends in order of arrival, no two under the same clientMsgId: a retry waits until the first one is stored. Those
   * behind a refused one are refused, and those that were answered while they waited are let go.
   */
  private nextBatch(waiting: Waiting[]): { batch: Waiting[]; later: Waiting[] } {
    const keys = new Set<string>();
    const batch: Waiting[] = [];
    const later: Waiting[] = [];
    const answered = performance.now() - ANSWER_WITHIN;
    for (const each of waiting) {
      const { caller, request } = each;
      const key = `${request.roomId} ${caller.id} ${request.clientMsgId}`;
      if (each.since < answered) continue;
      else if (this.refused.standsBefore(caller, request)) this.refuse(each, unavailable());
      else if (batch.length >= BATCH || keys.has(key)) later.push(each);
      else {
        keys.add(key);
        batch.push(each);
      }
    }
    return { batch, later };
  }

  private enqueue(waiting: Waiting): void {
    const inRoomLane = this.byRoom.get(waiting.request.roomId);
    if (inRoomLane !== undefined) {
      inRoomLane.push(waiting);
      return;
    }
    const lane = this.lanes[parseInt(waiting.request.roomId.slice(-1), 16) % LANES];
    if (lane === undefined) throw new Error('A room id does not end in a digit');
    lane.waiting.push(waiting);
    if (!lane.running) void this.runCommonLane(lane);
  }

  private async runCommonLane(lane: Lane): Promise<void> {
    lane.running = true;
    await this.gather(lane);
    while (lane.waiting.length > 0) {
      const busy = await this.flushInLane(lane);
      if (busy.length > 0) this.moveToRoomLanes(lane, busy);
      // First what was stored goes out, then what came meanwhile is read: on a busy server that is the next batch, a full one.
      await turn();
      await this.gather(lane);
    }
    // In the same breath as the look that found nothing: what comes from now on begins a run of its own.
    lane.running = false;
  }

  /**
   * What comes in the same turn of the event loop goes into one batch, and so does what comes in the next one, for as long as each
   * brings something: senders who were answered together send again together. Who sends alone waits for one turn.
   */
  private async gather(lane: Lane): Promise<void> {
    const until = performance.now() + GATHERED_FOR;
    for (let before = -1; lane.waiting.length > before && performance.now() < until;) {
      before = lane.waiting.length;
      await turn();
    }
  }

  /**
   * Stores the lane's next batch. Most locks are those of another instance that stores a batch for the same rooms: they are worth a moment. Who holds one
   * longer than that holds up only his own room. @returns those that have to wait for it
   */
  private async flushInLane(lane: Lane): Promise<Waiting[]> {
    if (performance.now() < lane.sharedUntil) return this.flush(await this.flush(this.nextOf(lane), 'brief'), 'none');
    const locked = await this.inTurn(() => this.flush(this.nextOf(lane), 'none'));
    if (locked.length === 0) return [];
    const busy = await this.flush(locked, 'brief');
    if (busy.length === 0) lane.sharedUntil = performance.now() + SHARED_FOR;
    return busy;
  }

  private nextOf(lane: Lane): Waiting[] {
    const { batch, later } = this.nextBatch(lane.waiting);
    lane.waiting = later;
    return batch;
  }

  /** These could not be stored at once; what waits behind them for the same rooms stays behind them. */
  private moveToRoomLanes(lane: Lane, busy: Waiting[]): void {
    const rooms = new Set(busy.map(({ request }) => request.roomId));
    const behind = lane.waiting.filter(({ request }) => rooms.has(request.roomId));
    lane.waiting = lane.waiting.filter(({ request }) => !rooms.has(request.roomId));
    for (const roomId of rooms) {
      this.byRoom.set(roomId, []);
      this.roomsInTurn.push(roomId);
    }
    for (const waiting of [...busy, ...behind]) this.byRoom.get(waiting.request.roomId)?.push(waiting);
    while (this.roomLanes < this.maxRoomLanes && this.roomsInTurn.length > 0) void this.runRoomLane();
  }

  /** Stores one room's sends after the other rooms' in turn, waiting for each room's lock. */
  private async runRoomLane(): Promise<void> {
    this.roomLanes += 1;
    for (let roomId = this.roomsInTurn.shift(); roomId !== undefined; roomId = this.roomsInTurn.shift()) {
      for (let waiting = this.byRoom.get(roomId) ?? []; waiting.length > 0; waiting = this.byRoom.get(roomId) ?? []) {
        const { batch, later } = this.nextBatch(waiting);
        this.byRoom.set(roomId, later);
        await this.flush(batch, 'endless');
      }
      this.byRoom.delete(roomId);
    }
    this.roomLanes -= 1;
  }

  /** Answers every send of the batch but those it gives back: their rooms were locked for longer than it was to wait. Never throws. */
  private async flush(batch: Waiting[], wait: Patience): Promise<Waiting[]> {
    if (batch.length === 0) return [];
    // The order of room ids is the order of locks; within a room it stays that of arrival.
    const sorted = [...batch].sort((a, b) =>
      a.request.roomId < b.request.roomId ? -1 : a.request.roomId > b.request.roomId ? 1 : 0,
    );
    try {
      return this.settle(sorted, await store(this.pool, sorted, wait));
    } catch (error) {
      return this.fail(sorted, error, wait);
    }
  }

  /** After the commit: tells the rooms, then answers. */
  private settle(sorted: Waiting[], rows: (SentRow | 'busy')[]): Waiting[] {
    const outcomes = sorted.map((waiting, i) => outcomeOf(waiting, rows[i]));
    const frames = framesOf(outcomes);
    this.broadcaster.publish(frames);
    this.threads.tellOf(frames);
    const busy: Waiting[] = [];
    sorted.forEach((waiting, i) => {
      const outcome = outcomes[i];
      if (outcome === undefined) busy.push(waiting);
      else if (outcome instanceof ChatError) this.refuse(waiting, outcome);
      else this.answer(waiting, outcome);
    });
    return busy;
  }

  private async fail(batch: Waiting[], error: unknown, wait: Patience): Promise<Waiting[]> {
    if (isTransient(error)) {
      this.logger.warn(`Postgres did not store ${batch.length} messages: ${String(error)}`);
      for (const waiting of batch) {
        this.refused.note(waiting.caller, waiting.request);
        this.refuse(waiting, unavailable());
      }
      return [];
    }
    if (batch.length === 1) {
      for (const waiting of batch) this.refuse(waiting, error);
      return [];
    }
    // One of them is poison. It fails alone.
    const busy: Waiting[] = [];
    const busyRooms = new Set<string>();
    for (const waiting of batch) {
      const { roomId } = waiting.request;
      // What follows a send that has to wait must not overtake it.
      const passedOver = busyRooms.has(roomId) ? [waiting] : await this.flush([waiting], wait);
      if (passedOver.length > 0) busyRooms.add(roomId);
      busy.push(...passedOver);
    }
    return busy;
  }

  private answer(waiting: Waiting, written: Written): void {
    this.forget(waiting);
    waiting.resolve(written);
  }

  private refuse(waiting: Waiting, error: unknown): void {
    this.forget(waiting);
    waiting.reject(error);
  }

  private forget(waiting: Waiting): void {
    this.unanswered.delete(waiting);
    if (this.unanswered.size === 0) this.idle?.();
  }

  /** Nobody waits longer than that. One timer looks at who came first; one for each send would cost as much as all else of it. */
  private expire(): void {
    const now = performance.now();
    this.expiry = undefined;
    for (const waiting of this.unanswered) {
      const left = waiting.since + ANSWER_WITHIN - now;
      if (left > 0) {
        this.expiry = setTimeout(() => this.expire(), left);
        return;
      }
      this.refused.note(waiting.caller, waiting.request);
      this.refuse(waiting, unavailable());
    }
  }
}

/** Up to the end of a turn of the event loop: what could be read is read, what was to be written is written. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function unavailable(): ChatError {
  return new ChatError('unavailable', 'The message may not be stored; send it again', { retryAfterMs: BEHIND_REFUSED });
}
