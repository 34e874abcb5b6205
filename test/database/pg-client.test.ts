import pg from 'pg';
import { PgClient } from '../../src/database/pg-client.js';
import { createDatabase } from '../environment/database.js';

let database: Awaited<ReturnType<typeof createDatabase>>;
const pools: pg.Pool[] = [];

beforeAll(async () => (database = await createDatabase()));
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.end())));
afterAll(() => database.drop());

function poolOf(options: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: database.url, Client: PgClient, ...options });
  pool.on('error', () => undefined);
  pools.push(pool);
  return pool;
}

/** Of a pool of one idle connection. */
async function backendOf(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid ?? NaN;
}

/** A pool hears of the end of a connection a moment after it. */
const moment = () => new Promise((resolve) => setTimeout(resolve, 50));

const readOnly = `do $$ begin raise sqlstate '25006'; end $$`;

it.each<[string, (pool: pg.Pool) => Promise<unknown>]>([
  ['by a pool', (pool) => pool.query(readOnly)],
  [
    'by a client of its own',
    async (pool) => {
      const client = await pool.connect();
      try {
        await client.query(readOnly);
      } finally {
        client.release(true);
      }
    },
  ],
])('a server that has become read-only, found out %s, loses the idle connections of every pool', async (_, ask) => {
  const [reading, writing] = [poolOf(), poolOf()];
  const before = await backendOf(reading);
  await expect(ask(writing)).rejects.toMatchObject({ code: '25006' });
  await moment();
  expect(await backendOf(reading)).not.toBe(before);
});

it('so does one that does not answer in time', async () => {
  const [idle, asking] = [poolOf(), poolOf({ query_timeout: 100 })];
  const before = await backendOf(idle);
  await expect(asking.query('select pg_sleep(1)')).rejects.toThrow('Query read timeout');
  await moment();
  expect(await backendOf(idle)).not.toBe(before);
});

it('any other error loses nothing', async () => {
  const [idle, asking] = [poolOf(), poolOf()];
  const before = await backendOf(idle);
  await expect(asking.query('select no_such_column')).rejects.toMatchObject({ code: '42703' });
  await moment();
  expect(await backendOf(idle)).toBe(before);
});
