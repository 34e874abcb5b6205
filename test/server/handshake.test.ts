import { createSecretKey } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { once, type EventEmitter } from 'node:events';
import { createClient } from 'redis';
import { SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { uuidv7 } from 'uuidv7';
import { Manager } from 'socket.io-client';
import { AdminKey, MadeKey } from '../../src/admin/admin-keys.schemas.js';
import { PlainClient } from '../client.js';
import { adminKey, jwtSecret, testToken } from '../instance.js';
import { Cluster } from './cluster.js';
import { Rest } from './rest.js';

let cluster: Cluster;
let url: string;
beforeAll(async () => {
  cluster = await Cluster.start(1, { corsOrigins: ['https://app.example'] });
  ({ url } = cluster.instance(0));
});
afterEach(() => cluster.hangUp());
afterAll(() => cluster.stop());

const now = () => Math.floor(Date.now() / 1000);
const sign = (claims: JWTPayload, secret = jwtSecret, algorithm = 'HS256') =>
  new SignJWT(claims).setProtectedHeader({ alg: algorithm }).sign(createSecretKey(Buffer.from(secret)));

/** A connection below Socket.IO: what is written comes out as it is. */
async function dial(): Promise<{ write(data: string): void; received: string[]; closed: Promise<unknown> }> {
  const manager = new Manager(url, { transports: ['websocket'], reconnection: false, autoConnect: false });
  const received: string[] = [];
  const closed = new Promise((resolve) => manager.on('close', resolve));
  await new Promise<void>((resolve, reject) => {
    manager.open((error) => (error === undefined ? resolve() : reject(error)));
  });
  const engine = manager.engine as unknown as {
    write(data: string): void;
    on(event: 'data', listener: (data: string) => void): void;
  };
  engine.on('data', (data) => received.push(data));
  return { write: (data) => engine.write(data), received, closed };
}

describe('the handshake', () => {
  it.each<[string, string, () => string | Promise<string>]>([
    ['of nothing', 'unauthenticated', () => ''],
    ['that is none', 'unauthenticated', () => 'abc.def.ghi'],
    ['of another key', 'unauthenticated', () => sign({ sub: 'ann', exp: now() + 60 }, 'x'.repeat(48))],
    ['that has expired', 'token_expired', () => sign({ sub: 'ann', exp: now() - 60 })],
    ['of tomorrow', 'unauthenticated', () => sign({ sub: 'ann', nbf: now() + 60, exp: now() + 120 })],
    ['of no algorithm', 'unauthenticated', () => new UnsecuredJWT({ sub: 'ann', exp: now() + 60 }).encode()],
    [
      'of another algorithm',
      'unauthenticated',
      () => sign({ sub: 'ann', exp: now() + 60 }, jwtSecret.repeat(2), 'HS512'),
    ],
    ['that never expires', 'unauthenticated', () => sign({ sub: 'ann' })],
    ['that expires in ten years', 'unauthenticated', () => sign({ sub: 'ann', exp: now() + 10 * 366 * 24 * 3600 })],
    ['of nobody', 'unauthenticated', () => sign({ exp: now() + 60 })],
    ['of a name that is none', 'unauthenticated', () => sign({ sub: '', exp: now() + 60 })],
    ['of a user that cannot be stored', 'unauthenticated', () => sign({ sub: 'a\0b', name: 'Ann', exp: now() + 60 })],
    ['of a guest that is none', 'unauthenticated', () => sign({ sub: 'ann', iss: 'parley:guest', exp: now() + 60 })],
    [
      'of a guest of another database',
      'unauthenticated',
      () => sign({ sub: uuidv7(), iss: 'parley:guest', exp: now() + 60 }),
    ],
    ['that is too long', 'unauthenticated', () => sign({ sub: 'ann', exp: now() + 60, x: 'x'.repeat(9_000) })],
  ])('refuses a token %s: %s (S-01, S-13, S-15)', async (_, code, token) => {
    const refused = await PlainClient.connect(url, 'ann', { token: await token() }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ error: { code, retryable: false } });
    const rest = new Rest(url, (await token()).slice(0, 10_000));
    expect((await rest.refused('GET', '/v1/rooms')).code).toBe(code);
  });

  it.each([
    ['nothing', ''],
    ['no token', '{}'],
    ['a number', '{"token":7}'],
    ['a list', '{"token":["a"]}'],
    ['more than a token', '{"token":"a","admin":true}'],
    ['a deep object', `{"token":${'['.repeat(5_000)}${']'.repeat(5_000)}}`],
    ['five thousand keys', JSON.stringify(Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, 0])))],
  ])('refuses %s, and closes the connection (S-01, S-08)', async (_, auth) => {
    const connection = await dial();
    connection.write(`0${auth}`);
    await connection.closed;
    expect(connection.received.length).toBe(1);
    expect(connection.received[0]).toMatch(/^4\{"message":"unauthenticated","data":\{"code":"unauthenticated",/);
    expect(connection.received[0]?.length).toBeLessThan(300);
  });

  it('takes no token from the address (S-02)', async () => {
    const token = await testToken('ann');
    const manager = new Manager(`${url}/?token=${token}`, {
      transports: ['websocket'],
      query: { token },
      reconnection: false,
    });
    const socket = manager.socket('/');
    const [error] = (await new Promise<unknown[]>((resolve) => {
      socket.on('connect_error', (...args) => resolve(args));
      socket.on('connect', () => resolve(['connected']));
      socket.connect();
    })) as [{ message?: string }];
    expect(error.message).toBe('unauthenticated');
    expect((await new Rest(url).refused('GET', `/v1/rooms?token=${token}`)).code).toBe('unauthenticated');
  });

  it('makes at most one socket of fifty requests for one on a connection (S-05)', async () => {
    const token = await testToken('flood');
    const flood = await dial();
    for (let i = 0; i < 50; i++) flood.write(`0${JSON.stringify({ token })}`);
    await flood.closed;
    expect(flood.received.filter((data) => data.startsWith('0{')).length).toBeLessThanOrEqual(1);
    const late = await dial();
    late.write(`0${JSON.stringify({ token })}`);
    while (!late.received.some((data) => data.includes('session:ready'))) await new Promise(setImmediate);
    late.write(`0${JSON.stringify({ token })}`);
    await late.closed;
    expect(late.received.filter((data) => data.startsWith('0{')).length).toBe(1);
    await cluster.eventually(() => cluster.sockets(0).size === 0);
  });

  it('checks one token a connection (S-05)', async () => {
    const connection = await dial();
    for (let i = 0; i < 200; i++) connection.write('0{"token":"guess"}');
    await connection.closed;
    expect(connection.received.filter((data) => data.startsWith('4')).length).toBeLessThanOrEqual(1);
    // Socket.IO keeps those that nobody let in or refused.
    await cluster.eventually(() => cluster.undecided(0) === 0);
  });

  it.each(['/admin,', '/x,', '/%2e%2e,', '/', '/socket.io,'])(
    'closes a connection that asks for the namespace %s (S-06)',
    async (name) => {
      const connection = await dial();
      connection.write(`0${name}${JSON.stringify({ token: await testToken('ann') })}`);
      await connection.closed;
      expect(connection.received.filter((data) => data.startsWith('0'))).toEqual([]);
    },
  );

  it('closes a connection that sends before it is let in (S-01)', async () => {
    const connection = await dial();
    connection.write(`0${JSON.stringify({ token: await testToken('eager') })}`);
    connection.write('20["rooms:discover",{}]');
    await Promise.race([
      connection.closed,
      cluster.eventually(() => connection.received.some((data) => data.startsWith('3'))),
    ]);
    expect(connection.received.filter((data) => data.startsWith('3'))).toEqual([]);
  });

  it('forgets the token, the address and the headers (S-38)', async () => {
    const ann = await cluster.connect('ann');
    const socket = cluster.sockets(0).get(ann.session.sessionId);
    // What Engine.IO keeps of the HTTP request has the same headers and the same address.
    expect(socket?.request).toBeUndefined();
    expect(socket?.handshake).toMatchObject({
      auth: {},
      headers: {},
      query: {},
      url: '',
    });
  });

  it.each([[['websocket']], [['polling', 'websocket']]])(
    'forgets the request that was upgraded (S-38): %j',
    async (transports) => {
      // What Engine.IO answers an upgrade with lives as long as the connection: its socket's listeners hold it.
      const answers: { req?: unknown }[] = [];
      cluster.server(0).engine.use((request: IncomingMessage, answer: { req?: unknown }, next: () => void) => {
        if (request.headers.upgrade !== undefined) answers.push(answer);
        next();
      });
      const ann = await cluster.connect('ann', 0, { transports });
      await cluster.eventually(() => ann.socket.io.engine.transport.name === 'websocket');
      expect(answers.map(({ req }) => req === undefined)).toEqual([true]);
      await ann.ask('rooms:discover', {});
    },
  );
});

describe('a page of another origin', () => {
  const foreign = [
    'https://evil.example',
    'https://app.example.evil.example',
    'https://app.example:444',
    'http://app.example',
    'null',
  ];

  it.each(foreign)('is refused with 403, by WebSocket and by polling: %s (S-03, S-04)', async (origin) => {
    expect(await upgrade(origin)).toBe(403);
    const polling = await fetch(`${url}/socket.io/?EIO=4&transport=polling`, { headers: { origin } });
    expect(polling.status).toBe(403);
    expect(polling.headers.get('access-control-allow-origin')).not.toBe(origin);
  });

  it('is let in where it is ours or named (S-56)', async () => {
    for (const origin of ['https://app.example', url, undefined]) expect(await upgrade(origin)).toBe(101);
    const polling = await fetch(`${url}/socket.io/?EIO=4&transport=polling`, {
      headers: { origin: 'https://app.example' },
    });
    expect([polling.status, polling.headers.get('access-control-allow-origin')]).toEqual([200, 'https://app.example']);
    const rest = await fetch(`${url}/v1/rooms`, { headers: { origin: 'https://app.example' } });
    expect(rest.headers.get('access-control-allow-origin')).toBe('https://app.example');
    const evil = await fetch(`${url}/v1/rooms`, { headers: { origin: 'https://evil.example' } });
    expect(evil.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('Redis', () => {
  it('is not told any token or key (S-53)', async () => {
    const pair = await Cluster.start(2);
    const monitor = createClient({ url: process.env['TEST_REDIS_URL'] ?? '' });
    await monitor.connect();
    try {
      const heard: string[] = [];
      await monitor.monitor((line) => heard.push(line));
      const admin = new Rest(pair.instance(0).url, adminKey);
      const { key, token } = await admin.ok('POST', '/admin/v1/keys', MadeKey, {
        name: 'Bot',
        scopes: ['chat:read', 'chat:write'],
      });
      const [ann, bot] = [await pair.connect('ann'), await pair.connect('', 1, { token })];
      const { room } = await ann.ask('room:create', { name: 'Watched' });
      await bot.ask('room:join', { roomId: room.id });
      await ann.ask('message:send', { roomId: room.id, clientMsgId: 'a', text: 'A word that Redis hears' });
      await bot.until(() => bot.textsOf(room.id).length > 0);
      const closed = once(bot.socket as unknown as EventEmitter, 'session:closed');
      await admin.ok('DELETE', `/admin/v1/keys/${key.id}`, AdminKey);
      await closed;
      await pair.eventually(() => heard.some((line) => line.includes('A word that Redis hears')));
      const all = heard.join('\n');
      expect(all).not.toContain((await testToken('ann')).split('.')[0]);
      const [row] = await pair.query<{ hash: string }>(`select encode(hash, 'hex') as hash from api_keys`);
      expect(row?.hash).toHaveLength(64);
      for (const secret of [token.slice('parley_'.length), row?.hash]) expect(all).not.toContain(secret);
    } finally {
      monitor.destroy();
      await pair.stop();
    }
  });
});

/** The status that a request to upgrade to WebSocket is answered with. */
async function upgrade(origin: string | undefined): Promise<number | undefined> {
  const request = httpRequest(`${url}/socket.io/?EIO=4&transport=websocket`, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.alloc(16).toString('base64'),
      ...(origin === undefined ? {} : { origin }),
    },
  });
  request.end();
  const [response] = (await Promise.race([once(request, 'upgrade'), once(request, 'response')])) as [
    { statusCode?: number; socket: { destroy(): void } },
  ];
  response.socket.destroy();
  return response.statusCode;
}

describe('admission', () => {
  it('is not for those whose token does not hold: they take nobody’s turn (S-12)', async () => {
    const limits = {
      requestsPerSecond: 500,
      inboundBytesPerSecond: 2 ** 20,
      outboundBytes: 2 ** 20,
      connectsPerSecond: 1,
    };
    const slow = await Cluster.start(1, { limits });
    try {
      const since = performance.now();
      const forged = await sign({ sub: 'eve', exp: now() + 60 }, 'x'.repeat(40));
      const refused = Array.from({ length: 6 }, () => slow.connect('eve', 0, { token: forged }));
      for (const each of refused) await expect(each).rejects.toMatchObject({ error: { code: 'unauthenticated' } });
      await slow.connect('ann');
      // Their turns would have taken six seconds.
      expect(performance.now() - since).toBeLessThan(4_000);
    } finally {
      await slow.stop();
    }
  });
});
