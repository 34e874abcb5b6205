import { createClient } from 'redis';
import pg from 'pg';
import { createDatabase } from './database.js';

describe('the test environment', () => {
  it('gives each file an empty UTF-8 database of a Postgres that syncs its commits', async () => {
    const database = await createDatabase();
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const settings = await client.query<{ name: string; setting: string }>(
      "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'server_encoding', 'listen_addresses', 'max_connections')",
    );
    expect(Object.fromEntries(settings.rows.map(({ name, setting }) => [name, setting]))).toEqual({
      fsync: 'on',
      synchronous_commit: 'on',
      server_encoding: 'UTF8',
      listen_addresses: '127.0.0.1',
      max_connections: '200',
    });
    const tables = await client.query("SELECT FROM pg_tables WHERE schemaname = 'public'");
    expect(tables.rowCount).toBe(0);
    await client.end();
    await database.drop();
    await expect(new pg.Client({ connectionString: database.url }).connect()).rejects.toThrow('does not exist');
  });

  it('has a Redis', async () => {
    const redis = createClient({ url: process.env['TEST_REDIS_URL'] ?? '' });
    await redis.connect();
    expect(await redis.ping()).toBe('PONG');
    redis.destroy();
  });
});
