import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import pg from 'pg';
import { verifyChain } from '../../src/audit/verify-chain.js';
import { migrate } from '../../src/database/migrate.js';
import { oncePostgresAnswers } from '../../src/database/patience.js';
import { grantServing } from '../../src/database/serving-role.js';
import { PlainClient } from '../client.js';
import { accounts, adminKey, startInstance, type Instance } from '../instance.js';
import { AccountDesk } from '../server/account-desk.js';

describe('a database role with no rights but those of its own database', () => {
  const name = `plain_${randomUUID().replaceAll('-', '')}`;
  const admin = new pg.Client({ connectionString: process.env['TEST_POSTGRES_URL'] ?? '' });
  let roomId: string;

  beforeAll(async () => {
    await admin.connect();
    await admin.query(`create role ${name} login password 'only-for-this-test'`);
    await admin.query(`create database ${name} owner ${name}`);
    await admin.query(`revoke connect on database ${name} from public`);
  });
  afterAll(async () => {
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.query(`drop role if exists ${name}`);
    await admin.query(`drop role if exists ${name}_owner`);
    await admin.end();
  });

  it('is enough to make the schema and to serve (S-51)', async () => {
    const url = new URL(process.env['TEST_POSTGRES_URL'] ?? '');
    Object.assign(url, { username: name, password: 'only-for-this-test', pathname: name });
    const instance = await startInstance(url.href);
    const client = await PlainClient.connect(instance.url, 'ann');
    ({ id: roomId } = (await client.ask('room:create', { name: 'Plain' })).room);
    const sent = await client.ask('message:send', { roomId, clientMsgId: '1', text: 'hello' });
    expect(sent.message.seq).toBe(1);
    const role = await admin.query('select rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = $1', [
      name,
    ]);
    expect(role.rows).toEqual([{ rolsuper: false, rolcreatedb: false, rolcreaterole: false }]);
    client.close();
    await instance.stop();
  });

  it('can be made one that only serves, later (S-51)', async () => {
    const url = new URL(process.env['TEST_POSTGRES_URL'] ?? '');
    const as = (username: string) =>
      Object.assign(url, { username, password: 'only-for-this-test', pathname: name }).href;
    const inside = new pg.Client({
      connectionString: Object.assign(new URL(process.env['TEST_POSTGRES_URL'] ?? ''), { pathname: name }).href,
    });
    await inside.connect();
    for (const statement of statementsOf('second role', `${name}_owner`, name)) await inside.query(statement);
    await inside.end();
    const owning = { url: as(`${name}_owner`), poolSize: 4 };
    await migrate(owning);
    await grantServing(owning, as(name));

    const instance = await startInstance(as(name));
    const client = await PlainClient.connect(instance.url, 'ann');
    const sent = await client.ask('message:send', { roomId, clientMsgId: '2', text: 'again' });
    expect(sent.message.seq).toBe(2);
    const serving = new pg.Client({ connectionString: as(name) });
    await serving.connect();
    const refused = await serving.query('alter table messages add column mine int').then(() => 'done', codeOf);
    expect(refused).toBe('42501');
    await serving.end();
    client.close();
    await instance.stop();
  });
});

describe('a database role that only serves, beside one that owns the schema (S-51)', () => {
  const owner = `owner_${randomUUID().replaceAll('-', '')}`;
  const server = owner.replace('owner', 'server');
  const admin = new pg.Client({ connectionString: process.env['TEST_POSTGRES_URL'] ?? '' });
  let instance: Instance;
  let client: pg.Client;

  const url = (username: string) => {
    const found = new URL(process.env['TEST_POSTGRES_URL'] ?? '');
    return Object.assign(found, { username, password: 'only-for-this-test', pathname: server }).href;
  };
  const runMigrations = (owning: string) =>
    promisify(execFile)(
      process.execPath,
      ['--no-warnings', '--import', './test/environment/typescript.mjs', 'src/migrate.ts'],
      { env: { PATH: process.env['PATH'], DATABASE_URL: url(server), MIGRATION_DATABASE_URL: owning } },
    );

  beforeAll(async () => {
    await admin.connect();
    const statements = statementsOf('roles', owner, server);
    expect(statements).toHaveLength(5);
    for (const statement of statements) await admin.query(statement);
  });
  afterAll(async () => {
    await client.end();
    await instance.stop();
    await admin.query(`drop database if exists ${server} with (force)`);
    await admin.query(`drop role if exists ${server}`);
    await admin.query(`drop role if exists ${owner}`);
    await admin.end();
  });

  it('does not start before the other one has migrated, and is given its rights by that (S-51)', async () => {
    await expect(oncePostgresAnswers(() => migrate({ url: url(server), poolSize: 4 }))).rejects.toThrow(
      /^The role of DATABASE_URL may not do what is needed \(permission denied .*\): where another role migrates, run that first/,
    );
    expect((await runMigrations(url(owner))).stdout).toContain('Foundation');
    const owning = { url: url(owner), poolSize: 4 };
    const elsewhere = Object.assign(new URL(url(server)), { pathname: 'postgres' }).href;
    await expect(grantServing(owning, elsewhere)).rejects.toThrow(/^MIGRATION_DATABASE_URL leads to another database/);
    await grantServing(owning, url(server));
    await grantServing(owning, url(owner));
    instance = await startInstance(url(server), undefined, { accounts, trustProxy: 1 });
    client = new pg.Client({ connectionString: url(server) });
    await client.connect();
  });

  it('serves chat, accounts and the audit log (S-51)', async () => {
    const [ann, ben] = await Promise.all(['ann', 'ben'].map((user) => PlainClient.connect(instance.url, user)));
    if (ann === undefined || ben === undefined) throw new Error('Nobody came');
    const { room } = await ann.ask('room:create', { name: 'Plain' });
    const roomId = room.id;
    await ben.ask('room:join', { roomId });
    const sent = await ann.ask('message:send', { roomId, clientMsgId: '1', text: 'hello' });
    expect(sent.message.seq).toBe(1);
    await ann.ask('message:edit', { roomId, seq: 1, text: 'hello again' });
    await ben.ask('message:react', { roomId, seq: 1, emoji: '👍', on: true });
    await ann.ask('message:pin', { roomId, seq: 1, on: true });
    await ben.ask('message:send', { roomId, clientMsgId: '1', text: 'a reply', threadRoot: 1 });
    await ben.ask('message:send', { roomId, clientMsgId: '2', text: 'to be deleted' });
    await ben.ask('read:mark', { roomId, seq: 2 });
    await ben.ask('message:report', { roomId, seq: 1, reason: 'spam' });
    await ann.ask('message:delete', { roomId, seq: 3 });
    await ann.ask('member:ban', { roomId, userId: ben.session.userId, on: true });

    const desk = new AccountDesk(instance.url);
    await desk.register('carla', 'a password that is long');
    const { refreshToken } = await desk.logIn('carla', 'a password that is long');
    await desk.refresh(refreshToken);
    await desk.refused('POST', '/v1/sessions', { handle: 'carla', password: 'another password' });
    const asAdmin = (path: string, body: object) =>
      fetch(`${instance.url}/admin/v1${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }).then(({ status }) => status);
    expect(await asAdmin('/keys', { name: 'robot', scopes: ['chat:read'] })).toBe(201);
    expect(await asAdmin(`/users/${ben.session.userId}/disconnect`, {})).toBeLessThan(300);
    const { rows } = await client.query<{ action: string }>('select action from audit_log order by seq');
    const actions = rows.map(({ action }) => action);
    expect(actions).toEqual(['message.delete', 'member.ban', 'key.make', 'user.disconnect']);
    const query = (sql: string, values: unknown[]) =>
      client.query(sql, values).then(({ rows: found }): unknown => found);
    expect(await verifyChain(query)).toMatchObject({ ok: true, seq: actions.length });
    ann.close();
    ben.close();
  });

  it('makes, changes and drops nothing, and writes the audit log only by its function (S-51)', async () => {
    const role = await admin.query('select rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = $1', [
      server,
    ]);
    expect(role.rows).toEqual([{ rolsuper: false, rolcreatedb: false, rolcreaterole: false }]);
    for (const statement of [
      'create table mine (id int)',
      'create temporary table audit_head (only_one boolean)',
      'create function mine() returns int language sql as $$ select 1 $$',
      'create schema mine',
      'create database mine',
      'create role mine',
      'alter table messages add column mine int',
      'alter table audit_log disable trigger only_append',
      'alter function audit_hash(audit_log) rename to mine',
      'drop table messages',
      'drop index audit_log_by_at',
      'truncate messages',
      'insert into audit_log select * from audit_log limit 1',
      "update audit_log set action = 'x'",
      'delete from audit_log',
      'truncate audit_log',
      "update audit_head set seq = 0, hash = ''",
      'delete from migrations',
      "copy messages to program 'cat'",
      `set role ${owner}`,
    ])
      expect([statement, await client.query(statement).then(() => 'done', codeOf)]).toEqual([statement, '42501']);
  });
});

/** The statements that follow `<!-- title -->` in the documents, for roles of these names. */
function statementsOf(title: string, owner: string, server: string): string[] {
  const [, told = ''] =
    new RegExp(`<!-- ${title} -->\\s*\`\`\`sql\\n([\\s\\S]*?)\`\`\``).exec(
      readFileSync('docs/operations.md', 'utf8'),
    ) ?? [];
  return told
    .replaceAll('parley_owner', owner)
    .replaceAll(/\bparley\b/g, server)
    .replaceAll(/'\w+'/g, "'only-for-this-test'")
    .split(';')
    .filter((statement) => statement.trim() !== '');
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;
