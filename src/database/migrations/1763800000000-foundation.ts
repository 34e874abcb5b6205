import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Users, rooms, memberships, messages, and the statement that stores messages.
 *
 * `rooms.seq` and `rooms.rev` move only under the lock of the room's row, in the transaction that writes what they number:
 * commit order is number order, and there are no gaps.
 */
export class Foundation1763800000000 implements MigrationInterface {
  name = 'Foundation1763800000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create extension if not exists pg_trgm`);

    await runner.query(`
      create table server_state (
        only_row boolean primary key default true check (only_row),
        epoch text not null
      )`);
    await runner.query(`insert into server_state (epoch) values (substr(md5(gen_random_uuid()::text), 1, 12))`);

    await runner.query(`
      create table users (
        id uuid primary key,
        kind text not null check (kind in ('app', 'guest')),
        -- the app's own id of the user (the token's subject); guests have none
        subject text,
        name text not null,
        created_at timestamptz(3) not null default now(),
        unique (kind, subject)
      )`);

    await runner.query(`
      create table rooms (
        id uuid primary key,
        name text not null,
        topic text not null,
        visibility text not null check (visibility in ('public', 'private')),
        created_by uuid not null references users (id),
        created_at timestamptz(3) not null default now(),
        archived_at timestamptz(3),
        member_count int not null default 0,
        -- the position of the newest message
        seq bigint not null default 0,
        -- the number of the newest change of anything in the room
        rev bigint not null default 0,
        -- the number of the newest change of the columns above member_count
        settings_rev bigint not null default 0
      ) with (fillfactor = 70)`); // room for HOT updates: the counters move with every write
    await runner.query(
      `create index rooms_public on rooms (lower(name), id) where visibility = 'public' and archived_at is null`,
    );
    await runner.query(`create index rooms_name_search on rooms using gin (lower(name) gin_trgm_ops)`);

    await runner.query(`
      create table memberships (
        room_id uuid not null references rooms (id),
        user_id uuid not null references users (id),
        role text not null check (role in ('owner', 'member')),
        rev bigint not null,
        joined_at timestamptz(3) not null,
        left_at timestamptz(3),
        primary key (room_id, user_id)
      )`);
    await runner.query(`create index memberships_of_user on memberships (user_id, room_id) where left_at is null`);
    await runner.query(`create index memberships_rev on memberships (room_id, rev)`);

    // No foreign keys here: send_messages, the only writer, holds the room's lock and has seen the membership,
    // and a key check a row would cost more than the row.
    await runner.query(`
      create table messages (
        room_id uuid not null,
        seq bigint not null,
        rev bigint not null,
        sender_id uuid not null,
        client_msg_id text not null,
        -- tells a retry from another message under the same client_msg_id, also after an edit
        fingerprint bytea not null,
        text text not null,
        created_at timestamptz(3) not null,
        deleted_at timestamptz(3),
        primary key (room_id, seq),
        constraint messages_sent_once unique (room_id, sender_id, client_msg_id)
      )`);
    await runner.query(`create index messages_rev on messages (room_id, rev)`);

    await runner.query(sendMessages);
    await runner.query(seqAt);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop function send_messages, seq_at`);
    await runner.query(`drop table messages, memberships, rooms, users, server_state`);
  }
}

/**
 * Stores a batch of messages of many senders in many rooms; gives one row for each, in the order given.
 *
 * Precondition: the arrays are ordered by room id, so that two batches can never wait for each other in a circle, and no
 * (room, sender, client_msg_id) stands in them twice.
 *
 * With p_wait false a room that someone else has locked is passed over: its sends come back as \`busy\` and the others do
 * not wait for it. The caller sends those again with p_wait true.
 *
 * Each statement of a volatile function sees what was committed before that statement: so after the lock of the room
 * is held, the look for an earlier send of the same client_msg_id sees every send that ever got a number there. (One
 * statement that does both looks with the snapshot from before the wait, and stores doubles.)
 */
export const sendMessages = `
create function send_messages(
  p_room_ids uuid[], p_sender_ids uuid[], p_client_msg_ids text[], p_fingerprints bytea[], p_texts text[], p_wait boolean
) returns table (outcome text, seq bigint, rev bigint, created_at timestamptz)
language plpgsql as $$
#variable_conflict use_column
declare
  item record;
  room record;
  room_id uuid;
  member_since timestamptz;
  known record;
  stored_at timestamptz;
  added int := 0;
  busy boolean;
  outcomes text[] := '{}';
  seqs bigint[] := '{}';
  revs bigint[] := '{}';
  times timestamptz[] := '{}';
begin
  for item in
    select * from unnest(p_room_ids, p_sender_ids, p_client_msg_ids, p_fingerprints)
      with ordinality as t(room_id, sender_id, client_msg_id, fingerprint, position)
  loop
    if room_id is distinct from item.room_id then
      if added > 0 then
        update rooms set seq = room.seq, rev = room.rev where id = room_id;
      end if;
      room_id := item.room_id;
      added := 0;
      if p_wait then
        select r.id, r.seq, r.rev, r.visibility, r.archived_at into room
          from rooms r where r.id = item.room_id for no key update;
      else
        select r.id, r.seq, r.rev, r.visibility, r.archived_at into room
          from rooms r where r.id = item.room_id for no key update skip locked;
      end if;
      busy := room.id is null and exists (select from rooms r where r.id = item.room_id);
      stored_at := date_trunc('milliseconds', clock_timestamp());
    end if;

    if busy then
      outcomes := outcomes || 'busy'::text;
      seqs := seqs || null::bigint;
      revs := revs || null::bigint;
      times := times || null::timestamptz;
      continue;
    end if;

    select m.seq, m.rev, m.fingerprint into known from messages m
      where m.room_id = item.room_id and m.sender_id = item.sender_id and m.client_msg_id = item.client_msg_id;
    if found then
      outcomes := outcomes || case when known.fingerprint = item.fingerprint then 'duplicate' else 'idempotency_mismatch' end;
      seqs := seqs || known.seq;
      revs := revs || known.rev;
      times := times || stored_at;
      continue;
    end if;

    select m.joined_at into member_since from memberships m
      where m.room_id = item.room_id and m.user_id = item.sender_id and m.left_at is null;
    if not found then
      outcomes := outcomes || case when room.visibility = 'public' then 'not_member' else 'not_found' end;
    elsif room.archived_at is not null then
      outcomes := outcomes || 'room_archived'::text;
    else
      added := added + 1;
      room.seq := room.seq + 1;
      room.rev := room.rev + 1;
      outcomes := outcomes || 'stored'::text;
      seqs := seqs || room.seq;
      revs := revs || room.rev;
      times := times || stored_at;
      continue;
    end if;
    seqs := seqs || null::bigint;
    revs := revs || null::bigint;
    times := times || null::timestamptz;
  end loop;
  if added > 0 then
    update rooms set seq = room.seq, rev = room.rev where id = room_id;
  end if;

  insert into messages (room_id, seq, rev, sender_id, client_msg_id, fingerprint, text, created_at)
    select t.room_id, t.seq, t.rev, t.sender_id, t.client_msg_id, t.fingerprint, t.text, t.created_at
    from unnest(p_room_ids, seqs, revs, p_sender_ids, p_client_msg_ids, p_fingerprints, p_texts, times, outcomes)
      as t(room_id, seq, rev, sender_id, client_msg_id, fingerprint, text, created_at, outcome)
    where t.outcome = 'stored';

  return query select * from unnest(outcomes, seqs, revs, times);
end
$$`;

/**
 * The seq of the first message of a room that is not older than a moment; one past the newest where there is none.
 * In a room times grow with seqs and seqs have no gaps, so halving finds it in the primary key, at any depth.
 */
const seqAt = `
create function seq_at(p_room_id uuid, p_moment timestamptz) returns bigint
language plpgsql stable as $$
declare
  low bigint := 1;
  high bigint;
  middle bigint;
begin
  select seq + 1 into high from rooms where id = p_room_id;
  while low < high loop
    middle := (low + high) / 2;
    if (select created_at >= p_moment from messages where room_id = p_room_id and seq = middle) then
      high := middle;
    else
      low := middle + 1;
    end if;
  end loop;
  return low;
end
$$`;
