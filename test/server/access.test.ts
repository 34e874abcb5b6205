import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AdminKey, AdminKeys, MadeKey } from '../../src/admin/admin-keys.schemas.js';
import { AdminUser, AdminUserPage } from '../../src/admin/admin-users.schemas.js';
import { AccessService } from '../../src/auth/access.service.js';
import { GuestSession, type ErrorBody } from '../../src/protocol/index.js';
import type { PlainClient } from '../client.js';
import { adminKey, startInstance, testToken, type Instance } from '../instance.js';
import { Cluster } from './cluster.js';
import { Rest } from './rest.js';

const rooms = z.object({ items: z.array(z.unknown()) });

let cluster: Cluster;
/** On the same database, without Redis. */
let apart: Instance;
let admin: Rest;
beforeAll(async () => {
  cluster = await Cluster.start(2);
  apart = await startInstance(cluster.databaseUrl);
  cluster.instances.push(apart);
  admin = new Rest(cluster.instance(0).url, adminKey);
  // So that what the bus brings is not taken for what was found by looking.
  for (const i of [0, 1])
    clearTimeout(cluster.instance(i).app.get<unknown, { timer: NodeJS.Timeout }>(AccessService).timer);
});
afterEach(() => cluster.hangUp());
afterAll(() => cluster.stop());

interface Closed {
  error: ErrorBody;
  afterMs: number;
}

/** The last word on each connection, and how long after now. */
function closings(clients: PlainClient[]): Promise<Closed>[] {
  const since = performance.now();
  return clients.map(
    ({ socket }) =>
      new Promise((resolve) =>
        socket.on('session:closed', ({ error }) => resolve({ error, afterMs: performance.now() - since })),
      ),
  );
}

const everywhere = (user: string, token: string) =>
  Promise.all([0, 1, 2].map((instance) => cluster.connect(user, instance, { token })));
const act = (userId: string, path: string, body?: object) =>
  admin.ok('POST', `/admin/v1/users/${userId}/${path}`, AdminUser, body);

describe('a user', () => {
  it('who is banned is put out on every instance at once, and let in by none until that is over (S-18)', async () => {
    const token = await testToken('eve');
    const eve = await everywhere('eve', token);
    const ann = await cluster.connect('ann', 1);
    const id = eve[0]?.session.userId ?? '';
    const closed = closings(eve);
    const ended = eve.map(({ socket }) => new Promise((resolve) => socket.on('disconnect', resolve)));
    const { ban } = await act(id, 'ban', { reason: 'Spam' });
    expect(ban).toMatchObject({ until: null, reason: 'Spam' });
    for (const [i, closing] of closed.entries()) {
      const { error, afterMs } = await closing;
      expect(error).toMatchObject({ code: 'banned', retryable: false });
      expect(afterMs).toBeLessThan(i < 2 ? 2_000 : 10_000);
    }
    expect(await Promise.all(ended)).toEqual(Array(3).fill('io server disconnect'));
    for (const i of [0, 1, 2]) {
      const another = await testToken('eve', { expiresIn: '2h' });
      await expect(cluster.connect('eve', i, { token: another })).rejects.toMatchObject({ error: { code: 'banned' } });
      expect((await (await cluster.rest('eve', i)).refused('GET', '/v1/rooms')).code).toBe('banned');
    }
    expect((await ann.ask('rooms:discover', {})).items).toEqual([]);

    expect((await admin.ok('DELETE', `/admin/v1/users/${id}/ban`, AdminUser)).ban).toBeNull();
    await cluster.connect('eve', 0, { token });
    await cluster.eventually(
      async () => (await (await cluster.rest('eve', 2)).send('GET', '/v1/rooms')).status === 200,
    );
  });

  it('who is banned for a while is let in when that is over', async () => {
    const ben = await cluster.connect('ben');
    const { userId } = ben.session;
    const until = new Date(Date.now() + 1_500).toISOString();
    expect((await act(userId, 'ban', { until })).ban?.until).toBe(until);
    await expect(cluster.connect('ben')).rejects.toMatchObject({ error: { code: 'banned' } });
    await cluster.eventually(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return cluster.connect('ben').then(
        () => true,
        () => false,
      );
    });
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(until));
    expect((await admin.ok('GET', `/admin/v1/users/${userId}`, AdminUser)).ban).toBeNull();
  });

  it('whose sessions are ended is put out everywhere, and comes in again with a token that was made later (S-18)', async () => {
    const token = await testToken('cem');
    const cem = await everywhere('cem', token);
    const { userId } = cem[0]?.session ?? { userId: '' };
    const closed = closings(cem);
    const { tokensFrom } = await act(userId, 'disconnect');
    for (const i of [0, 1])
      await expect(cluster.connect('cem', i, { token })).rejects.toMatchObject({ error: { code: 'token_expired' } });
    for (const [i, closing] of closed.entries()) {
      const { error, afterMs } = await closing;
      expect(error).toMatchObject({ code: 'token_expired' });
      expect(afterMs).toBeLessThan(i < 2 ? 2_000 : 10_000);
    }
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(tokensFrom ?? ''));
    // What the clients of an app do that are told so.
    const back = await everywhere('cem', await testToken('cem'));
    expect(back[2]?.session.userId).toBe(userId);
    expect((await new Rest(apart.url, token).refused('GET', '/v1/rooms')).code).toBe('token_expired');
    expect((await back[0]?.refusal('auth:refresh', { token }))?.code).toBe('token_expired');
  });

  it('may be a guest', async () => {
    const rest = new Rest(cluster.instance(1).url);
    const { user, token } = await rest.ok('POST', '/v1/guests', GuestSession, { name: 'Zoë' });
    const [closed] = closings([await cluster.connect('', 1, { token })]);
    await act(user.id, 'ban', {});
    expect((await closed)?.error.code).toBe('banned');
    const renewed = await new Rest(cluster.instance(1).url, token).refused('POST', '/v1/guests/renew');
    expect(renewed.code).toBe('banned');
  });

  it('who was shut out while he was connecting is found', async () => {
    const hold = await cluster.hold('lock table memberships in access exclusive mode');
    const connecting = cluster.connect('dan', 1);
    await hold.waitedFor();
    const found = await admin.ok('GET', '/admin/v1/users?subject=dan', AdminUserPage);
    await act(found.items[0]?.id ?? '', 'ban', {});
    await hold.release();
    // He may be told in the moment in which he is greeted.
    const { closed } = await connecting;
    expect((await closed).code).toBe('banned');
  });
});

describe('a key', () => {
  const make = (body: object) => admin.ok('POST', '/admin/v1/keys', MadeKey, body);
  const revoke = (id: string) => admin.ok('DELETE', `/admin/v1/keys/${id}`, AdminKey);

  it('lets a bot in by socket and REST, for what it is good for', async () => {
    const { key, token } = await make({ name: 'Robot', scopes: ['chat:read', 'chat:write'] });
    const bot = await cluster.connect('', 0, { token });
    expect(bot.session.userId).toBe(key.userId);
    const { room } = await bot.ask('room:create', { name: 'Built' });
    const rest = new Rest(cluster.instance(1).url, token);
    expect((await rest.ok('GET', '/v1/rooms', rooms)).items).toHaveLength(1);
    expect((await rest.refused('GET', '/admin/v1/rooms')).code).toBe('forbidden');

    const reader = await make({ name: 'Reader', scopes: ['chat:read'], userId: key.userId });
    expect(reader.key.userId).toBe(key.userId);
    const reading = await cluster.connect('', 1, { token: reader.token });
    expect((await reading.ask('history:get', { roomId: room.id })).messages).toEqual([]);
    await reading.ask('rooms:sync', {});
    const send = { roomId: room.id, clientMsgId: '1', text: 'Mine' };
    for (const refusal of [
      await reading.refusal('message:send', send),
      await reading.refusal('room:create', { name: 'Mine' }),
      await new Rest(apart.url, reader.token).refused('POST', '/v1/rooms', { name: 'Mine' }),
    ])
      expect(refusal.code).toBe('forbidden');
    expect((await new Rest(apart.url, reader.token).send('POST', '/v1/sync', {})).status).toBe(200);

    const auditor = await make({ name: 'Auditor', scopes: ['admin:read'] });
    const auditing = new Rest(apart.url, auditor.token);
    await auditing.ok('GET', '/admin/v1/keys', AdminKeys);
    expect((await auditing.refused('POST', '/admin/v1/keys', { name: 'More', scopes: ['admin:write'] })).code).toBe(
      'forbidden',
    );
    await expect(cluster.connect('', 0, { token: auditor.token })).rejects.toMatchObject({
      error: { code: 'forbidden' },
    });
    expect((await auditing.refused('GET', '/v1/rooms')).code).toBe('forbidden');
    const unread = await make({ name: 'Auditor too', scopes: ['admin:read'], userId: key.userId });
    expect((await reading.refusal('auth:refresh', { token: unread.token })).code).toBe('forbidden');
    await reading.ask('auth:refresh', { token });
    await reading.ask('message:send', { ...send, clientMsgId: '2' });
  });

  it('is told once, and kept as a hash alone', async () => {
    const { key, token } = await make({ name: 'Once', scopes: ['chat:read'] });
    expect(token).toMatch(/^parley_[\w-]{43}$/);
    const listed = async () =>
      (await admin.ok('GET', '/admin/v1/keys', AdminKeys)).items.find(({ id }) => id === key.id);
    expect(key.lastUsedAt).toBeNull();
    expect(await listed()).toEqual(key);
    await cluster.connect('', 1, { token });
    expect((await listed())?.lastUsedAt).toMatch(/^20.*:00:00.000Z$/);
    const [row] = await cluster.query<Record<string, unknown>>('select * from api_keys where id = $1', [key.id]);
    const secret = Buffer.from(token.slice('parley_'.length), 'base64url');
    expect(row?.['hash']).toEqual(createHash('sha256').update(secret).digest());
    expect(JSON.stringify(row)).not.toContain(token.slice(7));
    expect(await cluster.query('select from users where id = $1 and kind = $2', [key.userId, 'bot'])).toHaveLength(1);
  });

  it('that is revoked is refused and put out everywhere, and another one of its bot is not (S-18)', async () => {
    const first = await make({ name: 'Old', scopes: ['chat:read'] });
    const second = await make({ name: 'New', scopes: ['chat:read'], userId: first.key.userId });
    const olds = await everywhere('', first.token);
    const kept = await cluster.connect('', 1, { token: second.token });
    const closed = closings(olds);
    expect((await revoke(first.key.id)).revokedAt).not.toBeNull();
    for (const [i, closing] of closed.entries()) {
      const { error, afterMs } = await closing;
      expect(error).toMatchObject({ code: 'unauthenticated', retryable: false });
      expect(afterMs).toBeLessThan(i < 2 ? 2_000 : 10_000);
    }
    for (const i of [0, 1, 2])
      await expect(cluster.connect('', i, { token: first.token })).rejects.toMatchObject({
        error: { code: 'unauthenticated' },
      });
    expect((await kept.ask('rooms:discover', { query: 'nothing like it' })).items).toEqual([]);
    expect((await revoke(first.key.id)).id).toBe(first.key.id);
    const { items } = await admin.ok('GET', '/admin/v1/keys', AdminKeys);
    expect(items.map(({ id }) => id)).not.toContain(first.key.id);
    await act(first.key.userId, 'ban', {});
    await expect(cluster.connect('', 0, { token: second.token })).rejects.toMatchObject({ error: { code: 'banned' } });
  });

  it('is none where it is made up, over, or wanted for what is not there', async () => {
    const { userId } = (await cluster.connect('ann')).session;
    for (const token of [`parley_${'A'.repeat(43)}`, 'parley_short', 'parley_'])
      await expect(cluster.connect('', 0, { token })).rejects.toMatchObject({ error: { code: 'unauthenticated' } });
    const { token } = await make({ name: 'Over', scopes: ['chat:read'], expiresAt: '2020-01-01T00:00:00Z' });
    await expect(cluster.connect('', 0, { token })).rejects.toMatchObject({ error: { code: 'token_expired' } });
    const wrong: [string, object][] = [
      ['not_found', { name: 'As Ann', scopes: ['chat:read'], userId }],
      ['invalid_argument', { name: 'None', scopes: [] }],
      ['invalid_argument', { name: 'All', scopes: ['*'] }],
      ['invalid_argument', { scopes: ['chat:read'] }],
    ];
    for (const [code, body] of wrong) expect((await admin.refused('POST', '/admin/v1/keys', body)).code).toBe(code);
    expect((await admin.refused('DELETE', `/admin/v1/keys/${userId}`)).code).toBe('not_found');
  });
});

describe('an admin', () => {
  it('goes through all users page by page, and finds one by his subject', async () => {
    const { userId } = (await cluster.connect('one of many')).session;
    const seen: AdminUser[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const path = `/admin/v1/users?limit=2${cursor && `&cursor=${cursor}`}`;
      const page: AdminUserPage = await admin.ok('GET', path, AdminUserPage);
      seen.push(...page.items);
      cursor = page.nextCursor;
    }
    const [{ count } = { count: 0 }] = await cluster.query<{ count: number }>(
      `select count(*)::int from users where name <> 'System'`,
    );
    expect(new Set(seen.map(({ id }) => id)).size).toBe(count);
    const { items } = await admin.ok('GET', '/admin/v1/users?subject=one%20of%20many', AdminUserPage);
    expect(items).toMatchObject([{ id: userId, kind: 'app', tokensFrom: null, ban: null }]);
    expect((await admin.ok('GET', '/admin/v1/users?subject=nobody', AdminUserPage)).items).toEqual([]);
    expect(await (await cluster.rest('one of many')).ok('GET', '/v1/rooms', rooms)).toEqual({ items: [] });
  });

  it('is told of a user who is not there', async () => {
    const id = '018f4b60-0000-7000-8000-000000000000';
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/disconnect'],
      ['DELETE', '/ban'],
    ] as const)
      expect((await admin.refused(method, `/admin/v1/users/${id}${path}`)).code).toBe('not_found');
    expect((await admin.refused('POST', `/admin/v1/users/${id}/ban`, {})).code).toBe('not_found');
    const { userId } = (await cluster.connect('ann')).session;
    for (const body of [{ until: 'tomorrow' }, { reason: 'x'.repeat(501) }, { forever: true }])
      expect((await admin.refused('POST', `/admin/v1/users/${userId}/ban`, body)).code).toBe('invalid_argument');
  });
});
