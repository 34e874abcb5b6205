import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { OpenAPIObject } from '@nestjs/swagger';
import { uuidv7 } from 'uuidv7';
import { AuditPage, type AuditEntry } from '../../src/admin/admin-audit.schemas.js';
import { verifyChain } from '../../src/audit/verify-chain.js';
import { adminKey, testToken } from '../instance.js';
import { Cluster } from './cluster.js';
import { Rest, type Method } from './rest.js';
import { newRoom, say } from './table.js';

const later = '2099-01-01T00:00:00.000Z';

let cluster: Cluster;
let admin: Rest;
beforeAll(async () => {
  cluster = await Cluster.start(2);
  admin = new Rest(cluster.instance(0).url, adminKey);
});
afterEach(() => cluster.hangUp());
afterAll(() => cluster.stop());

const log = async (query = '') => (await admin.ok('GET', `/admin/v1/audit?limit=100${query}`, AuditPage)).items;
const verify = (kept?: { seq: number; head: string }) =>
  verifyChain((sql, values) => cluster.query(sql, values).then((rows) => rows as unknown), kept);

/** What each route of the admin REST that changes something writes, and its request, in an order that can be. One that is new has to be added here. */
const acts: Record<string, [action: AuditEntry['action'], body?: (known: Known) => object]> = {
  'POST /admin/v1/rooms/{roomId}/messages': ['message.post', () => ({ clientMsgId: 'system', text: 'Top secret' })],
  'POST /admin/v1/rooms/{roomId}/messages/{seq}/report/answer': ['report.dismiss', () => ({ action: 'dismiss' })],
  'DELETE /admin/v1/rooms/{roomId}/messages/{seq}': ['message.delete'],
  'POST /admin/v1/users/{userId}/disconnect': ['user.disconnect'],
  'POST /admin/v1/users/{userId}/ban': ['user.ban', () => ({ reason: 'Loud', until: later })],
  'DELETE /admin/v1/users/{userId}/ban': ['user.unban'],
  'POST /admin/v1/users/{userId}/purge': ['user.purge', () => ({})],
  'POST /admin/v1/filters': ['filter.add', () => ({ kind: 'word', pattern: 'no', action: 'mask' })],
  'DELETE /admin/v1/filters/{filterId}': ['filter.remove'],
  'POST /admin/v1/keys': ['key.make', () => ({ name: 'Bot', scopes: ['chat:read'] })],
  'DELETE /admin/v1/keys/{keyId}': ['key.revoke'],
};
type Known = Record<'roomId' | 'seq' | 'userId' | 'filterId' | 'keyId', string>;

describe('the audit log', () => {
  it('has one entry of each act of an admin: who, what, to whom, from where, by which request (S-27)', async () => {
    const { roomId, ann } = await newRoom(cluster);
    const dan = await cluster.connect('dan');
    const { userId } = dan.session;
    await dan.ask('room:join', { roomId });
    await say(dan, roomId, 'Root', 'Gone');
    await ann.ask('message:report', { roomId, seq: 2, reason: 'spam' });
    const known: Known = { roomId, userId, seq: '2', filterId: '', keyId: '' };
    const document = JSON.parse(await readFile('docs/openapi.json', 'utf8')) as OpenAPIObject;
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      path.startsWith('/admin/') ? Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`) : [],
    );
    expect(Object.keys(acts).sort()).toEqual(routes.filter((route) => !route.startsWith('GET ')).sort());

    for (const [route, [action, body]] of Object.entries(acts)) {
      const [method, template] = route.split(' ') as [Method, string];
      const path = template.replaceAll(/\{(\w+)\}/g, (_, name: keyof Known) => known[name]);
      const before = await log();
      const requestId = `request-${uuidv7()}`;
      const headers = { 'x-request-id': requestId, 'content-type': 'application/json' };
      const answer = await admin.sendRaw(method, path, headers, body && JSON.stringify(body(known)));
      if (answer.status >= 300) throw new Error(`${route} was answered ${answer.status}: ${answer.text}`);
      expect(answer.headers.get('x-request-id')).toBe(requestId);
      const added = (await log()).slice(0, -before.length || undefined);
      expect(added).toMatchObject([
        {
          action,
          actor: { kind: 'admin key', id: null },
          address: expect.stringMatching(/127\.0\.0\.1$/) as string,
          requestId,
        },
      ]);
      const [{ target, roomId: at, details } = { target: '', roomId: null, details: {} }] = added;
      const about = `${target} ${at}`;
      for (const name of Object.keys(known) as (keyof Known)[])
        if (template.includes(`{${name}}`) && name !== 'filterId' && name !== 'keyId')
          expect(about).toContain(known[name]);
      expect(JSON.stringify(details)).not.toContain('secret');
      if (action === 'filter.add') known.filterId = target;
      if (action === 'key.make') known.keyId = target;
    }
    expect((await verify()).ok).toBe(true);
  });

  it('has what members do to others, and who reads a room as an admin; nothing of it where the act failed (S-27)', async () => {
    const { roomId, ann, ben } = await newRoom(cluster);
    const { userId } = ben.session;
    await say(ben, roomId, 'Mine', 'His');
    const before = (await log())[0]?.seq ?? 0;
    await ann.ask('member:update', { roomId, userId, mutedUntil: later });
    await ann.ask('member:update', { roomId, userId, role: 'reader' });
    await ann.ask('member:shadow', { roomId, userId, until: later });
    await ben.ask('message:delete', { roomId, seq: 1 });
    await ann.ask('message:delete', { roomId, seq: 2 });
    await ann.ask('message:delete', { roomId, seq: 2 });
    await ann.ask('room:update', { roomId, topic: 'Quiet' });
    await ann.ask('room:update', { roomId, readOnly: true });
    expect((await ben.refusal('member:remove', { roomId, userId: ann.session.userId })).code).toBe('forbidden');
    await ann.ask('member:remove', { roomId, userId });
    await ann.ask('member:ban', { roomId, userId, on: true, purge: true });
    await ann.ask('member:ban', { roomId, userId, on: false });
    await ann.ask('room:archive', { roomId, on: true });
    await admin.send('GET', `/admin/v1/rooms/${roomId}/messages`);
    const added = (await log(`&roomId=${roomId}`)).filter(({ seq }) => seq > before).reverse();
    expect(added.map(({ action }) => action)).toEqual([
      'member.mute',
      'member.role',
      'member.shadow',
      'message.delete',
      'room.govern',
      'member.remove',
      'member.ban',
      'member.unban',
      'room.archive',
      'room.read',
    ]);
    const { userId: id, sessionId: requestId } = ann.session;
    for (const entry of added.slice(0, -1))
      expect(entry).toMatchObject({ actor: { kind: 'user', id }, requestId, address: expect.any(String) as string });
    expect(added[0]).toMatchObject({ target: userId, details: { mutedUntil: later } });
  });

  it('is read in pages, by what is asked for; by nobody but admins and auditors (S-27)', async () => {
    const { roomId, ann, ben } = await newRoom(cluster);
    const { userId } = ben.session;
    for (const on of [true, false, true]) await ann.ask('member:ban', { roomId, userId, on });
    const pages: AuditEntry[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query: string = `roomId=${roomId}&actorId=${ann.session.userId}&limit=2${cursor && `&cursor=${cursor}`}`;
      const page: AuditPage = await admin.ok('GET', `/admin/v1/audit?${query}`, AuditPage);
      pages.push(...page.items);
      cursor = page.nextCursor;
    }
    expect(pages.map(({ action }) => action)).toEqual(['member.ban', 'member.unban', 'member.ban']);
    const [newest, , oldest] = pages;
    const asked = async (query: string) =>
      (await log(`&roomId=${roomId}&target=${userId}&${query}`)).map(({ seq }) => seq);
    expect(await asked('action=member.unban')).toEqual([pages[1]?.seq]);
    expect(await asked(`from=${newest?.at}`)).toContain(newest?.seq);
    expect(await asked(`to=${oldest?.at}`)).toEqual([]);
    for (const query of ['limit=0', 'cursor=x', 'action=tea', 'from=now', 'other=1'])
      expect((await admin.refused('GET', `/admin/v1/audit?${query}`)).code).toBe('invalid_argument');
    const user = new Rest(admin.url, await testToken('ann'));
    expect((await user.refused('GET', '/admin/v1/audit')).code).toBe('forbidden');
    expect((await admin.refused('DELETE', '/admin/v1/audit')).code).toBe('not_found');
  });

  it('is one chain, however many write at once, and shows what was done to it (S-27)', async () => {
    const rooms = await Promise.all([1, 2, 3, 4].map(() => newRoom(cluster)));
    await Promise.all(
      rooms.flatMap(({ roomId, ann, ben }) =>
        Array.from({ length: 5 }, (_, i) =>
          ann.ask('member:ban', { roomId, userId: ben.session.userId, on: i % 2 === 0 }),
        ),
      ),
    );
    const whole = await verify();
    if (!whole.ok) throw new Error(whole.why);
    expect(whole.seq).toBeGreaterThanOrEqual(20);
    const kept = { seq: whole.seq - 1, head: (await log(`&cursor=${whole.seq}`))[0]?.hash ?? '' };
    expect((await verify(kept)).ok).toBe(true);

    for (const act of [`update audit_log set action = 'x'`, 'delete from audit_log', 'truncate audit_log'])
      await expect(cluster.query(act)).rejects.toThrow('only added to');
    // As whoever owns the database can.
    const tampered = async (statement: string, at: number, why: string) => {
      await cluster.query('begin');
      await cluster.query('alter table audit_log disable trigger only_append');
      await cluster.query(statement);
      expect(await verify(kept)).toEqual({ ok: false, seq: at, why: expect.stringContaining(why) as string });
      await cluster.query('rollback');
    };
    const { seq } = whole;
    await tampered(`update audit_log set target = 'x' where seq = ${seq - 3}`, seq - 3, 'changed');
    await tampered(`update audit_log set hash = sha256('x') where seq = ${seq - 3}`, seq - 3, 'changed');
    await tampered(`delete from audit_log where seq = ${seq - 3}`, seq - 3, 'missing');
    await tampered(`delete from audit_log where seq = ${seq}`, seq, 'missing');
    const cut = `delete from audit_log where seq >= ${seq - 1}`;
    const head = `update audit_head set (seq, hash) = (select seq, hash from audit_log order by seq desc limit 1)`;
    await tampered(`${cut}; ${head}`, seq - 1, 'missing');
    // Nor does it ask what the database takes a hash for.
    await tampered(
      `update audit_log set target = 'x' where seq = ${seq - 3};
       create or replace function audit_hash(entry audit_log) returns bytea language sql as 'select entry.hash'`,
      seq - 3,
      'changed',
    );
    expect((await verify(kept)).ok).toBe(true);

    const command = (...args: string[]) =>
      promisify(execFile)(
        process.execPath,
        ['--no-warnings', '--import', './test/environment/typescript.mjs', 'src/verify-audit.ts', ...args],
        { env: { ...process.env, DATABASE_URL: cluster.databaseUrl } },
      );
    expect((await command()).stdout).toBe(`The audit log is whole: ${seq} ${whole.head}\n`);
    const other = whole.head.replaceAll(/./g, '0');
    await expect(command(String(seq), other)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`broken at ${seq}`) as string,
    });
  });
});
