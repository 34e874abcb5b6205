import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { PlainClient } from '../client.js';
import { startInstance } from '../instance.js';

describe('a database role with no rights but those of its own database', () => {
  const name = `plain_${randomUUID().replaceAll('-', '')}`;
  const admin = new pg.Client({ connectionString: process.env['TEST_POSTGRES_URL'] ?? '' });

  beforeAll(async () => {
    await admin.connect();
    await admin.query(`create role ${name} login password 'only-for-this-test'`);
    await admin.query(`create database ${name} owner ${name}`);
    await admin.query(`revoke connect on database ${name} from public`);
  });
  afterAll(async () => {
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.query(`drop role if exists ${name}`);
    await admin.end();
  });

  it('is enough to make the schema and to serve', async () => {
    const url = new URL(process.env['TEST_POSTGRES_URL'] ?? '');
    Object.assign(url, { username: name, password: 'only-for-this-test', pathname: name });
    const instance = await startInstance(url.href);
    const client = await PlainClient.connect(instance.url, 'ann');
    const { room } = await client.ask('room:create', { name: 'Plain' });
    const sent = await client.ask('message:send', { roomId: room.id, clientMsgId: '1', text: 'hello' });
    expect(sent.message.seq).toBe(1);
    const role = await admin.query('select rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = $1', [
      name,
    ]);
    expect(role.rows).toEqual([{ rolsuper: false, rolcreatedb: false, rolcreaterole: false }]);
    client.close();
    await instance.stop();
  });
});
