import type pg from 'pg';

/** A room as a benchmark fills it in, by SQL, because asking for each joining would take longer than the measuring. */
export interface FilledRoom {
  id: string;
  /** Users of the app, by the subjects of their tokens; the first is the owner. They exist from then on. */
  members: string[];
}

const inserted = 100_000;

/** Rooms without messages. Each joining has its rev, as if everybody had asked for it. */
export async function fillRooms(client: pg.Client, rooms: readonly FilledRoom[]): Promise<void> {
  await fillUsers(client, [...new Set(rooms.flatMap(({ members }) => members))]);
  await client.query(
    `insert into rooms (id, name, topic, visibility, created_by, member_count, rev)
     select room.id, 'Room', '', 'public', users.id, room.size, room.size
     from unnest($1::uuid[], $2::text[], $3::int[]) as room(id, owner, size)
     join users on users.kind = 'app' and users.subject = room.owner`,
    [rooms.map(({ id }) => id), rooms.map(({ members }) => members[0]), rooms.map(({ members }) => members.length)],
  );
  await client.query(
    `insert into memberships (room_id, user_id, role, rev, joined_at)
     select member.room_id, users.id, case member.rev when 1 then 'owner' else 'member' end, member.rev, now()
     from unnest($1::uuid[], $2::text[], $3::int[]) as member(room_id, subject, rev)
     join users on users.kind = 'app' and users.subject = member.subject`,
    [
      rooms.flatMap(({ id, members }) => members.map(() => id)),
      rooms.flatMap(({ members }) => members),
      rooms.flatMap(({ members }) => members.map((_, i) => i + 1)),
    ],
  );
  // Not the messages: of a table that was looked at while it was empty Postgres believes that it stays so.
  await client.query('vacuum analyze users, rooms, memberships');
}

/**
 * So many messages in these rooms, falling off as 1/n, in the order in which a year would have brought them: what stands together in
 * a room stands apart in the table. Made inside Postgres, without indexes, which are made again at the end.
 */
export async function fillMessages(
  client: pg.Client,
  roomIds: readonly string[],
  writers: readonly string[],
  messages: number,
): Promise<void> {
  await fillUsers(client, writers);
  await client.query(`set synchronous_commit = off`);
  await client.query(`set maintenance_work_mem = '1GB'`);
  await client.query(`set work_mem = '256MB'`);
  const makeIndexes = await dropIndexes(client);
  await client.query(
    `create temporary table sizes as
     select id, n, members, greatest(1, round($2 / n / (select sum(1.0 / m) from generate_series(1, cardinality($1::uuid[])) m)))::bigint as size
     from unnest($1::uuid[]) with ordinality as room(id, n) join (select id, member_count as members from rooms) room_of using (id)`,
    [roomIds, messages],
  );
  await client.query(
    `create temporary table writers as
     select users.id, n from unnest($1::text[]) with ordinality as writer(subject, n) join users using (subject)`,
    [writers],
  );
  await client.query('analyze sizes, writers');
  const parts = Math.ceil(messages / inserted);
  for (let part = 0; part < parts; part++) {
    await client.query(
      `insert into messages (room_id, seq, rev, sender_id, client_msg_id, fingerprint, text, created_at)
       select sizes.id, seq, members + seq, writers.id, 'm' || seq, '\\x00', rpad('Message ' || seq, 200, ' and more of it'),
              now() - (1 - seq::float / size) * interval '365 days'
       from sizes
       cross join lateral generate_series(size * $1 / $2 + 1, size * ($1 + 1) / $2) seq
       join writers on writers.n = 1 + (sizes.n + seq) % $3
       order by seq::float / size`,
      [part, parts, writers.length],
    );
  }
  await makeIndexes();
  await client.query('update rooms set seq = size, rev = rev + size from sizes where sizes.id = rooms.id');
  await client.query('vacuum analyze');
  await client.query('checkpoint');
}

function fillUsers(client: pg.Client, subjects: readonly string[]): Promise<unknown> {
  return client.query(
    `insert into users (id, kind, subject, name)
     select gen_random_uuid(), 'app', subject, subject from unnest($1::text[]) subject
     on conflict (kind, subject) do nothing`,
    [subjects],
  );
}

/** Of the table of messages, whatever they are. @returns what makes them again */
async function dropIndexes(client: pg.Client): Promise<() => Promise<void>> {
  const { rows: keys } = await client.query<{ name: string; definition: string }>(
    `select conname as name, pg_get_constraintdef(oid) as definition from pg_constraint
     where conrelid = 'messages'::regclass and contype in ('p', 'u')`,
  );
  const { rows: indexes } = await client.query<{ name: string; definition: string }>(
    `select indexname as name, indexdef as definition from pg_indexes
     where schemaname = current_schema() and tablename = 'messages' and indexname <> all($1)`,
    [keys.map(({ name }) => name)],
  );
  for (const { name } of keys) await client.query(`alter table messages drop constraint ${name}`);
  for (const { name } of indexes) await client.query(`drop index ${name}`);
  return async () => {
    for (const { name, definition } of keys)
      await client.query(`alter table messages add constraint ${name} ${definition}`);
    for (const { definition } of indexes) await client.query(definition);
  };
}
