import { createClient } from 'redis';
import { startRedis } from '../environment/redis.js';
import { createDatabase } from '../environment/database.js';
import { AdminUser } from '../../src/admin/admin-users.schemas.js';
import { RedisBus } from '../../src/realtime/redis-bus.js';
import { PlainClient } from '../client.js';
import { TcpProxy } from '../../verify/proxy/tcp-proxy.js';
import { Random } from '../../verify/random.js';
import { adminKey, startInstance, type Instance } from '../instance.js';
import { Rest } from '../server/rest.js';

describe('while Redis', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let instances: Instance[];
  let ann: PlainClient;
  let ben: PlainClient;
  let roomId: string;
  let sent = 0;

  const busOf = (i: number): RedisBus => instances[i]?.app.get(RedisBus) ?? fail();
  const turned = async (healthy: boolean): Promise<void> => {
    for (const i of [0, 1])
      while (busOf(i).healthy !== healthy) await new Promise<void>((resolve) => busOf(i).onTurn(resolve));
  };
  /** Ann and Ben each send, on their own instances; both see all of it, once and in one order. */
  const converse = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      sent += 2;
      await Promise.all(
        [ann, ben].map((client) => client.ask('message:send', { roomId, clientMsgId: `m${sent}`, text: `${sent}` })),
      );
    }
    for (const client of [ann, ben]) await client.until(() => client.textsOf(roomId).length >= sent);
    expect(ann.textsOf(roomId)).toHaveLength(sent);
    expect(ben.textsOf(roomId)).toEqual(ann.textsOf(roomId));
  };

  beforeEach(async () => {
    sent = 0;
    database = await createDatabase();
    redis = await startRedis();
    instances = await Promise.all([0, 1].map(() => startInstance(database.url, redis.url)));
    ann = await PlainClient.connect(instances[0]?.url ?? '', 'ann');
    ben = await PlainClient.connect(instances[1]?.url ?? '', 'ben');
    const { room } = await ann.ask('room:create', { name: 'Room' });
    roomId = room.id;
    await ben.ask('room:join', { roomId });
  });
  afterEach(async () => {
    ann.close();
    ben.close();
    await Promise.all(instances.map((instance) => instance.stop()));
    await redis.stop();
    await database.drop();
  });

  it('is killed and comes back, members on other instances miss nothing', async () => {
    await converse(3);
    redis.kill('SIGKILL');
    await converse(3);
    await turned(false);
    await converse(3);
    await redis.restart();
    await turned(true);
    await converse(3);
  });

  it('is killed, a user who is banned by one instance is put out by the others within ten seconds (S-18)', async () => {
    redis.kill('SIGKILL');
    await turned(false);
    const closed = new Promise<string>((resolve) =>
      ben.socket.on('session:closed', ({ error }) => resolve(error.code)),
    );
    const since = performance.now();
    const admin = new Rest(instances[0]?.url ?? '', adminKey);
    await admin.ok('POST', `/admin/v1/users/${ben.session.userId}/ban`, AdminUser, { reason: 'Spam' });
    expect(await closed).toBe('banned');
    expect(performance.now() - since).toBeLessThan(10_000);
    expect((await ann.ask('message:send', { roomId, clientMsgId: 'after', text: 'Gone?' })).message.seq).toBe(1);
  });

  it('is killed, who is removed from a room or banned by one instance hears of it on another within ten seconds, and others of what was purged (S-22)', async () => {
    const cid = await PlainClient.connect(instances[1]?.url ?? '', 'cid');
    await cid.ask('room:join', { roomId });
    redis.kill('SIGKILL');
    await turned(false);
    await ben.ask('message:send', { roomId, clientMsgId: 'spam', text: 'Spam' });
    for (const event of ['member:remove', 'member:ban'] as const) {
      await ben.ask('room:join', { roomId });
      await ben.until(() => ben.signals.at(-1)?.kind === 'roomAdded');
      const since = performance.now();
      const request = { roomId, userId: ben.session.userId };
      await (event === 'member:ban' ? ann.ask(event, { ...request, on: true, purge: true }) : ann.ask(event, request));
      await ben.until(() => ben.signals.at(-1)?.kind === 'roomRemoved');
      expect(performance.now() - since).toBeLessThan(10_000);
      if (event === 'member:ban') await cid.until(() => cid.textsOf(roomId).at(-1) === '');
      expect(performance.now() - since).toBeLessThan(10_000);
    }
    cid.close();
  });

  it('is killed, a user who joins a room on one instance hears of it on the devices that he has on others', async () => {
    redis.kill('SIGKILL');
    await turned(false);
    const device = await PlainClient.connect(instances[1]?.url ?? '', 'ann');
    const { room } = await ann.ask('room:create', { name: 'Of nobody else' });
    await device.until(() => device.signals.some((signal) => signal.kind === 'roomAdded' && signal.roomId === room.id));
    await ann.ask('message:send', { roomId: room.id, clientMsgId: 'm', text: 'Do you hear me?' });
    await device.until(() => device.textsOf(room.id).length > 0);
    device.close();
  });

  it('stands still with its connections open, it is found out by the beat and members miss nothing', async () => {
    redis.kill('SIGSTOP');
    await turned(false);
    await converse(2);
    redis.kill('SIGCONT');
    await turned(true);
    await converse(2);
  });

  it('carries junk on every channel, nothing dies and nobody sees it (S-52)', async () => {
    const intruder = createClient({ url: redis.url });
    await intruder.connect();
    const channels = await intruder.pubSubChannels('*');
    expect(channels.length).toBeGreaterThan(0);
    const prefix = channels.find((channel) => channel.includes('-request#'))?.split('-request#')[0] ?? fail();
    for (const channel of [...channels, `${prefix}#/#`, `${prefix}#/#room:${roomId}#`]) {
      for (const junk of [
        '',
        '{',
        '{"type":6,"data":5}',
        '{"type":6,"data":["changes",{"no":"list"}]}',
        '{"type":6,"data":["changes",[null]]}',
        Buffer.from([0xc1, 0xff, 0x00]),
        'x'.repeat(100_000),
        '[[[[',
      ]) {
        await intruder.publish(channel, junk);
      }
    }
    intruder.destroy();
    expect(busOf(0).counts.junk).toBeGreaterThan(0);
    await converse(3);
  });
});

describe('what Redis says to subscribers vanishes, for a while', () => {
  it('the bus tries again until it is heard', async () => {
    const database = await createDatabase();
    const redis = await startRedis();
    const { hostname, port } = new URL(redis.url);
    const proxy = await TcpProxy.start({
      target: { host: hostname, port: Number(port) },
      random: new Random('bus'),
      labels: { subscriber: Buffer.from('subscribe') },
    });
    const instance = await startInstance(database.url, `redis://127.0.0.1:${proxy.port}`);
    const bus = instance.app.get(RedisBus);
    const turn = () => new Promise<void>((resolve) => bus.onTurn(resolve));
    const until = async (healthy: boolean) => {
      while (bus.healthy !== healthy) await turn();
    };
    await until(true);

    proxy.set({ down: { kind: 'blackhole' } }, { label: 'subscriber' });
    await until(false);
    // One more try has begun, whose subscriptions nobody answers.
    const { connects } = bus.counts;
    while (bus.counts.connects < connects + 2) await new Promise((resolve) => setTimeout(resolve, 20));
    proxy.heal();
    await until(true);

    await instance.stop();
    await proxy.stop();
    await redis.stop();
    await database.drop();
  });
});

describe('an instance that starts without Redis', () => {
  it('serves, and says where Redis is required', async () => {
    const database = await createDatabase();
    const nobody = 'redis://127.0.0.1:1';
    const instance = await startInstance(database.url, nobody);
    const client = await PlainClient.connect(instance.url, 'ann');
    await client.ask('room:create', { name: 'Alone' });
    client.close();
    await instance.stop();
    await expect(
      startInstance(database.url, nobody, {
        redis: { urls: [nobody], adapter: 'classic', prefix: 'test', required: true },
      }),
    ).rejects.toThrow(/^Redis does not work at REDIS_URL \(.*\): start it/);
    await database.drop();
  });
});

function fail(): never {
  throw new Error('Something is missing');
}
