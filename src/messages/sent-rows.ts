import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import type { Message, RoomChanges, SendMessage } from '../protocol/index.js';

/** What became of a send. `seq` is that of the first message under the same clientMsgId where it is a `duplicate`. */
export type Written = { kind: 'stored'; message: Message } | { kind: 'duplicate'; seq: number };

/** A row of what the database function `send_messages` answers. */
export interface SentRow {
  outcome: 'stored' | 'duplicate' | 'busy' | keyof typeof refusals;
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

/** Undefined where the room was busy: nothing became of it yet. */
export function outcomeOf(
  sent: { caller: Caller; request: SendMessage },
  row: SentRow | undefined,
): Written | ChatError | undefined {
  if (row === undefined || row.outcome === 'busy') return undefined;
  if (row.outcome === 'duplicate') return { kind: 'duplicate', seq: row.seq };
  if (row.outcome !== 'stored') return new ChatError(row.outcome, refusals[row.outcome]);
  const { caller, request } = sent;
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

/** One frame a room. Precondition: room by room, each room's in rev order without a gap, as the database function answers. */
export function framesOf(outcomes: (Written | ChatError | undefined)[]): RoomChanges[] {
  const frames: RoomChanges[] = [];
  for (const outcome of outcomes) {
    if (outcome === undefined || outcome instanceof ChatError || outcome.kind !== 'stored') continue;
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
