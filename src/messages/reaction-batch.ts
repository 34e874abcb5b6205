import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import { limits, type Change, type MessageResult, type Reaction, type ReactToMessage } from '../protocol/index.js';
import { seenBy } from '../realtime/veils.js';
import { notMember, type MembersService } from '../rooms/members.service.js';
import type { LockedRoom } from '../rooms/room-ledger.js';
import {
  isGone,
  messagesIn,
  mustBeAllowed,
  isInShadow,
  mustBeVisible,
  noSuchMessage,
  save,
  shown,
  type FoundMessage,
} from './message-changes.js';

export interface Reacting {
  readonly caller: Caller;
  readonly request: ReactToMessage;
}

/** One emoji of one user on one message, and whether it was there before the batch and is after it. */
interface Mark {
  seq: number;
  emoji: string;
  userId: string;
  before: boolean;
  after: boolean;
}

/**
 * Applies requests in their order; each has its own outcome. Each message that they change is one change, and what it then says is
 * counted on the rows.
 */
export async function applyReactions(
  locked: LockedRoom,
  members: MembersService,
  batch: readonly Reacting[],
): Promise<{ result: (MessageResult | ChatError)[]; changes: Change[] }> {
  const seqs = [...new Set(batch.map(({ request }) => request.seq))];
  const userIds = [...new Set(batch.map(({ caller }) => caller.id))];
  const present = await members.presentAmong(locked, userIds);
  const messages = await messagesIn(locked, seqs);
  const marks = await marksOf(locked, seqs, userIds);
  const counts = new Map([...messages].map(([seq, { reactions }]) => [seq, countsOf(reactions)]));
  const refusals = batch.map(({ caller, request }): ChatError | undefined => {
    try {
      const member = present.get(caller.id);
      if (member === undefined) throw notMember(locked.room);
      mustBeVisible(member, request.seq);
      const ofMessage = counts.get(request.seq);
      const message = messages.get(request.seq);
      if (ofMessage === undefined || message === undefined || isGone(message, caller.id)) throw noSuchMessage();
      mustBeAllowed(member, 'message:react', locked);
      if (isInShadow(member, locked) && message.shadowedAt === null) return undefined;
      put(marks, ofMessage, caller.id, request);
      return undefined;
    } catch (error) {
      if (error instanceof ChatError) return error;
      throw error;
    }
  });
  const changes = await write(locked, messages, [...marks.values()]);
  const told = new Map(changes.map(({ message }) => [message.seq, message]));
  const result = batch.map(({ caller, request: { seq } }, i) => {
    const found = messages.get(seq);
    if (refusals[i] !== undefined) return refusals[i];
    return found === undefined ? noSuchMessage() : { message: seenBy(told.get(seq) ?? shown(found), caller.id) };
  });
  return { result, changes };
}

/** @throws ChatError `conflict` */
function put(marks: Map<string, Mark>, counts: Map<string, number>, userId: string, request: ReactToMessage): void {
  const { seq, emoji, on } = request;
  const key = keyOf({ seq, emoji, userId });
  const mark = marks.get(key) ?? { seq, emoji, userId, before: false, after: false };
  if (mark.after === on) return;
  const count = (counts.get(emoji) ?? 0) + (on ? 1 : -1);
  if (count === 1 && on && counts.size >= limits.emojisPerMessage)
    throw new ChatError('conflict', `The message has ${limits.emojisPerMessage} different reactions already`);
  if (count === 0) counts.delete(emoji);
  else counts.set(emoji, count);
  marks.set(key, { ...mark, after: on });
}

function countsOf(reactions: Reaction[] | null): Map<string, number> {
  return new Map((reactions ?? []).map(({ emoji, count }) => [emoji, count]));
}

/** Those that these users have on these messages. */
async function marksOf({ manager, room }: LockedRoom, seqs: number[], userIds: string[]): Promise<Map<string, Mark>> {
  const rows: unknown = await manager.query(
    `select seq, emoji, user_id as "userId" from reactions
     where room_id = $1 and user_id = any($2::uuid[]) and seq = any($3::bigint[])`,
    [room.id, userIds, seqs],
  );
  const marks = rows as Pick<Mark, 'seq' | 'emoji' | 'userId'>[];
  return new Map(marks.map((mark) => [keyOf(mark), { ...mark, before: true, after: true }]));
}

function keyOf({ seq, emoji, userId }: Pick<Mark, 'seq' | 'emoji' | 'userId'>): string {
  return `${seq} ${emoji} ${userId}`;
}

async function write(
  locked: LockedRoom,
  messages: ReadonlyMap<number, FoundMessage>,
  marks: readonly Mark[],
): Promise<(Change & { kind: 'message' })[]> {
  const { manager, room } = locked;
  const columns = (some: Mark[]) =>
    [some.map(({ seq }) => seq), some.map(({ emoji }) => emoji), some.map(({ userId }) => userId)] as const;
  const gone = marks.filter(({ before, after }) => before && !after);
  const come = marks.filter(({ before, after }) => !before && after);
  const changed = [...new Set([...gone, ...come].map(({ seq }) => seq))];
  if (changed.length === 0) return [];
  await manager.query(
    `delete from reactions using unnest($2::bigint[], $3::text[], $4::uuid[]) as gone(seq, emoji, user_id)
     where room_id = $1 and reactions.seq = gone.seq and reactions.emoji = gone.emoji and reactions.user_id = gone.user_id`,
    [room.id, ...columns(gone)],
  );
  await manager.query(
    `insert into reactions (room_id, seq, emoji, user_id, rev)
     select $1, seq, emoji, user_id, $5 from unnest($2::bigint[], $3::text[], $4::uuid[]) as come(seq, emoji, user_id)`,
    [room.id, ...columns(come), room.rev],
  );
  const summaries = await summariesOf(locked, changed);
  const changes = [];
  for (const seq of changed) {
    const found = messages.get(seq);
    if (found !== undefined) changes.push(await save(locked, found, { reactions: summaries.get(seq) ?? null }));
  }
  return changes;
}

/** What there is on each of these messages, in the order in which it came. */
async function summariesOf({ manager, room }: LockedRoom, seqs: number[]): Promise<Map<number, Reaction[]>> {
  const rows: unknown = await manager.query(
    `select seq, emoji, cast(count(*) as int) as count,
            (array_agg(user_id order by rev, user_id))[1:${limits.reactionUsers}] as users
     from reactions where room_id = $1 and seq = any($2::bigint[])
     group by seq, emoji order by min(rev), emoji`,
    [room.id, seqs],
  );
  const summaries = new Map<number, Reaction[]>();
  for (const { seq, ...reaction } of rows as (Reaction & { seq: number })[])
    summaries.set(seq, [...(summaries.get(seq) ?? []), reaction]);
  return summaries;
}
