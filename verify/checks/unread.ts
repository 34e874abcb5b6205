import { truth } from '../history.js';
import { Verdict, type Check } from './check.js';
import { entry } from './numbers.js';

type Query = (statement: string, values: unknown[]) => Promise<unknown>;

export interface Unread {
  userId: string;
  roomId: string;
  readSeq: number;
  unread: number;
  mentions: number;
}

/**
 * What every member's marker and unread count must be, from the rows alone and in the plainest way: slow, and with nothing of
 * how the server counts. The caller compares it with what the server says, when nothing is written any more.
 */
export async function recountUnread(query: Query): Promise<Unread[]> {
  const rows = await query(
    `with marked as (
       select member.user_id, member.room_id, greatest(member.read_seq, (
         select max(own.seq) from messages own where own.room_id = member.room_id and own.sender_id = member.user_id
           and own.seq > greatest(member.read_seq, member.unread_since)
       )) as read_seq
       from memberships member where member.left_at is null
     )
     select user_id as "userId", room_id as "roomId", read_seq::int as "readSeq", (
       select count(*)::int from messages message where message.room_id = marked.room_id
         and message.seq > marked.read_seq and message.sender_id <> marked.user_id and message.deleted_at is null
     ) as unread, (
       select count(*)::int from messages message where message.room_id = marked.room_id
         and message.seq > marked.read_seq and message.sender_id <> marked.user_id and message.deleted_at is null
         and ((message.mentions -> 'room')::boolean or message.mentions -> 'users' ? marked.user_id::text)
     ) as mentions
     from marked order by 1, 2`,
    [],
  );
  return rows as Unread[];
}

/** Where the server says something else than the rows; a count past 99 is only ever `100`, and its marker may be an earlier one. */
export function unreadDrift(recounted: readonly Unread[], told: readonly Unread[]): string[] {
  const byMember = new Map(told.map((state) => [`${state.userId} ${state.roomId}`, state]));
  return recounted.flatMap(({ userId, roomId, readSeq, unread, mentions }) => {
    const state = byMember.get(`${userId} ${roomId}`);
    const where = `user ${userId}, room ${roomId}`;
    if (state === undefined) return [`${where}: not told`];
    if (state.unread !== Math.min(unread, 100)) return [`${where}: told ${state.unread} unread, there are ${unread}`];
    // Counted from the marker that was told.
    if (unread < 100 && state.mentions !== mentions)
      return [`${where}: told ${state.mentions} mentions, there are ${mentions}`];
    const isRead = unread >= 100 ? state.readSeq <= readSeq : state.readSeq === readSeq;
    return isRead ? [] : [`${where}: told read up to ${state.readSeq}, it is ${readSeq}`];
  });
}

/** C16: what an instance tells its users is unread is what a recount of the rows gives. */
export function counted(): Check {
  const verdict = new Verdict('C16');
  const bySource = new Map<string, { t: number; states: Unread[] }>();
  return {
    see(record) {
      if (record.type !== 'unread') return;
      const { states } = entry(bySource, record.source, () => ({ t: record.t, states: [] }));
      for (const [userId, roomId, readSeq, unread, mentions] of record.states)
        states.push({ userId, roomId, readSeq, unread, mentions });
    },
    finish() {
      verdict.count('states', 0);
      const recounted = bySource.get(truth)?.states ?? [];
      bySource.delete(truth);
      for (const [source, { t, states }] of bySource) {
        verdict.count('states', states.length);
        const users = new Set(states.map(({ userId }) => userId));
        const theirs = recounted.filter(({ userId }) => users.has(userId));
        for (const drift of unreadDrift(theirs, states)) verdict.violate(t, drift, { source });
      }
      return verdict.result();
    },
  };
}
