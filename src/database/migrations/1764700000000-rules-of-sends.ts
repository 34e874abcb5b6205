import type { MigrationInterface, QueryRunner } from 'typeorm';
import { sendMessagesInSets } from './1764400000000-send-in-sets.js';

/**
 * `send_messages` asks for the rules of the room (who may speak, who is muted, and how often), and takes replies, threads, mentions
 * and `meta` in one parameter, which is null for a batch where nobody uses them; nothing of them is looked at then.
 */
export class RulesOfSends1764700000000 implements MigrationInterface {
  name = 'RulesOfSends1764700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('drop function send_messages');
    await runner.query(sendMessagesByRules);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop function send_messages');
    await runner.query(sendMessagesInSets);
  }
}

/**
 * As before, and refuses readers, everyone but those who govern where the room is read-only, who is muted, and who sends again too
 * soon where there is slow mode. All of that stands in the rows of the room and the membership, which are read anyway. When he sent
 * last is kept only where there is slow mode; of one batch the first send of a member is taken, as though each had come alone.
 * The roles are those of `permissions`, which a test holds this against.
 *
 * p_extras has what only some of the messages have: \`{ items: [{ place, reply_to, thread_root, mentions, meta }],
 * room_callers: [role, …] }\`, where \`place\` counts the messages from 1 and \`room_callers\` may mention the whole room.
 *
 * A thread grows by one change of its root a batch: the roots take the revs after those of the messages of their room, in the order
 * of their seqs. Whoever calls this knows how many there are, and reads them after the commit.
 */
export const sendMessagesByRules = `
create function send_messages(
  p_room_ids uuid[], p_sender_ids uuid[], p_client_msg_ids text[], p_fingerprints bytea[], p_texts text[], p_wait boolean,
  p_patience_ms int default 0, p_extras jsonb default null
) returns table (outcome text, seq bigint, rev bigint, created_at timestamptz, retry_after_ms int)
language plpgsql
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
  ids uuid[];
  seqs bigint[];
  revs bigint[];
  public boolean[];
  archived boolean[];
  read_only boolean[];
  slow_s int[];
  sender uuid;
  stored_at timestamptz;
begin
  if p_wait then
    if p_patience_ms > 0 then
      perform set_config('lock_timeout', p_patience_ms::text, true);
    end if;
    select array_agg(r.id), array_agg(r.seq), array_agg(r.rev), array_agg(r.visibility = 'public'), array_agg(r.archived_at is not null),
        array_agg(r.read_only), array_agg(r.slow_mode_s)
      into ids, seqs, revs, public, archived, read_only, slow_s
      from (select * from rooms where id = any(p_room_ids) order by id for no key update) r;
  else
    select array_agg(r.id), array_agg(r.seq), array_agg(r.rev), array_agg(r.visibility = 'public'), array_agg(r.archived_at is not null),
        array_agg(r.read_only), array_agg(r.slow_mode_s)
      into ids, seqs, revs, public, archived, read_only, slow_s
      from (select * from rooms where id = any(p_room_ids) order by id for no key update skip locked) r;
  end if;
  stored_at := date_trunc('milliseconds', clock_timestamp());

  if p_extras is null then
    return query ${storing({ extras: false })};
  else
    return query ${storing({ extras: true })};
  end if;

  -- Few rooms have slow mode. As a part of the statements above their plan reads all memberships that there are.
  if 0 < any(slow_s) then
    for i in 1 .. array_length(ids, 1) loop
      continue when slow_s[i] = 0;
      for sender in select distinct m.sender_id from messages m where m.room_id = ids[i] and m.seq > seqs[i] loop
        update memberships m set last_sent_at = stored_at where m.room_id = ids[i] and m.user_id = sender;
      end loop;
    end loop;
  end if;
end
$$`;

/** Judges, numbers and stores; one row a message, in their order. */
function storing({ extras }: { extras: boolean }): string {
  const where = (text: string): string => (extras ? text : '');
  return `
    with judged as (
      select item.*, room.seq as head_seq, room.rev as head_rev, known.seq as known_seq, known.rev as known_rev,
        room.slow_s, member.last_sent_at,
        ${where('extra.reply_to, extra.thread_root, extra.mentions, extra.meta,')}
        case
          when room.id is null then
            case when (select true from rooms r where r.id = item.room_id) then 'busy' else 'not_found' end
          when known.seq is not null then
            case when known.fingerprint = item.fingerprint then 'duplicate' else 'idempotency_mismatch' end
          when member.user_id is null then
            case
              when (
                select true from room_bans ban
                where ban.room_id = item.room_id and ban.user_id = item.sender_id and (ban.until is null or ban.until > stored_at)
                  and (room.public or exists (
                    select from memberships m where m.room_id = item.room_id and m.user_id = item.sender_id
                  ))
              ) then 'banned'
              when room.public then 'not_member'
              else 'not_found'
            end
          when room.archived then 'room_archived'
          when member.role = 'reader' then 'reader'
          when room.read_only and member.role not in ('owner', 'moderator') then 'read_only'
          when member.muted_until > stored_at then 'muted'
          when room.slow_s > 0 and member.role not in ('owner', 'moderator') and (
            member.last_sent_at + make_interval(secs => room.slow_s) > stored_at
            or exists (
              select from unnest(p_room_ids, p_sender_ids) with ordinality as earlier(room_id, sender_id, position)
              where earlier.room_id = item.room_id and earlier.sender_id = item.sender_id and earlier.position < item.position
            )
          ) then 'slow_mode'
          ${where(`
          when (extra.mentions ->> 'room')::boolean and not p_extras -> 'room_callers' ? member.role then 'no_room_mention'
          when extra.reply_to is not null and not exists (
            select from messages m where m.room_id = item.room_id and m.seq = extra.reply_to and m.seq > member.visible_after
          ) then 'nothing_to_reply_to'
          when extra.thread_root is not null and not exists (
            select from messages m where m.room_id = item.room_id and m.seq = extra.thread_root and m.thread_root is null
              and m.seq > member.visible_after
          ) then 'no_thread'`)}
          else 'stored'
        end as outcome
      from unnest(p_room_ids, p_sender_ids, p_client_msg_ids, p_fingerprints, p_texts)
        with ordinality as item(room_id, sender_id, client_msg_id, fingerprint, text, position)
      ${where(`
      left join jsonb_to_recordset(p_extras -> 'items')
        as extra(place int, reply_to bigint, thread_root bigint, mentions jsonb, meta jsonb) on extra.place = item.position`)}
      left join unnest(ids, seqs, revs, public, archived, read_only, slow_s)
        as room(id, seq, rev, public, archived, read_only, slow_s) on room.id = item.room_id
      left join lateral (
        select m.seq, m.rev, m.fingerprint from messages m
        where m.room_id = item.room_id and m.sender_id = item.sender_id and m.client_msg_id = item.client_msg_id
        limit 1
      ) known on true
      left join lateral (
        select m.user_id, m.role, m.muted_until, m.last_sent_at${where(', m.visible_after')} from memberships m
        where m.room_id = item.room_id and m.user_id = item.sender_id and m.left_at is null
        limit 1
      ) member on true
    ), numbered as materialized (
      select *, row_number() over (partition by room_id, outcome order by position) as place from judged
    ), inserted as (
      insert into messages (room_id, seq, rev, sender_id, client_msg_id, fingerprint, text, created_at${where(', reply_to, thread_root, mentions, meta')})
        select room_id, head_seq + place, head_rev + place, sender_id, client_msg_id, fingerprint, text, stored_at${where(', reply_to, thread_root, mentions, meta')}
        from numbered where outcome = 'stored'
    ), ${where(`replying as (
      insert into thread_replies (room_id, root, seq)
        select room_id, thread_root, head_seq + place from numbered where outcome = 'stored' and thread_root is not null
    ), mentioning as (
      insert into mentions (room_id, user_id, seq)
        select room_id, '00000000-0000-0000-0000-000000000000', head_seq + place
        from numbered where outcome = 'stored' and (mentions ->> 'room')::boolean
        union all
        select numbered.room_id, member.user_id, head_seq + place
        from numbered
        cross join lateral jsonb_array_elements_text(mentions -> 'users') as named(id)
        join memberships member
          on member.room_id = numbered.room_id and member.user_id = named.id::uuid and member.left_at is null
        where outcome = 'stored' and not (mentions ->> 'room')::boolean and member.user_id <> sender_id
    ), grown as (
      select room_id, thread_root, count(*) as replies,
        row_number() over (partition by room_id order by thread_root) as rank
      from numbered where outcome = 'stored' and thread_root is not null group by room_id, thread_root
    ), rooted as (
      update messages root set rev = added.rev + grown.rank, reply_count = coalesce(root.reply_count, 0) + grown.replies,
          last_reply_at = stored_at
        from grown
        join (
          select room_id, max(head_rev + place) as rev from numbered where outcome = 'stored' group by room_id
        ) added on added.room_id = grown.room_id
        where root.room_id = grown.room_id and root.seq = grown.thread_root
    ), `)}moved as (
      update rooms set seq = seq + added.count, rev = rev + added.count${where(`
          + (select count(*) from grown where grown.room_id = rooms.id)`)}
        from (select room_id, max(place) as count from numbered where outcome = 'stored' group by room_id) added
        where id = added.room_id
    )
    select outcome,
      case outcome when 'stored' then head_seq + place else known_seq end,
      case outcome when 'stored' then head_rev + place else known_rev end,
      stored_at,
      case outcome when 'slow_mode' then
        coalesce(ceil(extract(epoch from nullif(greatest(last_sent_at + make_interval(secs => slow_s), stored_at), stored_at) - stored_at) * 1000), slow_s * 1000)::int
      end
    from numbered order by position`;
}
