import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { fillMessages, fillRooms } from '../../bench/fill.js';
import { migrate } from '../../src/database/migrate.js';
import { limits } from '../../src/protocol/index.js';
import { ReadStates } from '../../src/reads/read-states.js';
import { createDatabase } from '../environment/database.js';

describe('what is unread', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let client: pg.Client;
  /** The first has thousands of messages, most have a few. */
  const roomIds = Array.from({ length: 1_000 }, () => randomUUID());

  beforeAll(async () => {
    database = await createDatabase();
    await migrate({ url: database.url, poolSize: 2 });
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await fillRooms(
      client,
      roomIds.map((id) => ({ id, members: ['reader', 'writer'] })),
    );
    await fillMessages(client, roomIds, ['writer'], 60_000);
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  it('is counted from the newest message back, however long the room is, and not at all behind the marker', async () => {
    const [first = ''] = roomIds;
    const { rows } = await client.query<{ id: string }>(`select id from users where subject = 'reader'`);
    const userId = rows[0]?.id ?? '';
    const { rows: counted } = await client.query<{ seq: string }>('select seq from rooms where id = $1', [first]);
    expect(Number(counted[0]?.seq)).toBeGreaterThan(5_000);

    expect(await readOf(userId, first)).toEqual({ unread: limits.unreadCap, read: expect.any(Number) as number });
    // The cursor of the function is some rows ahead of it.
    expect((await readOf(userId, first)).read).toBeLessThan(2 * limits.unreadCap);
    await client.query('update memberships set read_seq = 1000000 where user_id = $1', [userId]);
    expect(await readOf(userId, first)).toEqual({ unread: 0, read: 0 });
  });

  /** How many rows of messages it reads. */
  async function readOf(userId: string, roomId: string): Promise<{ unread: number | undefined; read: number }> {
    const states = new ReadStates({
      query: (text: string, values: unknown[]) => client.query(text, values).then(({ rows }): unknown => rows),
    } as DataSource);
    const readSoFar = async (): Promise<number> => {
      const { rows } = await client.query<{ read: number }>(
        `select (seq_tup_read + idx_tup_fetch)::int as read from pg_stat_xact_user_tables where relname = 'messages'`,
      );
      return rows[0]?.read ?? 0;
    };
    // Of one transaction, in which nothing of it goes elsewhere between the two looks.
    await client.query('begin');
    const before = await readSoFar();
    const found = await states.of(userId, [roomId]);
    const read = (await readSoFar()) - before;
    await client.query('commit');
    return { unread: found.get(roomId)?.unread, read };
  }
});
