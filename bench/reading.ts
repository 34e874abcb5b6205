import type { Postgres } from '../verify/processes/postgres.js';
import { tokenOf } from '../verify/processes/token.js';
import { BenchClient } from './load/client.js';
import { dialects } from './load/dialect.js';
import { Histogram } from './load/histogram.js';
import { contenders, startContender, type Backing } from './servers/contenders.js';

const rooms = 2_000;
const users = 1_000;
/** The rooms of him who reads: the largest, and as many small ones. */
const ownRooms = 200;
const page = 50;
const pages = 2_000;
const syncs = 300;

/** W5: what it costs to read where much is stored. Times of one client that asks for one thing after another, in ms. */
export interface Reading {
  messages: number;
  fillSeconds: number;
  historyP50: number;
  historyP99: number;
  /** Of a client that has missed nothing in any of 200 rooms. */
  currentSyncP50: number;
  currentSyncP99: number;
  /** Of a client that knows nothing yet of 200 rooms. */
  firstSyncP50: number;
  firstSyncP99: number;
}

/** @param messages how many there are in all rooms together, most of them in few */
export async function measureReading(backing: Backing, messages: number): Promise<Reading> {
  const parley = contenders.find(({ name }) => name === 'Parley');
  if (parley === undefined) throw new Error('Parley is not among the contenders');
  const { servers, databaseUrl } = await startContender(parley, backing);
  try {
    const url = servers[0]?.url ?? '';
    const token = await tokenOf('reader');
    // He exists from his first visit on.
    (await BenchClient.connect(url, dialects.parley, token)).close();
    const since = performance.now();
    const heads = await fill(backing.postgres, databaseUrl, messages);
    const fillSeconds = (performance.now() - since) / 1_000;
    const client = await BenchClient.connect(url, dialects.parley, token);
    let number = 0;
    const timed = async (times: Histogram, event: string, request: object): Promise<string> => {
      number += 1;
      const asked = performance.now();
      const answer = await client.ask(number, `42${number}${JSON.stringify([event, request])}`);
      if (!answer.includes('"ok":true')) throw new Error(`${event}: ${answer}`);
      times.add(performance.now() - asked);
      return answer;
    };
    const [history, first, current] = [new Histogram(), new Histogram(), new Histogram()];
    for (let i = 0; i < pages; i++) {
      const [roomId, head] = heads[i % heads.length] ?? ['', 1];
      await timed(history, 'history:get', { roomId, before: 1 + Math.floor(Math.random() * head), limit: page });
    }
    let answer = '';
    for (let i = 0; i < syncs / 10; i++) answer = await timed(first, 'rooms:sync', { cursors: {} });
    const epoch = /"epoch":"([^"]+)"/.exec(answer)?.[1];
    const cursors = Object.fromEntries(heads);
    for (let i = 0; i < syncs; i++) await timed(current, 'rooms:sync', { epoch, cursors });
    client.close();
    return {
      messages,
      fillSeconds,
      historyP50: history.quantile(0.5),
      historyP99: history.quantile(0.99),
      currentSyncP50: current.quantile(0.5),
      currentSyncP99: current.quantile(0.99),
      firstSyncP50: first.quantile(0.5),
      firstSyncP99: first.quantile(0.99),
    };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/**
 * Rooms whose sizes fall off as 1/n, and one reader who is in the largest hundred and in every nineteenth of the others. Made inside
 * Postgres, which is faster than any way into it. @returns his rooms and the newest seq of each, which is its rev, too
 */
async function fill(postgres: Postgres, databaseUrl: string, messages: number): Promise<[string, number][]> {
  const client = await postgres.connect(databaseUrl);
  try {
    await client.query(
      `insert into users (id, kind, subject, name)
       select gen_random_uuid(), 'app', 'writer-' || n, 'Writer ' || n from generate_series(1, $1) n`,
      [users],
    );
    await client.query(
      `create temporary table sizes as
       select n, gen_random_uuid() as id, greatest(1, round($2 / n / (select sum(1.0 / m) from generate_series(1, $1::int) m)))::int as size
       from generate_series(1, $1::int) n`,
      [rooms, messages],
    );
    await client.query(
      `insert into rooms (id, name, topic, visibility, created_by, member_count, seq, rev)
       select id, 'Room ' || n, '', 'public', (select id from users where subject = 'writer-1'), 1, size, size from sizes`,
    );
    await client.query(
      `insert into messages (room_id, seq, rev, sender_id, client_msg_id, fingerprint, text, created_at)
       select sizes.id, seq, seq, writer.id, 'm' || seq, '\\x00', rpad('Message ' || seq, 200, ' and more of it'),
              now() - (sizes.size - seq) * interval '1 s'
       from sizes cross join lateral generate_series(1, sizes.size) seq
       join (select id, row_number() over (order by subject) as n from users where subject like 'writer-%') writer
         on writer.n = 1 + (sizes.n + seq) % $1`,
      [users],
    );
    const { rows } = await client.query<{ room_id: string; size: number }>(
      `insert into memberships (room_id, user_id, role, rev, joined_at)
       select id, (select id from users where subject = 'reader'), 'member', 1, now()
       from sizes where n <= $1 / 2 or (n > $1 / 2 and n % 19 = 0 and n <= $1 / 2 + 19 * $1 / 2)
       returning room_id, (select size from sizes where id = room_id)`,
      [ownRooms],
    );
    await client.query('vacuum analyze');
    return rows.map(({ room_id: roomId, size }) => [roomId, size]);
  } finally {
    await client.end();
  }
}
