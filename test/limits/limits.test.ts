import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { Limits } from '../../src/limits/limits.js';
import { networkOf } from '../../src/limits/client-address.js';
import { defaultRates, type LimitName, type Rates } from '../../src/limits/rates.js';
import { GuestSession, type RequestInput, type RequestName } from '../../src/protocol/index.js';
import { ConnectionGuard } from '../../src/realtime/connection-guard.js';
import { RedisBus } from '../../src/realtime/redis-bus.js';
import type { Refused } from '../client.js';
import { createDatabase } from '../environment/database.js';
import { startRedis } from '../environment/redis.js';
import { startInstance } from '../instance.js';
import { Cluster } from '../server/cluster.js';
import { Rest } from '../server/rest.js';

const MINUTE = 60;
const rates: Rates = {
  ...defaultRates,
  requests: { count: 300, perS: 1 },
  sends: { count: 3, perS: MINUTE },
  rooms: { count: 6, perS: MINUTE },
  joins: { count: 6, perS: MINUTE },
  typing: { count: 6, perS: MINUTE },
  history: { count: 6, perS: MINUTE },
  search: { count: 6, perS: MINUTE },
  guests: { count: 6, perS: MINUTE },
  logins: { count: 30, perS: MINUTE },
  badTokens: { count: 6, perS: MINUTE },
};

describe('three instances', () => {
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let cluster: Cluster;
  const limitsOf = (i: number): Limits => cluster.instance(i).app.get(Limits);
  const busOf = (i: number): RedisBus => cluster.instance(i).app.get(RedisBus);
  const all = [0, 1, 2];
  /** How often it is granted, by all instances, to who asks each of them again and again for so long, in ms. */
  const grantedOf = async (name: LimitName, key: string, ms: number): Promise<number> => {
    const until = performance.now() + ms;
    let granted = 0;
    while (performance.now() < until) {
      for (const i of all) for (let n = 0; n < 5; n++) if (limitsOf(i).tryTake(name, key) === 0) granted += 1;
      await new Promise(setImmediate);
    }
    return granted;
  };
  const enter = (i: number, address: string) =>
    new Rest(cluster.instance(i).url).sendRaw(
      'POST',
      '/v1/guests',
      { 'content-type': 'application/json', 'x-forwarded-for': `198.51.100.9, ${address}` },
      JSON.stringify({ name: 'Zoë' }),
    );

  beforeAll(async () => {
    redis = await startRedis();
    const database = await createDatabase();
    const start = () => startInstance(database.url, redis.url, { rates, trustProxy: 1 });
    cluster = await Cluster.of(await Promise.all(all.map(start)), database);
    await cluster.eventually(() => all.every((i) => busOf(i).company.connected && busOf(i).company.instances === 3));
  });
  afterAll(async () => {
    await cluster.stop();
    await redis.stop();
  });

  it('let one user do what the limit says, and never one and a half of it (S-41)', async () => {
    const granted = await grantedOf('requests', 'busy', 2_000);
    const allowed = 300 + 2 * 300;
    expect(granted).toBeLessThanOrEqual(1.5 * allowed);
    expect(granted).toBeGreaterThan(0.8 * allowed);
  });

  it('make so many guests for an address together, and others for another one', async () => {
    const answers = [];
    for (let n = 0; n < 21; n++) {
      answers.push(await enter(n % 3, '203.0.113.7'));
      // So that it is heard of before the next, also where Redis has to wait for a processor.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const made = answers.filter(({ status }) => status === 201);
    expect(made.length).toBeGreaterThanOrEqual(4);
    expect(made.length).toBeLessThanOrEqual(9);
    const refused = answers.at(-1);
    expect(refused?.status).toBe(429);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    const { code, retryAfterMs } = JSON.parse(refused?.text ?? '') as { code: string; retryAfterMs: number };
    expect(code).toBe('rate_limited');
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(all.reduce((sum, i) => sum + limitsOf(i).refused.guests, 0)).toBe(21 - made.length);
    const other = await enter(0, '203.0.113.8');
    expect(GuestSession.parse(JSON.parse(other.text)).user.name).toBe('Zoë');
  });

  it('take nothing that comes over Redis for a permission, and no debt that does not end (S-52)', () => {
    const limits = limitsOf(0);
    const key = 'forged';
    limits.hear([['logins', key, 30]]);
    const junk: unknown[] = [-1e9, Number.NaN, -Infinity, '-5', null, {}];
    for (const used of junk) {
      limits.hear([['logins', key, used]]);
      expect(limits.tryTake('logins', key)).toBeGreaterThan(0);
    }
    for (const told of [
      undefined,
      7,
      'x',
      [1],
      [['no', key, 1]],
      [['logins', {}, 1]],
      [['logins', 'x'.repeat(9_999), 1]],
    ])
      limits.hear(told);
    expect(limits.tryTake('logins', key)).toBeGreaterThan(0);
    limits.hear([['logins', key, Infinity]]);
    expect(limits.tryTake('logins', key)).toBeLessThanOrEqual(3 * MINUTE * 1_000);
  });

  it('let only their shares pass while they do not hear each other, of which each is at least one (S-40)', async () => {
    await redis.stop();
    await cluster.eventually(() => all.every((i) => !busOf(i).company.connected));
    expect(await grantedOf('logins', 'alone', 200)).toBe(30);
    for (const i of all) {
      expect(limitsOf(i).tryTake('sends', 'room')).toBe(0);
      expect(limitsOf(i).tryTake('sends', 'room')).toBeGreaterThan(0);
    }
  });
});

describe('one instance', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start(1, { rates, trustProxy: 0, connections: { perUser: 3, uncheckedPerAddress: 5 } });
  });
  afterAll(() => cluster.stop());

  it('refuses what is asked too often, each thing for itself, and says when to ask again (S-40, S-46, S-47)', async () => {
    const ann = await cluster.connect('ann');
    const { room } = await ann.ask('room:create', { name: 'Room' });
    const roomId = room.id;
    const refusalOf = async <E extends RequestName>(
      event: E,
      request: (n: number) => RequestInput<E>,
      times: number,
    ) => {
      for (let n = 0; n < times; n++) await ann.ask(event, request(n));
      return ann.refusal(event, request(times));
    };
    const refusals = [
      await refusalOf('room:create', (n) => ({ name: `Room ${n}` }), 5),
      await refusalOf('room:join', () => ({ roomId }), 6),
      await refusalOf('typing:set', () => ({ roomId, on: true }), 6),
      await refusalOf('history:get', () => ({ roomId }), 6),
      await refusalOf('rooms:discover', () => ({}), 6),
      await refusalOf('message:send', (n) => ({ roomId, clientMsgId: `m${n}`, text: 'x' }), 3),
    ];
    for (const { code, retryable, retryAfterMs } of refusals) {
      expect([code, retryable]).toEqual(['rate_limited', true]);
      expect(retryAfterMs).toBeGreaterThan(0);
    }
    // Somebody else is not concerned, but for what all do in the room.
    const ben = await cluster.connect('ben');
    await ben.ask('room:join', { roomId });
    expect((await ben.refusal('message:send', { roomId, clientMsgId: 'b', text: 'x' })).code).toBe('rate_limited');
  });

  it('believes no header about an address unless it is told to (S-11)', async () => {
    const enter = (address: string) =>
      new Rest(cluster.instance(0).url).sendRaw(
        'POST',
        '/v1/guests',
        { 'content-type': 'application/json', 'x-forwarded-for': address },
        JSON.stringify({ name: 'Zoë' }),
      );
    const statuses = [];
    for (let n = 0; n < 7; n++) statuses.push((await enter(`203.0.113.${n}`)).status);
    expect(statuses).toEqual([201, 201, 201, 201, 201, 201, 429]);
  });

  it('lets a user have so many connections, and leaves those that stand alone (S-09)', async () => {
    const open = await Promise.all([1, 2, 3].map(() => cluster.connect('dan')));
    await expect(cluster.connect('dan')).rejects.toMatchObject({
      error: { code: 'too_many_connections', retryable: true, retryAfterMs: 5_000 },
    });
    for (const client of open) await client.ask('presence:set', { status: 'online' });
    await cluster.connect('eve');
    open[0]?.close();
    await cluster.eventually(() => cluster.connect('dan').then(Boolean, () => false));
  });

  it('lets an address have so many connections that bring no token, and hears those that do again when they are gone (S-09)', async () => {
    const polling = `${cluster.instance(0).url}/socket.io/?EIO=4&transport=polling`;
    const silent = [];
    for (let n = 0; n < 5; n++) {
      const opened = await (await fetch(polling)).text();
      silent.push((JSON.parse(opened.slice(1)) as { sid: string }).sid);
    }
    expect(await (await fetch(polling)).json()).toEqual({ code: 4, message: 'too_many_connections' });
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.alloc(16, 1).toString('base64'),
    };
    const upgrade = get(polling.replace('polling', 'websocket'), { headers });
    const [response] = (await once(upgrade, 'response')) as [IncomingMessage];
    expect([response.statusCode, response.headers['retry-after']]).toEqual([429, '5']);
    response.resume();
    for (const sid of silent) await fetch(`${polling}&sid=${sid}`, { method: 'POST', body: '1' });
    await cluster.eventually(() => cluster.connect('fay').then(Boolean, () => false));
  });

  it('closes the socket of who was told to wait three times, and goes on asking (S-40)', async () => {
    const [deaf, patient] = await Promise.all(['gil', 'hal'].map((user) => cluster.connect(user)));
    const limits = cluster.instance(0).app.get(Limits);
    const { cuts } = cluster.instance(0).app.get(ConnectionGuard);
    const before = cuts.rate_limited;
    // Nothing is left for either of them, again and again.
    const drain = (): void =>
      limits.hear([deaf, patient].map((client) => ['requests', client?.session.userId ?? '', 300]));
    const gone = new Promise((resolve) => deaf?.socket.once('disconnect', resolve));
    const asking = setInterval(() => {
      drain();
      deaf?.socket.emit('presence:set', { status: 'online' }, () => undefined);
    }, 50);
    drain();
    const first = await patient?.refusal('presence:set', { status: 'online' });
    await gone;
    clearInterval(asking);
    expect(first?.retryAfterMs).toBeGreaterThan(0);
    expect(cuts.rate_limited).toBe(before + 1);
    expect(patient?.socket.connected).toBe(true);
  });

  it('counts REST and all sockets of a user together (S-40)', async () => {
    const rest = await cluster.rest('cid');
    const limits = cluster.instance(0).app.get(Limits);
    const client = await cluster.connect('cid');
    while (limits.tryTake('requests', client.session.userId) === 0) continue;
    limits.hear([['requests', client.session.userId, 300]]);
    expect((await client.refusal('presence:set', { status: 'online' })).code).toBe('rate_limited');
    expect((await rest.refused('GET', '/v1/rooms/discover')).status).toBe(429);
  });
});

describe('an address that brings wrong tokens', () => {
  it('is not heard any more after so many, and others are (S-12)', async () => {
    const cluster = await Cluster.start(1, { rates, trustProxy: ['127.0.0.1/32'] });
    const { url } = cluster.instance(0);
    const codes = [];
    for (let n = 0; n < 6; n++)
      codes.push(
        await cluster.connect('ann', 0, { token: 'wrong' }).catch((error: unknown) => (error as Refused).error.code),
      );
    expect(codes).toEqual(codes.map(() => 'unauthenticated'));
    const status = async (address: string) => {
      const headers = { 'x-forwarded-for': `192.0.2.1, ${address}` };
      return (await fetch(`${url}/socket.io/?EIO=4&transport=polling`, { headers })).status;
    };
    expect([await status('127.0.0.1'), await status('203.0.113.9')]).toEqual([200, 200]);
    await expect(cluster.connect('ann')).rejects.toThrow();
    await cluster.stop();
  });
});

it.each([
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::6', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('the address %s is counted as %s', (address, network) => expect(networkOf(address)).toBe(network));
