import type pg from 'pg';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import { isTransient } from '../database/failures.js';
import type { ErrorCode, Message, RoomChanges, SendMessage } from '../protocol/index.js';
import { extrasOf, extrasParameter } from './send-extras.js';

/** How long a batch may be tried again when the database fails, in ms, from the moment its oldest send came. */
const RETRY_BUDGET = 3_500;
/** Longest pause before a try, in ms. */
const RETRY_PAUSE = 100;
/** A statement that takes longer than this has lost its connection, in ms. */
const STATEMENT_TIMEOUT = 2_500;

/** Whether a room that somebody else has locked is waited for: not at all, for `BRIEFLY`, or for as long as a statement may take. */
export type Patience = 'none' | 'brief' | 'endless';
/** Longer than another instance takes to store a batch, in ms. */
const BRIEFLY = 100;
/** SQLSTATE of a lock that was waited for in vain. */
const LOCK_NOT_AVAILABLE = '55P03';

/** A send as the statement takes it. */
export interface Send {
  readonly caller: Caller;
  readonly request: SendMessage;
  /** Of the content, in hex: tells a retry from another message under the same clientMsgId. */
  readonly fingerprint: string;
  /** When it came, by `performance.now()`. */
  readonly since: number;
}

/** What became of a send. `seq` is that of the first message under the same clientMsgId where it is a `duplicate`. */
export type Written = { kind: 'stored' | 'shadowed'; message: Message } | { kind: 'duplicate'; seq: number };

/** A row of what the database function `send_messages` answers. */
export interface SentRow {
  outcome: 'stored' | 'shadowed' | 'duplicate' | 'busy' | keyof typeof refusals;
  seq: number;
  rev: number;
  /** In ms since 1970. */
  created_at: number;
  /** Of a send that came too soon. */
  retry_after_ms: number | null;
}

const refusals = {
  idempotency_mismatch: 'This clientMsgId was used for another message; make a new one',
  not_member: 'You are no member of this room; join it first',
  not_found: 'There is no such room',
  banned: 'Banned from this room',
  reader: 'A reader of this room sends nothing',
  read_only: 'In this room only owners and moderators send',
  muted: 'You are muted in this room',
  slow_mode: 'This room takes one message in a while from each member',
  room_archived: 'The room is archived',
  no_room_mention: 'Your role in this room does not allow to mention all of it',
  nothing_to_reply_to: 'There is no such message to reply to',
  no_thread: 'There is no such message, or it is in a thread itself',
} as const;

/** Outcomes that are not codes of the contract themselves. */
const codes: Partial<Record<string, ErrorCode>> = {
  reader: 'forbidden',
  read_only: 'forbidden',
  no_room_mention: 'forbidden',
  nothing_to_reply_to: 'not_found',
  no_thread: 'not_found',
};

/**
 * Stores sends in one transaction; a row for each, in their order. When it is not known how a try ended it tries again, which
 * is safe: what was stored is found by its clientMsgId.
 *
 * Precondition: ordered by room id, no clientMsgId of a sender and room twice.
 * @param wait for rooms that somebody else has locked. Without any patience their sends come back `busy`, and the others are
 * stored; with a little, all come back so when it was not enough
 * @throws what the database says, once the budget is spent
 */
export async function store(pool: pg.Pool, sends: readonly Send[], wait: Patience): Promise<(SentRow | 'busy')[]> {
  const query = {
    name: 'send_messages',
    query_timeout: STATEMENT_TIMEOUT,
    text: 'select outcome, seq, rev, retry_after_ms, cast(extract(epoch from created_at) * 1000 as float8) as created_at from send_messages($1, $2, $3, $4, $5, $6, $7, $8)',
    values: [
      arrayOf(sends, ({ request }) => request.roomId),
      arrayOf(sends, ({ caller }) => caller.id),
      arrayOf(sends, ({ request }) => quoted(request.clientMsgId)),
      arrayOf(sends, ({ fingerprint }) => `"\\\\x${fingerprint}"`),
      arrayOf(sends, ({ request }) => quoted(request.text)),
      wait !== 'none',
      wait === 'brief' ? BRIEFLY : 0,
      extrasParameter(sends),
    ],
  };
  const deadline = Math.min(...sends.map(({ since }) => since)) + RETRY_BUDGET;
  for (;;) {
    try {
      const { rows } = await pool.query<SentRow>(query);
      if (rows.length !== sends.length) throw new Error(`send_messages answered ${rows.length} of ${sends.length}`);
      return rows;
    } catch (error) {
      if (wait === 'brief' && (error as { code?: unknown }).code === LOCK_NOT_AVAILABLE) return sends.map(() => 'busy');
      const pause = Math.random() * RETRY_PAUSE;
      if (!isTransient(error) || performance.now() + pause > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** An array as Postgres reads it. `pg` would make the same of it, at several times the cost. */
function arrayOf(sends: readonly Send[], item: (send: Send) => string): string {
  let text = '{';
  for (const send of sends) text += text.length === 1 ? item(send) : `,${item(send)}`;
  return `${text}}`;
}

function quoted(text: string): string {
  return `"${/["\\]/.test(text) ? text.replaceAll(/["\\]/g, '\\$&') : text}"`;
}

/** Undefined where the room was busy: nothing became of it yet. */
export function outcomeOf(sent: Send, row: SentRow | 'busy' | undefined): Written | ChatError | undefined {
  if (row === undefined || row === 'busy' || row.outcome === 'busy') return undefined;
  if (row.outcome === 'duplicate') return { kind: 'duplicate', seq: row.seq };
  if (row.outcome !== 'stored' && row.outcome !== 'shadowed') return refusalOf(row.outcome, row.retry_after_ms);
  const { caller, request } = sent;
  const message: Message = {
    roomId: request.roomId,
    seq: row.seq,
    rev: row.rev,
    sender: { id: caller.id, name: caller.name },
    clientMsgId: request.clientMsgId,
    text: request.text,
    createdAt: new Date(row.created_at).toISOString(),
    deletedAt: null,
  };
  return { kind: row.outcome, message: Object.assign(message, extrasOf(request)) };
}

function refusalOf(outcome: keyof typeof refusals, retryAfterMs: number | null): ChatError {
  const extra = retryAfterMs === null ? {} : { retryAfterMs };
  return new ChatError(codes[outcome] ?? (outcome as ErrorCode), refusals[outcome], extra);
}

/** One frame a room. Precondition: room by room, each room's in rev order without a gap, as the database function answers. */
export function framesOf(outcomes: (Written | ChatError | undefined)[]): RoomChanges[] {
  const frames: RoomChanges[] = [];
  for (const outcome of outcomes) {
    if (outcome === undefined || outcome instanceof ChatError || outcome.kind === 'duplicate') continue;
    const message =
      outcome.kind === 'stored' ? outcome.message : { ...outcome.message, shadowedAt: outcome.message.createdAt };
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
