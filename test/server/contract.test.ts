import { uuidv7 } from 'uuidv7';
import { requests, type Reply, type RequestInput, type RequestName } from '../../src/protocol/index.js';
import type { PlainClient } from '../client.js';
import { Cluster } from './cluster.js';
import { RawRequests } from './raw-requests.js';
import { exactly } from './rest.js';

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
  let valid: { [E in RequestName]: RequestInput<E> };

  beforeAll(async () => {
    cluster = await Cluster.start(1);
    client = await cluster.connect('ann');
    raw = new RawRequests(client);
    const ben = await cluster.connect('ben');
    const { room } = await client.ask('room:create', { name: 'Ours' });
    const { room: his } = await ben.ask('room:create', { name: 'His' });
    const { room: left } = await ben.ask('room:create', { name: 'Left' });
    await client.ask('room:join', { roomId: left.id });
    await client.ask('message:send', { roomId: room.id, clientMsgId: 'first', text: 'Hello' });
    const roomId = room.id;
    valid = {
      'rooms:sync': { epoch: client.session.epoch, cursors: { [roomId]: 1 } },
      'room:sync': { roomId, epoch: client.session.epoch, after: 0, limit: 10 },
      'room:create': { roomId: uuidv7(), name: 'New', topic: '', visibility: 'private' },
      'room:update': { roomId, name: 'Ours, renamed', topic: 'All of it' },
      'room:join': { roomId: his.id },
      'room:leave': { roomId: left.id },
      'rooms:discover': { query: 'ours', limit: 10 },
      'member:add': { roomId, userId: ben.session.userId },
      'members:list': { roomId, limit: 10 },
      'message:send': { roomId, clientMsgId: 'second', text: 'Hello again' },
      'message:delete': { roomId, seq: 1 },
      'history:get': { roomId, before: 10, limit: 10 },
    };
  });
  afterAll(() => cluster.stop());

  it.each(names)('%s is answered with its result', async (event) => {
    const reply = await client.reply(event, valid[event]);
    if (!reply.ok) throw new Error(JSON.stringify(reply.error));
    exactly(requests[event].result, reply.data);
  });

  it.each(names)('%s is answered invalid_argument when it is no object of its schema', async (event) => {
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
    for (const [what, args] of Object.entries(refused)) {
      const reply = await raw.ask(event, args);
      expect([what, reply.ok ? 'ok' : refusalOf(reply)]).toEqual([what, 'invalid_argument']);
    }
  });

  it.each(names)('%s is not moved by __proto__ and constructor', async (event) => {
    const fields = JSON.stringify(valid[event]).slice(1, -1);
    for (const trick of ['"__proto__":{"polluted":1}', '"constructor":{"prototype":{"polluted":1}}']) {
      expect(JSON.stringify(await raw.ask(event, `{${trick}}`))).not.toContain('polluted');
      expect(JSON.stringify(await raw.ask(event, `{${fields},${trick}}`))).not.toContain('polluted');
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it.each(names)('%s is answered invalid_argument when a field is missing or of another type', async (event) => {
    const request = valid[event] as Record<string, unknown>;
    for (const field of Object.keys(request)) {
      const text = field === 'epoch' ? [] : [`${mark}\u0000`];
      for (const wrong of [...text, { [mark]: mark }, [mark], null, true, -0.5, Buffer.from(mark)]) {
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
  });

  it.each(names)('%s is answered invalid_argument when it is binary', async (event) => {
    expect(refusalOf(await client.reply(event, Buffer.from(mark)))).toBe('invalid_argument');
    expect(refusalOf(await client.reply(event, { ...valid[event], x: Buffer.from(mark) }))).toBe('invalid_argument');
  });

  it.each(names)('%s may be sent without wanting a reply', async (event) => {
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
    ['rooms:sync', 'cursors', Object.fromEntries(Array.from({ length: 1_001 }, () => [uuidv7(), 0]))],
    ['room:create', 'roomId', '9f3b0a52-3f0b-4c3e-9d3a-0d9b6f4a5b1c'],
  ])('%s is answered invalid_argument for such a %s (%#)', async (event, field, value) => {
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
  ])('of a name %s is answered unknown_event', async (_, event) => {
    expect(refusalOf(await raw.ask(event, '{}'))).toBe('unknown_event');
    expect(refusalOf(await raw.ask(event, ''))).toBe('unknown_event');
    expect(refusalOf(await raw.ask(event, `"${mark}",${'['.repeat(5_000)}${']'.repeat(5_000)}`))).toBe('unknown_event');
    raw.tell(event, `"${mark}"`);
  });

  it('is answered once', async () => {
    const { roomId } = valid['history:get'];
    await client.ask('history:get', { roomId });
    const times = [...raw.acks.values()];
    expect(times.length).toBeGreaterThan(names.length * 30);
    expect(times.filter((count) => count !== 1)).toEqual([]);
  });
});
