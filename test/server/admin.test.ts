import { uuidv7 } from 'uuidv7';
import { AdminPort } from '../../src/admin/admin-port.js';
import { AdminUser } from '../../src/admin/admin-users.schemas.js';
import { AdminMessagePage, AdminRoomPage } from '../../src/admin/admin.schemas.js';
import { MessageResult, RoomSummary } from '../../src/protocol/index.js';
import type { PlainClient } from '../client.js';
import { adminKey, jwtSecret, startInstance, testToken } from '../instance.js';
import { Cluster } from './cluster.js';
import { Rest } from './rest.js';

let cluster: Cluster;
let admin: Rest;
beforeAll(async () => {
  cluster = await Cluster.start(1);
  admin = new Rest(cluster.instance(0).url, adminKey);
});
afterEach(() => cluster.hangUp());
afterAll(() => cluster.stop());

async function room(owner: PlainClient, name: string, visibility: 'public' | 'private' = 'public'): Promise<string> {
  return (await owner.ask('room:create', { name, visibility })).room.id;
}

describe('the admin key', () => {
  const paths = ['/admin/v1/rooms', `/admin/v1/rooms/${uuidv7()}`, `/admin/v1/rooms/${uuidv7()}/messages`];

  it('is wanted on every route, and nothing else will do (S-27)', async () => {
    const url = admin.url;
    for (const path of paths) {
      expect(await new Rest(url).refused('GET', path)).toMatchObject({ code: 'unauthenticated', status: 401 });
      for (const other of [await testToken('ann'), `${adminKey}x`, adminKey.slice(1), adminKey.toUpperCase()])
        expect(await new Rest(url, other).refused('GET', path)).toMatchObject({ code: 'forbidden', status: 403 });
    }
    const deletion = `/admin/v1/rooms/${uuidv7()}/messages/1`;
    expect((await new Rest(url, await testToken('ann')).refused('DELETE', deletion)).code).toBe('forbidden');
    expect((await admin.refused('DELETE', deletion)).code).toBe('not_found');
    expect((await admin.refused('GET', '/v1/rooms')).code).toBe('unauthenticated');
  });

  it('opens nothing where none is set (S-27)', async () => {
    const closed = await Cluster.beside(cluster, 1, { adminKey: undefined });
    try {
      for (const key of [adminKey, 'undefined', await testToken('ann')])
        for (const path of paths)
          expect((await new Rest(closed.instance(0).url, key).refused('GET', path)).code).toBe('not_found');
    } finally {
      await closed.stop();
    }
  });
});

describe('a role of the service', () => {
  const claims = { subject: 'sub', name: 'name', role: 'role' };
  const trust = { secrets: [jwtSecret] };
  let other: Cluster;
  let byPort: string;
  const asked = (role: unknown, url = other.instance(0).url) =>
    testToken('rex', { claims: { role } }).then((token) => new Rest(url, token));
  beforeAll(async () => {
    const app = { trust, issuer: undefined, audience: undefined, claims };
    other = await Cluster.beside(cluster, 1, { app, adminKey: undefined });
    other.instances.push(
      await startInstance(cluster.databaseUrl, undefined, { app, admin: { port: 0, host: '127.0.0.1' } }),
    );
    byPort = other.instance(1).app.get(AdminPort).url ?? '';
  });
  afterAll(() => other.stop());

  it('lets an admin do what the admin key does, and an auditor read (S-27)', async () => {
    const { userId } = (await cluster.connect('mia')).session;
    const [ruler, auditor] = [await asked('admin'), await asked(['auditor'])];
    for (const rest of [ruler, auditor]) {
      await rest.ok('GET', '/admin/v1/rooms', AdminRoomPage);
      await rest.ok('GET', `/admin/v1/users/${userId}`, AdminUser);
    }
    const ban = `/admin/v1/users/${userId}/ban`;
    expect(await auditor.refused('POST', ban, {})).toMatchObject({ code: 'forbidden', status: 403 });
    expect(await auditor.refused('DELETE', ban)).toMatchObject({ code: 'forbidden' });
    expect((await ruler.ok('DELETE', ban, AdminUser)).ban).toBeNull();
    expect((await ruler.refused('GET', '/admin/v1/nothing')).code).toBe('not_found');
  });

  it('tells nobody else what there is (S-27)', async () => {
    const { userId } = (await cluster.connect('mia')).session;
    const paths = [
      `/admin/v1/users/${userId}`,
      `/admin/v1/users/${uuidv7()}`,
      '/admin/v1/users/x',
      '/admin/v1/nothing',
      '/admin',
    ];
    const strangers = [await asked('user'), await asked(undefined), await asked(['Admin', { admin: 1 }])];
    const refusals = new Set<string>();
    for (const rest of [...strangers, new Rest(other.instance(0).url, 'no-token')])
      for (const path of paths) refusals.add(JSON.stringify(await rest.refused('GET', path)));
    for (const path of paths) refusals.add(JSON.stringify(await (await asked('auditor')).refused('POST', path, {})));
    expect([...refusals].map((text) => JSON.parse(text) as unknown)).toEqual([
      expect.objectContaining({ code: 'forbidden', status: 403 }),
    ]);
    for (const path of paths)
      expect((await new Rest(other.instance(0).url).refused('GET', path)).code).toBe('unauthenticated');
    const banned = await asked('admin');
    const { userId: rex } = (await cluster.connect('rex')).session;
    await admin.ok('POST', `/admin/v1/users/${rex}/ban`, AdminUser, {});
    await cluster.eventually(async () => (await banned.send('GET', '/admin/v1/rooms')).status === 403);
    await admin.ok('DELETE', `/admin/v1/users/${rex}/ban`, AdminUser);
    await cluster.eventually(async () => (await banned.send('GET', '/admin/v1/rooms')).status === 200);
  });

  it('is asked for on the admin’s own port, where there is one, and nothing else is there (S-27)', async () => {
    await (await asked('admin', byPort)).ok('GET', '/admin/v1/rooms', AdminRoomPage);
    await new Rest(byPort, adminKey).ok('GET', '/admin/v1/rooms', AdminRoomPage);
    expect((await new Rest(byPort).refused('GET', '/admin/v1/rooms')).code).toBe('unauthenticated');
    const { url } = other.instance(1);
    for (const path of [
      '/admin/v1/rooms',
      '/admin/v1/nothing',
      '/%61dmin/v1/rooms',
      '/Admin/v1/rooms',
      '//admin/v1/rooms',
    ])
      expect(await new Rest(url, adminKey).refused('GET', path)).toEqual(
        await new Rest(url).refused('GET', '/v1/nothing'),
      );
    for (const path of ['/', '/v1/rooms', '/health/ready', '/docs', '/socket.io/?EIO=4&transport=polling', '/admin'])
      expect((await new Rest(byPort, adminKey).send('GET', path)).status).toBe(404);
  });
});

describe('an admin', () => {
  it('goes through all rooms page by page, each once, also those of the same name in another case', async () => {
    const ann = await cluster.connect('ann');
    const names = Array.from({ length: 60 }, (_, i) => ['Twin', 'twin', 'TWIN', `Other ${i}`][i % 4] ?? '');
    const ids = new Set<string>();
    for (const [i, name] of names.entries()) ids.add(await room(ann, name, i % 2 === 0 ? 'private' : 'public'));
    const archived = [...ids][0] ?? '';
    await cluster.query('update rooms set archived_at = now() where id = $1', [archived]);
    const seen: RoomSummary[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const path = `/admin/v1/rooms?limit=7${cursor && `&cursor=${cursor}`}`;
      const page: AdminRoomPage = await admin.ok('GET', path, AdminRoomPage);
      expect(page.total).toBe(60);
      seen.push(...page.items);
      cursor = page.nextCursor;
    }
    expect(seen.length).toBe(60);
    expect(new Set(seen.map(({ id }) => id))).toEqual(ids);
    const keys = seen.map(({ name, id }) => `${name.toLowerCase()} ${id}`);
    expect(keys).toEqual(keys.toSorted());
    expect(seen.find(({ id }) => id === archived)?.archivedAt).not.toBeNull();
    const twins = await admin.ok('GET', '/admin/v1/rooms?query=tWi&limit=50', AdminRoomPage);
    expect([twins.total, twins.items.length, twins.nextCursor]).toEqual([45, 45, null]);
    expect((await admin.ok('GET', '/admin/v1/rooms?query=%25', AdminRoomPage)).total).toBe(0);
  });

  it('sees who and how much is in a room', async () => {
    const [ann, ben] = [await cluster.connect('ann'), await cluster.connect('ben')];
    const roomId = await room(ann, 'Counted', 'private');
    await ann.ask('member:add', { roomId, userId: ben.session.userId });
    await ann.ask('message:send', { roomId, clientMsgId: 'a', text: 'One' });
    const { items } = await admin.ok('GET', '/admin/v1/rooms?query=counted', AdminRoomPage);
    expect(items).toEqual([await admin.ok('GET', `/admin/v1/rooms/${roomId}`, RoomSummary)]);
    expect(items[0]).toMatchObject({ memberCount: 2, lastSeq: 1, headRev: 4, visibility: 'private' });
  });

  it('reads messages forward and back, of a span of time and of one sender', async () => {
    const [ann, ben] = [await cluster.connect('ann'), await cluster.connect('ben')];
    const roomId = await room(ann, 'Read', 'private');
    await ann.ask('member:add', { roomId, userId: ben.session.userId });
    for (let i = 1; i <= 10; i++)
      await (i % 2 === 0 ? ben : ann).ask('message:send', { roomId, clientMsgId: `${i}`, text: `${i}` });
    // One a minute, the fifth and the sixth at once.
    await cluster.query(
      `update messages set created_at = timestamptz '2026-01-01 12:00Z' + (case seq when 6 then 5 else seq end) * interval '1 minute'
       where room_id = $1`,
      [roomId],
    );
    await ben.ask('message:delete', { roomId, seq: 4 });
    const page = async (query: string): Promise<unknown[]> => {
      const path = `/admin/v1/rooms/${roomId}/messages?${query}`;
      const { messages, hasBefore, hasAfter } = await admin.ok('GET', path, AdminMessagePage);
      return [messages.map(({ seq }) => seq).join(' '), hasBefore, hasAfter];
    };
    expect(await page('')).toEqual(['1 2 3 4 5 6 7 8 9 10', false, false]);
    expect(await page('limit=3')).toEqual(['8 9 10', true, false]);
    expect(await page('limit=3&before=8')).toEqual(['5 6 7', true, true]);
    expect(await page('limit=3&after=0')).toEqual(['1 2 3', false, true]);
    expect(await page('limit=3&after=7')).toEqual(['8 9 10', true, false]);
    const from = (moment: string) => `from=${encodeURIComponent(moment)}`;
    const to = (moment: string) => `to=${encodeURIComponent(moment)}`;
    const span = async (...parts: string[]) => (await page(parts.join('&')))[0];
    expect(await span(from('2026-01-01T12:05:00Z'), to('2026-01-01T12:08:00Z'))).toBe('5 6 7');
    expect(await span(from('2026-01-01T12:05:00.001Z'), to('2026-01-01T12:08:00.001Z'))).toBe('7 8');
    expect(await span(from('2026-01-01T14:09:00+02:00'))).toBe('9 10');
    expect(await span(to('2026-01-01T12:01:00Z'))).toBe('');
    expect(await span(from('2027-01-01T00:00:00Z'))).toBe('');
    expect(await span(to('2027-01-01T00:00:00Z'), 'limit=2')).toBe('9 10');
    expect(await span(`senderId=${ben.session.userId}`, 'after=4', 'limit=2')).toBe('6 8');
    expect(await span(`senderId=${ben.session.userId}`, from('2026-01-01T12:05:00Z'), to('2026-01-01T12:10:00Z'))).toBe(
      '6 8',
    );
    expect(await span(`senderId=${uuidv7()}`)).toBe('');
    const { messages } = await admin.ok('GET', `/admin/v1/rooms/${roomId}/messages?after=3&limit=1`, AdminMessagePage);
    expect(messages[0]).toMatchObject({ seq: 4, text: '', sender: { name: 'ben' } });
    expect(messages[0]?.deletedAt).not.toBeNull();
  });

  it.each([
    'from=yesterday',
    'from=2026-01-01',
    'from=2026-13-01T00:00:00Z',
    'from=0000-01-01T00:00:00Z',
    'to=9999-12-31T23:59:59-10:00',
    'senderId=ben',
    'around=3',
    'limit=0',
    'before=-1',
  ])('is told that a page cannot be asked for with %s', async (query) => {
    const roomId = await room(await cluster.connect('ann'), 'Asked');
    const refused = await admin.refused('GET', `/admin/v1/rooms/${roomId}/messages?${query}`);
    expect([refused.code, refused.status]).toEqual(['invalid_argument', 400]);
  });

  it('may give a moment in any time zone there could be', async () => {
    const roomId = await room(await cluster.connect('ann'), 'Zones');
    for (const zone of ['+23:59', '-23:59', '+00:00'])
      await admin.ok(
        'GET',
        `/admin/v1/rooms/${roomId}/messages?from=${encodeURIComponent(`2026-01-01T00:00:00${zone}`)}`,
        AdminMessagePage,
      );
  });

  it('deletes any message, before the eyes of those in the room', async () => {
    const [ann, ben] = [await cluster.connect('ann'), await cluster.connect('ben')];
    const roomId = await room(ann, 'Moderated', 'private');
    await ann.ask('member:add', { roomId, userId: ben.session.userId });
    await ben.ask('message:send', { roomId, clientMsgId: 'a', text: 'Spam' });
    const path = `/admin/v1/rooms/${roomId}/messages/1`;
    const { message } = await admin.ok('DELETE', path, MessageResult);
    expect(message).toMatchObject({ seq: 1, rev: 5, text: '' });
    for (const client of [ann, ben]) {
      await client.until(() => client.changesOf(roomId).at(-1)?.rev === 5);
      expect(client.changesOf(roomId).at(-1)).toEqual({ rev: 5, kind: 'message', message });
    }
    expect((await admin.ok('DELETE', path, MessageResult)).message).toEqual(message);
    expect((await admin.refused('DELETE', path.replace(/1$/, '2'))).code).toBe('not_found');
    expect((await admin.refused('GET', `/admin/v1/rooms/${uuidv7()}/messages`)).code).toBe('not_found');
  });
});
