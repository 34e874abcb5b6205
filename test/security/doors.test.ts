import { get, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { uuidv7 } from 'uuidv7';
import { limits } from '../../src/protocol/index.js';
import { frame, opcodes } from '../../verify/load/raw-connection.js';
import type { PlainClient } from '../client.js';
import { testToken } from '../instance.js';
import { Cluster } from '../server/cluster.js';
import { Rest } from '../server/rest.js';
import { RawSocket } from './raw-socket.js';

const KIB = 1024;
/** What a busy machine may add, in ms. */
const LATE = 3_000;

const upgradeTo = (query: string) =>
  `GET /socket.io/?${query} HTTP/1.1\r\nHost: parley\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16, 1).toString('base64')}\r\n\r\n`;

let cluster: Cluster;
let url: string;
let neighbour: PlainClient;
let roomId: string;
beforeAll(async () => {
  cluster = await Cluster.start(1, { docs: false });
  ({ url } = cluster.instance(0));
  neighbour = await cluster.connect('neighbour');
  roomId = (await neighbour.ask('room:create', { name: 'Ours' })).room.id;
});
afterAll(() => cluster.stop());
/** Whoever else is there is served still. */
afterEach(async () => {
  expect((await neighbour.ask('history:get', { roomId })).messages).toEqual([]);
});

const statusOf = async (path: string, init: RequestInit = {}): Promise<number> => {
  const answer = await fetch(`${url}${path}`, init);
  await answer.arrayBuffer();
  return answer.status;
};

describe('who knocks', () => {
  it('is not known by a cookie (S-04)', async () => {
    const cookie = `token=${await testToken('ann')}; parley-instance=1; Authorization=Bearer ${await testToken('ann')}`;
    expect((await new Rest(url).sendRaw('GET', '/v1/rooms', { cookie })).status).toBe(401);
    const polling = await fetch(`${url}/socket.io/?EIO=4&transport=polling`, { headers: { cookie } });
    const { sid } = JSON.parse((await polling.text()).slice(1)) as { sid: string };
    const session = `${url}/socket.io/?EIO=4&transport=polling&sid=${sid}`;
    await (await fetch(session, { method: 'POST', body: '40', headers: { cookie } })).text();
    expect(await (await fetch(session, { headers: { cookie } })).text()).toContain('44{"message":"unauthenticated"');
    expect(await (await fetch(session, { headers: { cookie } })).text()).toBe('1');
  });

  it('has to speak the protocol that there is (S-10)', async () => {
    const ann = await cluster.connect('ann');
    const sid = ann.socket.io.engine.id;
    for (const query of [
      'EIO=3&transport=polling',
      'EIO=4&transport=webtransport',
      'EIO=4&transport=carrier-pigeon',
      'EIO=4&transport=__proto__',
      'EIO=4',
      'EIO=4&transport=polling&sid=nobody',
      'EIO=4&transport=polling&sid=__proto__',
      `EIO=4&transport=polling&sid=${sid}`,
      `EIO=4&transport=polling&sid=${sid}&sid=${sid}`,
    ])
      expect([query, await statusOf(`/socket.io/?${query}`)]).toEqual([query, 400]);
    const { hostname, port } = new URL(url);
    const old = connect(Number(port), hostname);
    old.end(upgradeTo('EIO=3&transport=websocket'));
    expect((await text(old)).split('\r\n')[0]).toBe('HTTP/1.1 400 Bad Request');
    ann.close();
  });

  it('finds nothing but what is meant to be there (S-28, S-48)', async () => {
    const paths = [
      '/socket.io/socket.io.js',
      '/docs',
      '/docs/openapi.json',
      '/graphql',
      '/swagger',
      '/api',
      '/metrics',
    ];
    const files = ['/.env', '/package.json', '/data/jwt-secret', '/..%2f..%2fpackage.json', '/%2e%2e/package.json'];
    for (const path of [...paths, ...files, '/debug', '/upload', '/v1/uploads', '/v1/files', '/v1/attachments'])
      expect([path, [400, 404].includes(await statusOf(path))]).toEqual([path, true]);
    const form = new FormData();
    form.append('file', new Blob(['<svg onload="alert(1)"/>'], { type: 'image/svg+xml' }), '../../x.svg');
    const authorization = `Bearer ${await testToken('ann')}`;
    for (const path of ['/v1/rooms', '/v1/uploads', `/v1/rooms/${roomId}/messages`])
      expect(await statusOf(path, { method: 'POST', body: form, headers: { authorization } })).not.toBe(201);
    expect(Object.keys((await (await fetch(`${url}/health/ready`)).json()) as object).sort()).toEqual([
      'bus',
      'database',
      'draining',
      'keys',
      'ready',
    ]);
  });

  it('is told what pages may do, on every path (S-56)', async () => {
    for (const path of ['/', '/v1/rooms', '/nothing', '/health/live', '/socket.io/?EIO=4&transport=polling']) {
      const { headers } = await fetch(`${url}${path}`, { headers: { origin: 'https://evil.example' } });
      expect([path, headers.get('x-powered-by'), headers.get('access-control-allow-origin')]).toEqual([
        path,
        null,
        null,
      ]);
      if (path.startsWith('/socket.io')) continue;
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    }
  });
});

it.concurrent.each<[string, string, string?]>([
  ['says nothing', ''],
  ['sends half of a head', 'GET / HTTP/1.1\r\nHost: parley\r\n'],
  ['sends a head line by line', 'GET / HTTP/1.1\r\nHost: parley\r\n', 'X-More: of it\r\n'],
  ['opens a WebSocket and does not ask to come in', upgradeTo('EIO=4&transport=websocket')],
])('who %s is out within ten seconds (S-07)', async (_, first, more) => {
  const { hostname, port } = new URL(url);
  const tcp = connect(Number(port), hostname).on('error', () => undefined);
  tcp.resume().write(first);
  const began = performance.now();
  const timer = setInterval(() => more !== undefined && tcp.write(more), 500);
  await once(tcp, 'close');
  clearInterval(timer);
  expect(performance.now() - began).toBeLessThan(10_000 + LATE);
});

describe('a packet', () => {
  let socket: RawSocket;
  beforeEach(async () => (socket = await RawSocket.connect(url, await testToken(`sender-${uuidv7()}`))));
  afterEach(() => socket.connection.destroy());
  const sockets = () => cluster.sockets(0).size;

  it('that is larger than any may be closes its connection, and one that is not is answered in few words (S-29)', async () => {
    const asked = socket.until((text) => text.startsWith('430'));
    socket.connection.send(`420["message:send",${JSON.stringify({ roomId, text: 'x'.repeat(62 * KIB) })}]`);
    expect((await asked).length).toBeLessThan(KIB);
    socket.connection.send(`421["message:send",${JSON.stringify({ roomId, text: 'x'.repeat(limits.payloadBytes) })}]`);
    await socket.closed;
    expect(socket.texts.filter((text) => text.startsWith('431'))).toEqual([]);
  });

  it.each<[string, (Buffer | string)[]]>([
    [
      'one attachment that is a text',
      ['451-0["rooms:discover",{"_placeholder":true,"num":0}]', '420["rooms:discover",{}]'],
    ],
    ['11 attachments', ['4511-["rooms:discover",{}]', ...Array.from({ length: 12 }, () => frame('x', opcodes.binary))]],
    [
      '9,999 attachments',
      ['459999-0["rooms:discover",{}]', ...Array.from({ length: 100 }, () => frame('x'.repeat(600), opcodes.binary))],
    ],
    ['1e9 attachments', ['451000000000-0["rooms:discover",{}]']],
    ['an attachment that nothing tells of', [frame('x', opcodes.binary)]],
    [
      'a placeholder out of reach',
      ['451-0["rooms:discover",{"_placeholder":true,"num":9}]', frame('x', opcodes.binary)],
    ],
    [
      'a placeholder of __proto__',
      ['451-0["rooms:discover",{"_placeholder":true,"num":"__proto__"}]', frame('x', opcodes.binary)],
    ],
    ['an acknowledgement with attachments', ['461-0[{"_placeholder":true,"num":0}]', frame('x', opcodes.binary)]],
  ])('of %s harms nobody, and nothing is kept of it (S-32)', async (_, packets) => {
    for (const packet of packets) {
      if (typeof packet === 'string') socket.connection.send(packet);
      else socket.connection.write(packet);
    }
    // It is closed, or told that this is nothing; either way nobody waits for the rest.
    socket.connection.write(Buffer.concat([frame('422["rooms:discover",7]', opcodes.text), frame('', opcodes.close)]));
    await socket.closed;
    expect(socket.texts.filter((text) => text.includes('"ok":true'))).toEqual([]);
    await cluster.eventually(() => sockets() === 1);
  });

  it('in a hundred thousand fragments closes its connection, and memory stays as it was (S-32)', async () => {
    const before = process.memoryUsage().rss;
    const part = frame('x', opcodes.continuation, false);
    const many = Buffer.concat(Array.from({ length: 10_000 }, () => part));
    socket.connection.write(frame('4', opcodes.text, false));
    for (let i = 0; i < 10 && !socket.connection.isOver; i++) {
      socket.connection.write(many);
      await Promise.race([socket.closed, new Promise(setImmediate)]);
    }
    await socket.closed;
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * KIB * KIB);
  });

  it.each([
    'error',
    'connect',
    'connect_error',
    'disconnect',
    'disconnecting',
    'newListener',
    'removeListener',
    '_error',
    'ping',
  ])('named %s, as Node and Socket.IO name events of their own, is unknown (S-33)', async (name) => {
    const answer = socket.until((text) => text.startsWith('430'));
    socket.connection.send(`420[${JSON.stringify(name)},{}]`);
    expect(await answer.catch(() => 'closed')).toMatch(/"unknown_event"|closed/);
  });

  it('for five hundred namespaces that are not there makes none (S-06)', async () => {
    for (let i = 0; i < 500; i++) socket.connection.send(`40/n${i},{"token":"x"}`);
    await socket.closed;
    expect(cluster.undecided(0)).toBe(0);
    await cluster.eventually(() => sockets() === 1);
  });
});

describe('a request', () => {
  const refusal = async (event: Parameters<PlainClient['refusal']>[0], request: object) =>
    (await neighbour.refusal(event, request)).code;

  it('cannot name a room by anything but its id (S-26)', async () => {
    const { sessionId, userId } = neighbour.session;
    for (const id of [sessionId, `user:${userId}`, `room:${roomId}`, '__proto__', '', 'x'.repeat(10 * KIB), [roomId]])
      for (const event of ['room:join', 'room:sync', 'history:get', 'room:leave'] as const)
        expect(await refusal(event, { roomId: id })).toBe('invalid_argument');
  });

  it('cannot set what the server sets (S-24)', async () => {
    const message = { roomId, clientMsgId: 'a', text: 'Mine' };
    for (const field of [
      'senderId',
      'sender',
      'userId',
      'seq',
      'rev',
      'createdAt',
      'role',
      'id',
      'kind',
      'duplicate',
    ]) {
      expect(await refusal('message:send', { ...message, [field]: 1 })).toBe('invalid_argument');
      expect(await refusal('room:update', { roomId, name: 'Ours', [field]: 1 })).toBe('invalid_argument');
      const rest = await cluster.rest('neighbour');
      const { code } = await rest.refused('POST', `/v1/rooms/${roomId}/messages`, {
        clientMsgId: 'a',
        text: 'b',
        [field]: 1,
      });
      expect(code).toBe('invalid_argument');
    }
  });

  it('has its quotes, wildcards and operators taken as letters (S-35)', async () => {
    const names = [
      `'; drop table rooms; --`,
      `"quoted" \\' or 1=1`,
      '100%_\\',
      `a & !b | (c:*) <-> "d"`,
      '$1 ${x} {{y}}',
    ];
    const rooms = new Map<string, string>();
    for (const name of names) {
      const { room } = await neighbour.ask('room:create', { name, topic: name });
      rooms.set(name, room.id);
      const { message } = await neighbour.ask('message:send', { roomId: room.id, clientMsgId: 'a', text: name });
      expect([room.name, room.topic, message.text]).toEqual([name, name, name]);
    }
    for (const [name, id] of rooms) {
      const found = await neighbour.ask('rooms:discover', { query: name });
      expect(found.items.map((room) => room.id)).toEqual([id]);
    }
    expect(await cluster.query('select count(*)::int as n from messages')).toEqual([{ n: names.length }]);
    for (const sort of ['name', 'name; drop table rooms', '1'])
      expect(await refusal('rooms:discover', { query: 'x', sort })).toBe('invalid_argument');
  });

  it('cannot tell an id of another from one that is none (S-58)', async () => {
    const stranger = await cluster.connect('stranger');
    const { room } = await neighbour.ask('room:create', { name: 'Hidden', visibility: 'private' });
    const answers = [room.id, uuidv7()].map((id) => stranger.refusal('history:get', { roomId: id }));
    const [there, nowhere] = await Promise.all(answers);
    expect(there).toEqual(nowhere);
    for (const id of [room.id, roomId, stranger.session.userId]) expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7/);
  });
});

it('a request whose headers are too large is refused (S-07, S-38)', async () => {
  const asked = get(`${url}/v1/rooms`, { headers: { 'user-agent': 'x'.repeat(100 * KIB) } });
  const [response] = (await Promise.race([once(asked, 'response'), once(asked, 'error')])) as [IncomingMessage | Error];
  expect(response instanceof Error || response.statusCode === 431).toBe(true);
  asked.destroy();
});
