import type { Message } from '../../src/protocol/index.js';

/** What the tables say, each for itself: what stands beside a message is counted anew. */
export const STORED = `
  select message.seq::int, message.rev::int, text, coalesce(version, 1) as version, deleted_at is not null as deleted,
    reply_to::int as "replyTo", thread_root::int as "threadRoot",
    exists (select from pins where pins.room_id = message.room_id and pins.seq = message.seq) as pinned,
    (select count(*)::int from messages reply where reply.room_id = message.room_id and reply.thread_root = message.seq
      and reply.deleted_at is null and reply.shadowed_at is null) as replies,
    coalesce((select json_agg(reaction order by reaction.emoji) from (
      select emoji, count(*)::int as count, json_agg(user_id order by user_id) as users from reactions
      where reactions.room_id = message.room_id and reactions.seq = message.seq group by emoji
    ) reaction), '[]') as reactions
  from messages message where room_id = $1 order by seq`;

/** The same of what a client holds. */
export function line(message: Message): object {
  const { seq, rev, text, version = 1, deletedAt, replyTo = null, threadRoot = null, pinned, thread } = message;
  const reactions = (message.reactions ?? []).map(({ emoji, count, users }) => ({
    emoji,
    count,
    users: users.toSorted(),
  }));
  return {
    ...{ seq, rev, text, version, deleted: deletedAt !== null, replyTo, threadRoot, pinned: pinned !== undefined },
    replies: thread?.replies ?? 0,
    reactions: reactions.toSorted((a, b) => (a.emoji < b.emoji ? -1 : 1)),
  };
}
