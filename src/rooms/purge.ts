import { limits, type Purged } from '../protocol/index.js';
import type { LockedRoom } from './room-ledger.js';

/**
 * All in one statement, because the room is locked meanwhile. Each deleted message and each root of a thread that lost replies takes a
 * rev. Which ones is found by the index that ends in client_msg_id, or, where a moment is given, from its seq on.
 */
const purging = (chosen: string): string => `
  with gone as materialized (
    select seq, thread_root, mentions, shadowed_at from messages
    where room_id = $1 and sender_id = $2 and deleted_at is null ${chosen} limit $3
  ), shrunk as (
    select thread_root as seq, count(*)::int as replies from gone where thread_root is not null and shadowed_at is null group by thread_root
  ), touched as materialized (
    select seq, gone.seq is not null as dies, coalesce(replies, 0) as replies, row_number() over (order by seq) as place
    from gone full join shrunk using (seq)
  ), changed as (
    update messages message set
      rev = $4 + place, reply_count = message.reply_count - replies,
      text = case when dies then '' else text end, meta = case when not dies then meta end,
      reactions = case when not dies then reactions end, pinned_at = case when not dies then pinned_at end,
      pinned_by = case when not dies then pinned_by end, deleted_at = case when dies then $5 else deleted_at end,
      deleted_by = case when dies then $6 else deleted_by end
    from touched where message.room_id = $1 and message.seq = touched.seq
    returning dies
  ), versions as (
    delete from message_versions using gone where room_id = $1 and message_versions.seq = gone.seq
  ), reacted as (
    delete from reactions using gone where room_id = $1 and reactions.seq = gone.seq
  ), pinned as (
    delete from pins using gone where room_id = $1 and pins.seq = gone.seq
  ), reported as (
    update reports set answered_at = $5, answered_by = $6 from gone
    where room_id = $1 and reports.seq = gone.seq and answered_at is null
  ), mentioned as (
    delete from mentions using (
      select seq, named.id::uuid as user_id from gone cross join lateral jsonb_array_elements_text(gone.mentions -> 'users') named(id)
      union all
      select seq, '00000000-0000-0000-0000-000000000000' from gone where (gone.mentions ->> 'room')::boolean
    ) named
    where room_id = $1 and mentions.user_id = named.user_id and mentions.seq = named.seq
  )
  select count(*)::int as touched, count(*) filter (where dies)::int as deleted from changed`;

const ALL = purging('order by client_msg_id');
const LATE = purging(`and seq >= (select seq_at($1, $5::timestamptz - make_interval(secs => $7))) order by seq desc`);

/**
 * Deletes what the user said in the room for everyone, as `message:delete` does; at most `limits.purge` messages at a time. The revs
 * are taken and told by nobody: every instance reads them from the database.
 * @param by null for an admin
 * @param lastS only what was sent in so many seconds until now
 */
export async function purge(
  { manager, room, now }: LockedRoom,
  userId: string,
  by: string | null,
  lastS?: number,
): Promise<Purged> {
  const rows: unknown = await manager.query(lastS === undefined ? ALL : LATE, [
    room.id,
    userId,
    limits.purge,
    room.rev,
    now,
    by,
    ...(lastS === undefined ? [] : [lastS]),
  ]);
  const [{ touched, deleted } = { touched: 0, deleted: 0 }] = rows as { touched: number; deleted: number }[];
  room.rev += touched;
  return { deleted, more: deleted === limits.purge };
}
