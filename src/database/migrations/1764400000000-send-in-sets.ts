import type { MigrationInterface, QueryRunner } from 'typeorm';
import { sendMessages } from './1763800000000-foundation.js';

/**
 * `send_messages` in two statements, whatever the number of rooms and messages: one locks the rooms, one does all the rest.
 * It is called as before, and outcomes and order of locks are those of before, so instances of both versions can run at
 * the same time.
 */
export class SendInSets1764400000000 implements MigrationInterface {
  name = 'SendInSets1764400000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('drop function send_messages');
    await runner.query(sendMessagesInSets);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop function send_messages');
    await runner.query(sendMessages);
  }
}

/**
 * Stores a batch of messages of many senders in many rooms; gives one row for each, in the order given.
 *
 * Precondition: no (room, sender, client_msg_id) stands in the arrays twice. Rooms are locked in the order of their ids, so two
 * batches can never wait for each other in a circle.
 *
 * With p_wait false a room that someone else has locked is passed over: its sends come back as \`busy\` and the others do
 * not wait for it. The caller sends those again with p_wait true; it then waits, with a p_patience_ms above 0 at most so long
 * for each lock, and fails with lock_not_available.
 *
 * Each statement of a volatile function sees what was committed before that statement: so once the rooms are locked, the
 * second one sees every send that ever got a number there. (One statement that does both looks with the snapshot from
 * before the wait, and stores doubles.)
 *
 * The settings and the \`limit 1\` keep its plan what it is: made once, not for every size of batch, and with one look into an
 * index for each message, also where it was made while the tables were empty or small. They grow, and the plan stays.
 */
export const sendMessagesInSets = `
create function send_messages(
  p_room_ids uuid[], p_sender_ids uuid[], p_client_msg_ids text[], p_fingerprints bytea[], p_texts text[], p_wait boolean,
  p_patience_ms int default 0
) returns table (outcome text, seq bigint, rev bigint, created_at timestamptz)
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
  stored_at timestamptz;
begin
  if p_wait then
    if p_patience_ms > 0 then
      perform set_config('lock_timeout', p_patience_ms::text, true);
    end if;
    select array_agg(r.id), array_agg(r.seq), array_agg(r.rev), array_agg(r.visibility = 'public'), array_agg(r.archived_at is not null)
      into ids, seqs, revs, public, archived
      from (select * from rooms where id = any(p_room_ids) order by id for no key update) r;
  else
    select array_agg(r.id), array_agg(r.seq), array_agg(r.rev), array_agg(r.visibility = 'public'), array_agg(r.archived_at is not null)
      into ids, seqs, revs, public, archived
      from (select * from rooms where id = any(p_room_ids) order by id for no key update skip locked) r;
  end if;
  stored_at := date_trunc('milliseconds', clock_timestamp());

  return query
    with judged as (
      select item.*, room.seq as head_seq, room.rev as head_rev, known.seq as known_seq, known.rev as known_rev,
        case
          when room.id is null then
            case when (select true from rooms r where r.id = item.room_id) then 'busy' else 'not_found' end
          when known.seq is not null then
            case when known.fingerprint = item.fingerprint then 'duplicate' else 'idempotency_mismatch' end
          when member.user_id is null then
            case when room.public then 'not_member' else 'not_found' end
          when room.archived then 'room_archived'
          else 'stored'
        end as outcome
      from unnest(p_room_ids, p_sender_ids, p_client_msg_ids, p_fingerprints, p_texts)
        with ordinality as item(room_id, sender_id, client_msg_id, fingerprint, text, position)
      left join unnest(ids, seqs, revs, public, archived) as room(id, seq, rev, public, archived) on room.id = item.room_id
      left join lateral (
        select m.seq, m.rev, m.fingerprint from messages m
        where m.room_id = item.room_id and m.sender_id = item.sender_id and m.client_msg_id = item.client_msg_id
        limit 1
      ) known on true
      left join lateral (
        select m.user_id from memberships m
        where m.room_id = item.room_id and m.user_id = item.sender_id and m.left_at is null
        limit 1
      ) member on true
    ), numbered as materialized (
      select *, row_number() over (partition by room_id, outcome order by position) as place from judged
    ), inserted as (
      insert into messages (room_id, seq, rev, sender_id, client_msg_id, fingerprint, text, created_at)
        select room_id, head_seq + place, head_rev + place, sender_id, client_msg_id, fingerprint, text, stored_at
        from numbered where outcome = 'stored'
    ), moved as (
      update rooms set seq = seq + added.count, rev = rev + added.count
        from (select room_id, max(place) as count from numbered where outcome = 'stored' group by room_id) added
        where id = added.room_id
    )
    select outcome,
      case outcome when 'stored' then head_seq + place else known_seq end,
      case outcome when 'stored' then head_rev + place else known_rev end,
      stored_at
    from numbered order by position;
end
$$`;
