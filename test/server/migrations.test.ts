import pg from 'pg';
import { migrate } from '../../src/database/migrate.js';
import { migrations } from '../../src/database/migrations/index.js';
import { PlainClient } from '../client.js';
import { createDatabase } from '../environment/database.js';
import { startInstance } from '../instance.js';
import { Cluster } from './cluster.js';

describe('an empty database', () => {
  it('is migrated once by five instances that start at once, and all of them serve', async () => {
    const database = await createDatabase();
    const start = () => startInstance(database.url, process.env['TEST_REDIS_URL']);
    const cluster = await Cluster.of(await Promise.all([1, 2, 3, 4, 5].map(start)), database);
    try {
      const ran = await cluster.query<{ name: string }>('select name from migrations order by id');
      expect(ran.map(({ name }) => name)).toEqual(migrations.map(({ name }) => name));
      const clients = await Promise.all(cluster.instances.map((_, i) => cluster.connect(`user-${i}`, i)));
      const { room } = await (clients[0] as PlainClient).ask('room:create', { name: 'All of us' });
      for (const client of clients.slice(1)) await client.ask('room:join', { roomId: room.id });
      for (const [i, client] of clients.entries())
        await client.ask('message:send', { roomId: room.id, clientMsgId: 'hello', text: `From ${i}` });
      for (const client of clients) await client.until(() => client.textsOf(room.id).length >= 5);
      const epochs = new Set(clients.map(({ session }) => session.epoch));
      expect(epochs.size).toBe(1);
    } finally {
      await cluster.stop();
    }
  });

  it('is migrated once by calls that race, one of which does it all', async () => {
    const database = await createDatabase();
    const ran = await Promise.all([1, 2, 3, 4, 5].map(() => migrate({ url: database.url, poolSize: 2 })));
    expect(ran.filter((names) => names.length > 0)).toEqual([migrations.map(({ name }) => name)]);
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const locks = await client.query(
      `select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
    );
    expect(locks.rowCount).toBe(0);
    await client.end();
    await database.drop();
  });
});
