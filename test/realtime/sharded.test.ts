import { readFileSync } from 'node:fs';
import { createClient } from 'redis';
import { RoomBroadcaster } from '../../src/realtime/room-broadcaster.js';
import { TcpProxy } from '../../verify/proxy/tcp-proxy.js';
import { Random } from '../../verify/random.js';
import { startRedis, type PrivateRedis } from '../environment/redis.js';
import { channelOf, PREFIX, Stage, until } from './sharded-stage.js';

describe('the sharded adapter', () => {
  const stage = new Stage();
  let redis: PrivateRedis;
  let intruder: ReturnType<typeof createClient>;

  beforeEach(async () => {
    redis = await startRedis();
    await stage.start(redis.url);
    intruder = createClient({ url: redis.url });
    intruder.on('error', () => undefined);
    await intruder.connect();
  });
  afterEach(async () => {
    intruder.destroy();
    await stage.stop();
    await redis.stop();
  });

  const listeners = async (channel: string): Promise<number> =>
    (await intruder.sendCommand<[string, number]>(['PUBSUB', 'SHARDNUMSUB', channel]))[1];

  it('delivers to members on every instance, once and in one order', async () => {
    const roomId = await stage.room();
    await stage.converse(roomId, 30);
    expect(stage.buses.map(({ counts }) => counts.dropped)).toEqual([0, 0]);
  });

  it('lets an instance hear only of rooms that it has members of', async () => {
    const roomId = await stage.room([]);
    await until(async () => (await listeners(channelOf(roomId))) === 1);
    await stage.ben.ask('room:join', { roomId });
    await until(async () => (await listeners(channelOf(roomId))) === 2);
    await stage.ben.ask('room:leave', { roomId });
    await until(async () => (await listeners(channelOf(roomId))) === 1);
  });

  it('misses nothing that is sent the moment after a join, and reads it soon', async () => {
    const { heard, ms } = await stage.joinAndHear(200);
    expect(heard).toBe(200);
    // The next comparison as a matter of course comes up to five seconds later.
    expect(ms).toBeLessThan(1_500);
  });

  it('reads what was sent before it was subscribed', async () => {
    const { hostname, port } = new URL(redis.url);
    const proxy = await TcpProxy.start({
      target: { host: hostname, port: Number(port) },
      random: new Random('late'),
      labels: { subscriber: Buffer.from('subscribe') },
    });
    const late = new Stage();
    await late.start(`redis://127.0.0.1:${proxy.port}`);
    proxy.set({ up: { kind: 'delay', ms: 500 } }, { label: 'subscriber' });
    for (let i = 0; i < 4; i++) {
      const roomId = await late.room();
      const since = performance.now();
      let sent = 0;
      for (; performance.now() - since < 300; sent++) await late.send(late.ann, roomId);
      await late.ben.until(() => late.ben.textsOf(roomId).length === sent);
      // The next comparison as a matter of course comes up to five seconds later.
      expect(performance.now() - since).toBeLessThan(1_500);
    }
    expect(late.buses.every(({ healthy }) => healthy)).toBe(true);
    await late.stop();
    await proxy.stop();
  });

  it('misses nothing that is sent the moment after a join while Redis stands still', async () => {
    redis.kill('SIGSTOP');
    const { heard, ms } = await stage.joinAndHear(200);
    redis.kill('SIGCONT');
    expect(heard).toBe(200);
    expect(ms).toBeLessThan(6_000);
  });

  it('tells of a new room on devices where the room has nobody else', async () => {
    const device = await stage.connect('ann', 1);
    for (let i = 0; i < 10; i++) {
      const roomId = await stage.room([]);
      const since = performance.now();
      await device.until(() =>
        device.signals.some((signal) => signal.kind === 'roomAdded' && signal.roomId === roomId),
      );
      expect(performance.now() - since).toBeLessThan(1_000);
    }
    device.close();
  });

  it('delivers on its own instance while Redis stands still', async () => {
    redis.kill('SIGSTOP');
    const broadcaster = stage.instances[0]?.app.get(RoomBroadcaster);
    const since = performance.now();
    broadcaster?.signalUser(stage.ann.session.userId, { kind: 'roomAdded', roomId: 'r' });
    await stage.ann.until(() => stage.ann.signals.length > 0);
    expect(performance.now() - since).toBeLessThan(400);
    redis.kill('SIGCONT');
  });

  it('is killed with Redis and comes back with it, members miss nothing', async () => {
    const roomId = await stage.room();
    await stage.converse(roomId, 3);
    redis.kill('SIGKILL');
    await stage.turned(false);
    await stage.converse(roomId, 3);
    await redis.restart();
    await stage.turned(true);
    await stage.converse(roomId, 3);
  });

  it('asks for no more rights than the documents give (S-51)', async () => {
    const [, line = ''] = /^user (parley on .*\+cluster.*)$/m.exec(readFileSync('docs/operations.md', 'utf8')) ?? [];
    await intruder.sendCommand([
      'ACL',
      'SETUSER',
      ...line.replace('>PASSWORD', '>word').replace('&parley*', `&${PREFIX}*`).split(' '),
    ]);
    const restricted = new Stage();
    await restricted.start(redis.url.replace('//', '//parley:word@'));
    await restricted.converse(await restricted.room(), 3);
    expect(restricted.buses.map(({ healthy, counts }) => ({ healthy, ...counts }))).toEqual([
      { healthy: true, dropped: 0, junk: 0, connects: 1 },
      { healthy: true, dropped: 0, junk: 0, connects: 1 },
    ]);
    // What is taken away while it runs degrades the bus and nothing else.
    await intruder.sendCommand(['ACL', 'SETUSER', 'parley', 'resetchannels']);
    await restricted.turned(false);
    await restricted.converse(await restricted.room(), 3);
    await intruder.sendCommand(['ACL', 'SETUSER', 'parley', `&${PREFIX}*`]);
    await restricted.turned(true);
    await restricted.stop();
  });

  it('gives no change of a room to who has left it, also when all comes from Postgres at once', async () => {
    const roomId = await stage.room();
    const other = await stage.connect('cat', 1);
    await other.ask('room:join', { roomId });
    redis.kill('SIGKILL');
    await stage.turned(false);
    const before = stage.ben.frames.length;
    // By the first instance, so that the second one reads all of it from Postgres.
    const device = await stage.connect('ben', 0);
    await Promise.all([
      device.ask('room:leave', { roomId }),
      stage.send(stage.ann, roomId),
      stage.send(stage.ann, roomId),
    ]);
    await stage.send(stage.ann, roomId);
    await other.until(() => other.textsOf(roomId).length === 3);
    await stage.ben.until(() => stage.ben.signals.some(({ kind }) => kind === 'roomRemoved'));
    const last = stage.ben.frames
      .slice(before)
      .flatMap(({ changes }) => changes)
      .at(-1);
    expect(last).toMatchObject({ kind: 'member', member: { user: { id: stage.ben.session.userId } } });
    device.close();
    other.close();
    await redis.restart();
  });

  it('survives junk on every channel, nobody sees it (S-52)', async () => {
    const roomId = await stage.room();
    const channels = await intruder.pubSubShardChannels('*');
    expect(channels).toContain(channelOf(roomId));
    const junk = [
      '',
      '{',
      'null',
      '5',
      '{"type":3}',
      '{"type":3,"nsp":"/","data":{"opts":{}}}',
      '{"type":7,"nsp":"/"}',
    ];
    const frames = ['{"no":"list"}', '[null]', '[{"roomId":5}]'];
    for (const packet of frames) junk.push(`{"type":9,"nsp":"/","data":{"packet":["changes",${packet}]}}`);
    for (const channel of channels)
      for (const message of [...junk, Buffer.from([0xc1, 0xff, 0x00]), 'x'.repeat(100_000)])
        await intruder.sPublish(channel, message);
    expect(stage.buses.every(({ counts }) => counts.junk > 0)).toBe(true);
    await stage.converse(roomId, 3);
  });
});
