import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import { poolOf } from '../database/data-source.js';
import { isTransient } from '../database/failures.js';
import type { Message, RoomChanges, SendMessage } from '../protocol/index.js';
import { RoomBroadcaster } from '../realtime/room-broadcaster.js';

/** Sends that share a commit, at most. */
const BATCH = 500;
/** Sends that may wait for a commit on this instance; one more is answered `overloaded`. */
const QUEUE = 10_000;
/** How long a send may be tried again when the database fails, in ms. */
const RETRY_BUDGET = 4_000;
const RETRY_PAUSE = 100;

/** What became of a send. `seq` is that of the first message under the same clientMsgId where it is a `duplicate`. */
export type Written = { kind: 'stored'; message: Message } | { kind: 'duplicate'; seq: number };

interface Waiting {
  readonly caller: Caller;
  readonly request: SendMessage;
  readonly fingerprint: Buffer;
  /** When it came, by `performance.now()`. */
  readonly since: number;
  resolve(written: Written): void;
  reject(error: unknown): void;
}

interface Row {
  outcome: 'stored' | 'duplicate' | 'idempotency_mismatch' | 'not_member' | 'not_found' | 'room_archived';
  seq: number;
  rev: number;
  created_at: Date;
}

const refusals = {
  idempotency_mismatch: 'This clientMsgId was used for another message; make a new one',
  not_member: 'You are no member of this room; join it first',
  not_found: 'There is no such room',
  room_archived: 'The room is archived',
} as const;

/**
 * Group commit: what arrives while one batch is on its way to Postgres is the next batch. An idle server commits a single
 * send at once, a busy one shares a commit among hundreds; there is no timer.
 *
 * A send is acknowledged and broadcast after its commit, never before. When the outcome of a commit is unknown it is tried
 * again, which is safe: what was stored is found by its clientMsgId.
 */
@Injectable()
export class MessageWriter implements OnApplicationShutdown {
  private readonly logger = new Logger(MessageWriter.name);
  private queue: Waiting[] = [];
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly broadcaster: RoomBroadcaster,
  ) {}

  /**
   * Stores the message and tells its room. Sends of one caller to one room are numbered in the order of these calls.
   * @throws ChatError `not_member`, `not_found`, `room_archived`, `idempotency_mismatch`, `overloaded`, `unavailable`
   */
  write(caller: Caller, request: SendMessage, fingerprint: Buffer): Promise<Written> {
    if (this.stopped)
      throw new ChatError('draining', 'This instance is going away; ask another one', { retryAfterMs: 500 });
    if (this.queue.length >= QUEUE)
      throw new ChatError('overloaded', 'Too many messages wait to be stored', { retryAfterMs: 1_000 });
    return new Promise((resolve, reject) => {
      this.queue.push({ caller, request, fingerprint, since: performance.now(), resolve, reject });
      this.running ??= this.run().finally(() => (this.running = undefined));
    });
  }

  /** Sends that wait for their commit. */
  get waiting(): number {
    return this.queue.length;
  }

  /** Takes no more sends; resolves when those that were taken are answered. */
  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async run(): Promise<void> {
    // What came in the same turn of the event loop goes into the first batch together.
    await Promise.resolve();
    while (this.queue.length > 0) await this.writeBatch(this.takeBatch());
  }

  /** The next sends in order of arrival, no two under the same clientMsgId: a retry waits until the first one is stored. */
  private takeBatch(): Waiting[] {
    const keys = new Set<string>();
    const batch: Waiting[] = [];
    const later: Waiting[] = [];
    for (const waiting of this.queue) {
      const { caller, request } = waiting;
      const key = `${request.roomId} ${caller.id} ${request.clientMsgId}`;
      if (batch.length >= BATCH || keys.has(key)) later.push(waiting);
      else {
        keys.add(key);
        batch.push(waiting);
      }
    }
    this.queue = later;
    return batch;
  }

  private async writeBatch(batch: Waiting[]): Promise<void> {
    try {
      this.settle(batch, await this.store(batch));
    } catch (error) {
      if (isTransient(error)) {
        this.logger.warn(`Postgres did not store ${batch.length} messages: ${String(error)}`);
        const unavailable = new ChatError('unavailable', 'The message may not be stored; send it again', {
          retryAfterMs: 1_000,
        });
        for (const { reject } of batch) reject(unavailable);
      } else if (batch.length === 1) {
        batch[0]?.reject(error);
      } else {
        // One of them is poison. It fails alone.
        for (const waiting of batch) await this.writeBatch([waiting]);
      }
    }
  }

  private async store(batch: Waiting[]): Promise<{ sorted: Waiting[]; rows: Row[] }> {
    // The order of room ids is the order of locks; within a room it stays that of arrival.
    const sorted = [...batch].sort((a, b) =>
      a.request.roomId < b.request.roomId ? -1 : a.request.roomId > b.request.roomId ? 1 : 0,
    );
    const query = {
      name: 'send_messages',
      text: 'select outcome, seq, rev, created_at from send_messages($1, $2, $3, $4, $5)',
      values: [
        sorted.map(({ request }) => request.roomId),
        sorted.map(({ caller }) => caller.id),
        sorted.map(({ request }) => request.clientMsgId),
        sorted.map(({ fingerprint }) => fingerprint),
        sorted.map(({ request }) => request.text),
      ],
    };
    const deadline = Math.min(...batch.map(({ since }) => since)) + RETRY_BUDGET;
    for (;;) {
      try {
        const { rows } = await poolOf(this.dataSource).query<Row>(query);
        return { sorted, rows };
      } catch (error) {
        const pause = Math.random() * RETRY_PAUSE;
        if (!isTransient(error) || performance.now() + pause > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  /** After the commit: tells the rooms, then answers. */
  private settle(batch: Waiting[], { sorted, rows }: { sorted: Waiting[]; rows: Row[] }): void {
    if (rows.length !== batch.length) throw new Error(`send_messages answered ${rows.length} of ${batch.length}`);
    const written = rows.map((row, i) => outcomeOf(sorted[i], row));
    this.broadcaster.publish(framesOf(written));
    written.forEach((outcome, i) => {
      if (outcome instanceof ChatError) sorted[i]?.reject(outcome);
      else sorted[i]?.resolve(outcome);
    });
  }
}

function outcomeOf(waiting: Waiting | undefined, row: Row): Written | ChatError {
  if (waiting === undefined) throw new Error('A row too many');
  const { caller, request } = waiting;
  if (row.outcome === 'duplicate') return { kind: 'duplicate', seq: row.seq };
  if (row.outcome !== 'stored') return new ChatError(row.outcome, refusals[row.outcome]);
  const message: Message = {
    roomId: request.roomId,
    seq: row.seq,
    rev: row.rev,
    sender: { id: caller.id, name: caller.name },
    clientMsgId: request.clientMsgId,
    text: request.text,
    createdAt: row.created_at.toISOString(),
    deletedAt: null,
  };
  return { kind: 'stored', message };
}

/** One frame a room: the rows came room by room, each room's in rev order without a gap. */
function framesOf(written: (Written | ChatError)[]): RoomChanges[] {
  const frames: RoomChanges[] = [];
  for (const outcome of written) {
    if (outcome instanceof ChatError || outcome.kind !== 'stored') continue;
    const { message } = outcome;
    let frame = frames.at(-1);
    if (frame?.roomId !== message.roomId) {
      frame = { roomId: message.roomId, after: message.rev - 1, upTo: message.rev - 1, changes: [] };
      frames.push(frame);
    }
    frame.upTo = message.rev;
    frame.changes.push({ rev: message.rev, kind: 'message', message });
  }
  return frames;
}
