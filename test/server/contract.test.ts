import { uuidv7 } from 'uuidv7';
import { MadeKey } from '../../src/admin/admin-keys.schemas.js';
import { requests, requestScopes, type Reply, type RequestInput, type RequestName } from '../../src/protocol/index.js';
import type { PlainClient } from '../client.js';
import { adminKey, testToken } from '../instance.js';
import { Cluster } from './cluster.js';
import { RawRequests } from './raw-requests.js';
import { exactly, Rest } from './rest.js';

const names = Object.keys(requests) as RequestName[];
const mark = 'ECHO-ME';

/** An error's reply says what is wrong in a few words, and nothing of what was sent. */
function refusalOf(reply: Reply<unknown>): string {
  if (reply.ok) throw new Error(`Was not refused: ${JSON.stringify(reply.data)}`);
  const text = JSON.stringify(reply);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1024);
  expect(text).not.toContain(mark);
  expect(text).not.toContain('polluted');
  return reply.error.code;
}

function pageCursor(name: string, id: string = uuidv7()): string {
  return Buffer.from(JSON.stringify([name, id])).toString('base64url');
}

describe('every request', () => {
  let cluster: Cluster;
  let client: PlainClient;
  let raw: RawRequests;
  const others: [PlainClient, RawRequests][] = [];
  let valid: { [E in RequestName]: RequestInput<E> };

  beforeAll(async () => {
    cluster = await Cluster.start(1);
    client = await cluster.connect('ann');
    raw = new RawRequests(client);
    const ben = await cluster.connect('ben');
    const { room } = await client.ask('room:create', { name: 'Ours' });
    const { room: his } = await ben.ask('room:create', { name: 'His' });
    const { room: hidden } = await ben.ask('room:create', {
      name: 'Hidden',
      visibility: 'private',
      joinRequests: true,
    });
    const { room: asked } = await client.ask('room:create', {
      name: 'Asked',
      visibility: 'private',
      joinRequests: true,
    });
    const [cid, eve] = [await cluster.connect('cid'), await cluster.connect('eve')];
    await ben.ask('room:request', { roomId: asked.id });
    await cid.ask('room:join', { roomId: room.id });
    const { invite } = await client.ask('invite:create', { roomId: room.id });
    const { code } = await ben.ask('invite:create', { roomId: hidden.id });
    const { room: invited } = await eve.ask('room:create', { name: 'Invited', visibility: 'private' });
    const { code: toInvited } = await eve.ask('invite:create', { roomId: invited.id });
    expect(code).not.toBe(toInvited);
    const { room: left } = await ben.ask('room:create', { name: 'Left' });
    await client.ask('room:join', { roomId: left.id });
    await client.ask('filter:add', { roomId: room.id, kind: 'word', pattern: 'perhaps', action: 'hold' });
    await client.refusal('message:send', { roomId: room.id, clientMsgId: 'held', text: 'Perhaps' });
    const [held] = (await client.ask('held:list', { roomId: room.id })).items;
    const { filter } = await client.ask('filter:add', { roomId: room.id, kind: 'word', pattern: 'x', action: 'mask' });
    await client.ask('message:send', { roomId: room.id, clientMsgId: 'first', text: 'Hello' });
    const roomId = room.id;
    valid = {
      'rooms:sync': { epoch: client.session.epoch, cursors: { [roomId]: 1 } },
      'room:sync': { roomId, epoch: client.session.epoch, after: 0, limit: 10 },
      'room:create': { roomId: uuidv7(), name: 'New', topic: '', visibility: 'private' },
      'room:update': { roomId, name: 'Ours, renamed', topic: 'All of it', slowModeS: 0, readOnly: false },
      'room:join': { roomId: his.id },
      'room:leave': { roomId: left.id },
      'room:archive': { roomId: asked.id, on: false },
      'room:direct': { userId: ben.session.userId },
      'rooms:discover': { query: 'ours', limit: 10 },
      'member:add': { roomId, userId: ben.session.userId },
      'member:update': {
        roomId,
        userId: cid.session.userId,
        role: 'moderator',
        mutedUntil: '2020-01-01T00:00:00.000Z',
      },
      'member:remove': { roomId, userId: cid.session.userId },
      'member:ban': { roomId, userId: cid.session.userId, on: true, until: '2020-01-01T00:00:00.000Z', reason: 'Loud' },
      'members:list': { roomId, limit: 10 },
      'bans:list': { roomId, limit: 10 },
      'member:shadow': { roomId, userId: ben.session.userId, until: '2099-01-01T00:00:00.000Z' },
      'shadows:list': { roomId, limit: 10 },
      'invite:create': { roomId, expiresInS: 60, maxUses: 1 },
      'invite:revoke': { roomId, inviteId: invite.id },
      'invite:accept': { code: toInvited },
      'invites:list': { roomId, limit: 10 },
      'room:request': { roomId: hidden.id, on: true },
      'request:answer': { roomId: asked.id, userId: ben.session.userId, approve: true },
      'requests:list': { roomId: asked.id, limit: 10 },
      'filter:add': { roomId, kind: 'link', pattern: 'spam.example', action: 'reject' },
      'filter:remove': { roomId, filterId: filter.id },
      'held:list': { roomId, limit: 10 },
      'held:answer': { roomId, heldId: held?.id ?? '', approve: true },
      'filters:list': { roomId, limit: 10 },
      'message:send': { roomId, clientMsgId: 'second', text: 'Hello again', replyTo: 1, threadRoot: 1 },
      'message:edit': { roomId, seq: 1, text: 'Hello, edited', version: 1 },
      'message:delete': { roomId, seq: 1 },
      'message:versions': { roomId, seq: 1 },
      'message:react': { roomId, seq: 2, emoji: '👍', on: true },
      'reactions:mine': { roomId, from: 1, to: 2 },
      'message:pin': { roomId, seq: 2, on: true },
      'pins:list': { roomId },
      'message:report': { roomId, seq: 2, reason: 'spam', text: 'Loud' },
      'reports:list': { roomId, limit: 10 },
      'report:answer': { roomId, seq: 2, action: 'dismiss' },
      'history:get': { roomId, before: 10, limit: 10 },
      'auth:refresh': { token: await testToken('ann') },
      'read:mark': { roomId, seq: 1, unread: false },
      'reads:list': { roomId },
      'typing:set': { roomId, on: true },
      'presence:set': { status: 'away', background: false },
      'presence:watch': { userIds: [ben.session.userId] },
      'presence:count': { roomId, on: true },
      'presence:unwatch': { userIds: [ben.session.userId] },
    };
  });
  afterAll(() => cluster.stop());

  it('is refused to a key that is not for it, and to no other', async () => {
    const admin = new Rest(cluster.instance(0).url, adminKey);
    const { token } = await admin.ok('POST', '/admin/v1/keys', MadeKey, { name: 'Reader', scopes: ['chat:read'] });
    const reader = await cluster.connect('', 0, { token });
    const refused: RequestName[] = [];
    for (const event of names) {
      const reply = await reader.reply(event, valid[event]);
      if (!reply.ok && reply.error.message === 'The key is not for this') refused.push(event);
    }
    expect(refused).toEqual(names.filter((event) => requestScopes[event] === 'chat:write'));
    expect(refused).toContain('message:send');
  });

  it.each(names)('%s is answered with its result', async (event) => {
    const reply = await client.reply(event, valid[event]);
    if (!reply.ok) throw new Error(JSON.stringify(reply.error));
    exactly(requests[event].result, reply.data);
  });

  it.each(names)(
    '%s is answered invalid_argument when it is no object of its schema (S-24, S-29, S-31)',
    async (event) => {
      const fields = JSON.stringify(valid[event]).slice(1, -1);
      const nested = (depth: number) => `${'['.repeat(depth)}"${mark}"${']'.repeat(depth)}`;
      const keys = Array.from({ length: 5_000 }, (_, i) => `"k${i}":0`).join();
      const refused: Record<string, string> = {
        nothing: '',
        null: 'null',
        'an array': `["${mark}"]`,
        'an array around it': `[{${fields}}]`,
        text: `"${mark}"`,
        'a number': '7',
        true: 'true',
        'two arguments': `{${fields}},{${fields}}`,
        'an argument more': `{${fields}},"${mark}"`,
        'an unknown field': `{${fields},"${mark}":1}`,
        'an unknown field of a long name': `{${fields},"${mark.repeat(5_000)}":1}`,
        '9 levels': nested(9),
        '1,000 levels': nested(1_000),
        '5,000 levels': nested(5_000),
        '30,000 levels': nested(30_000),
        '9 levels in a field': `{${fields},"x":${nested(9)}}`,
        '5,000 levels in a field': `{${fields},"x":${nested(5_000)}}`,
        '5,000 keys': `{${keys}}`,
        '5,000 keys more': `{${fields},${keys}}`,
        '5,000 elements': `[${Array.from({ length: 5_000 }).fill(0).join()}]`,
      };
      // A connection of its own: all events together are more bytes than one may send so fast.
      const own = await cluster.connect('ann');
      const asked = new RawRequests(own);
      others.push([own, asked]);
      for (const [what, args] of Object.entries(refused)) {
        const reply = await asked.ask(event, args);
        expect([what, reply.ok ? 'ok' : refusalOf(reply)]).toEqual([what, 'invalid_argument']);
      }
    },
  );

  it.each(names)('%s is not moved by __proto__ and constructor (S-30)', async (event) => {
    const fields = JSON.stringify(valid[event]).slice(1, -1);
    for (const trick of ['"__proto__":{"polluted":1}', '"constructor":{"prototype":{"polluted":1}}']) {
      expect(JSON.stringify(await raw.ask(event, `{${trick}}`))).not.toContain('polluted');
      expect(JSON.stringify(await raw.ask(event, `{${fields},${trick}}`))).not.toContain('polluted');
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it.each(names)(
    '%s is answered invalid_argument when a field is missing or of another type (S-25, S-31)',
    async (event) => {
      const request = valid[event] as Record<string, unknown>;
      for (const field of Object.keys(request)) {
        const text = field === 'epoch' ? [] : [`${mark}\u0000`];
        const whether = requests[event].request.safeParse({ ...request, [field]: true }).success;
        const nothing = requests[event].request.safeParse({ ...request, [field]: null }).success;
        const wrongs = [
          ...text,
          { [mark]: mark },
          [mark],
          ...(nothing ? [] : [null]),
          ...(whether ? [] : [true]),
          -0.5,
          Buffer.from(mark),
        ];
        for (const wrong of wrongs) {
          const reply = await client.reply(event, { ...request, [field]: wrong });
          expect([field, wrong, refusalOf(reply)]).toEqual([field, wrong, 'invalid_argument']);
        }
      }
      const required = Object.keys(request).filter(
        (field) => !requests[event].request.safeParse({ ...request, [field]: undefined }).success,
      );
      for (const field of required) {
        const { [field]: _left, ...rest } = request;
        expect(refusalOf(await client.reply(event, rest))).toBe('invalid_argument');
      }
    },
  );

  it.each(names)('%s is answered invalid_argument when it is binary (S-31, S-32)', async (event) => {
    expect(refusalOf(await client.reply(event, Buffer.from(mark)))).toBe('invalid_argument');
    expect(refusalOf(await client.reply(event, { ...valid[event], x: Buffer.from(mark) }))).toBe('invalid_argument');
  });

  it.each(names)('%s may be sent without wanting a reply (S-31)', async (event) => {
    for (const args of [JSON.stringify(valid[event]), 'null', `"${mark}"`, `${'['.repeat(5_000)}${']'.repeat(5_000)}`])
      raw.tell(event, args);
    expect((await client.reply('history:get', valid['history:get'])).ok).toBe(true);
  });

  it.each<[RequestName, string, unknown]>([
    ...['a\0b', 'a\ud800b', ' ', '', 'x'.repeat(81), 'a\u202eb', '\u200b', 'a\nb', 'é'.repeat(81)].flatMap(
      (name): [RequestName, string, unknown][] => [
        ['room:create', 'name', name],
        ['room:update', 'name', name],
      ],
    ),
    ...['a\0b', 'a\udc00b', 'x'.repeat(501)].map((topic): [RequestName, string, unknown] => [
      'room:create',
      'topic',
      topic,
    ]),
    ...['a\0b', 'a\ud800', '', ' \n\t', '\u3000', 'x'.repeat(4_001)].map((text): [RequestName, string, unknown] => [
      'message:send',
      'text',
      text,
    ]),
    ...['', 'a b', 'é', 'a\0', 'x'.repeat(65)].map((id): [RequestName, string, unknown] => [
      'message:send',
      'clientMsgId',
      id,
    ]),
    ...['a\0b', 'a\ud800b'].map((query): [RequestName, string, unknown] => ['rooms:discover', 'query', query]),
    ...['AAAA', '', pageCursor('a\0b'), pageCursor('a\ud800b'), pageCursor('a', 'no-id')].map(
      (cursor): [RequestName, string, unknown] => ['rooms:discover', 'cursor', cursor],
    ),
    ...['-'.repeat(36), 'a'.repeat(36), '\0'].map((cursor): [RequestName, string, unknown] => [
      'members:list',
      'cursor',
      cursor,
    ]),
    ...[0, 2 ** 53, 1e300].map((before): [RequestName, string, unknown] => ['history:get', 'before', before]),
    ['history:get', 'after', 5],
    ['history:get', 'limit', 201],
    ['room:sync', 'limit', 301],
    ...[
      { a: { b: { c: { d: {} } } } },
      { a: 'x'.repeat(4_090) },
      { a: 'é'.repeat(2_050) },
      { a: 'x\0' },
      { 'x\ud800': 1 },
      { a: [['\udc00']] },
      ['a'],
    ].flatMap((meta): [RequestName, string, unknown][] => [
      ['room:create', 'meta', meta],
      ['room:update', 'meta', meta],
    ]),
    ['room:update', 'slowModeS', 21_601],
    ['room:update', 'memberLimit', 0],
    ['member:update', 'role', 'admin'],
    ['member:update', 'mutedUntil', '2020-01-01'],
    ['member:ban', 'until', '0000-01-01T00:00:00.000Z'],
    ['member:ban', 'reason', 'x'.repeat(501)],
    ['invite:create', 'expiresInS', 59],
    ['invite:accept', 'code', 'x'.repeat(23)],
    ['rooms:sync', 'cursors', Object.fromEntries(Array.from({ length: 1_001 }, () => [uuidv7(), 0]))],
    ['room:create', 'roomId', '9f3b0a52-3f0b-4c3e-9d3a-0d9b6f4a5b1c'],
  ])('%s is answered invalid_argument for such a %s (%#) (S-23, S-34)', async (event, field, value) => {
    expect(refusalOf(await client.reply(event, { ...valid[event], [field]: value }))).toBe('invalid_argument');
  });

  it.each([
    ['that was not foreseen', 'message:sent'],
    ['of an object', 'constructor'],
    ['of a prototype', '__proto__'],
    ['of Nest', 'exception'],
    ['of Node', 'error'],
    ['of a picture', '😀'],
    ['of nothing', ''],
    ['of seven thousand characters', mark.repeat(1_000)],
  ])('of a name %s is answered unknown_event (S-33)', async (_, event) => {
    expect(refusalOf(await raw.ask(event, '{}'))).toBe('unknown_event');
    expect(refusalOf(await raw.ask(event, ''))).toBe('unknown_event');
    expect(refusalOf(await raw.ask(event, `"${mark}",${'['.repeat(5_000)}${']'.repeat(5_000)}`))).toBe('unknown_event');
    raw.tell(event, `"${mark}"`);
  });

  it('is answered once (S-31)', async () => {
    const { roomId } = valid['history:get'];
    // What comes after everything that was asked for on each connection.
    const all = [[client, raw] as const, ...others];
    await Promise.all(all.map(([each]) => each.ask('history:get', { roomId })));
    const times = all.flatMap(([, { acks }]) => [...acks.values()]);
    expect(times.length).toBeGreaterThan(names.length * 30);
    expect(times.filter((count) => count !== 1)).toEqual([]);
  });
});
