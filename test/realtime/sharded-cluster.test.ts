import { readConfig } from '../../src/config.js';
import { slotOf } from '../../src/realtime/redis-slots.js';
import { startRedisCluster, type PrivateRedisCluster } from '../environment/redis-cluster.js';
import { jwtSecret } from '../instance.js';
import { channelOf, Stage, until } from './sharded-stage.js';

describe('the sharded adapter on a Redis Cluster', () => {
  const stage = new Stage();
  let cluster: PrivateRedisCluster;
  const begin = async (options?: Parameters<typeof startRedisCluster>[0]): Promise<void> => {
    cluster = await startRedisCluster(options);
    await stage.start(cluster.url);
  };
  afterEach(async () => {
    await stage.stop();
    await cluster.stop();
  });

  /** A room whose channel that master owns. */
  const roomOn = async (master: number): Promise<string> => {
    for (;;) {
      const roomId = await stage.room([]);
      if (Math.floor(slotOf(channelOf(roomId)) / Math.ceil(16_384 / 3)) !== master) continue;
      await stage.ben.ask('room:join', { roomId });
      return roomId;
    }
  };

  it('spreads the rooms over the masters, a master that dies delays its own rooms only', async () => {
    await begin();
    const rooms = await Promise.all([0, 1, 2].map(roomOn));
    for (const roomId of rooms) await stage.converse(roomId, 5);
    expect(stage.buses.map(({ counts }) => counts.dropped)).toEqual([0, 0]);

    cluster.masters[0]?.redis.kill('SIGKILL');
    await stage.turned(false);
    const [of0 = '', of1 = '', of2 = ''] = rooms;
    for (let i = 0; i < 5; i++) {
      const lags = await Promise.all([of0, of1, of2].map((roomId) => stage.lag(roomId)));
      expect(lags[0]).toBeLessThan(2_000);
      expect(lags[1]).toBeLessThan(200);
      expect(lags[2]).toBeLessThan(200);
    }
    await cluster.masters[0]?.redis.restart();
    await stage.turned(true);
    for (const roomId of rooms) await stage.converse(roomId, 5);
  });

  it('follows a replica that takes over', async () => {
    await begin({ withReplicas: true });
    const roomId = await roomOn(0);
    await stage.converse(roomId, 5);
    cluster.masters[0]?.redis.kill('SIGKILL');
    await stage.turned(false);
    await stage.converse(roomId, 5);
    await stage.turned(true);
    const dropped = stage.buses.map(({ counts }) => counts.dropped);
    await stage.converse(roomId, 20);
    expect(stage.buses.map(({ counts }) => counts.dropped)).toEqual(dropped);
  });

  it('follows a slot that moves to another master', async () => {
    await begin();
    const roomId = await roomOn(0);
    await stage.converse(roomId, 5);
    const slot = String(slotOf(channelOf(roomId)));
    const [from, to] = cluster.masters;
    // As an operator moves it: who imports a slot takes a newer epoch with it, or a late word of its old owner takes it back.
    await to?.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from?.id ?? '');
    await from?.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to?.id ?? '');
    for (const master of [to, from, cluster.masters[2]])
      await master?.command('CLUSTER', 'SETSLOT', slot, 'NODE', to?.id ?? '');
    await stage.converse(roomId, 20);
    await until(async () => {
      const [, count] = (await to?.command('PUBSUB', 'SHARDNUMSUB', channelOf(roomId))) as [string, number];
      return count === 2;
    });
    const dropped = stage.buses.map(({ counts }) => counts.dropped);
    await stage.converse(roomId, 20);
    expect(stage.buses.map(({ counts }) => counts.dropped)).toEqual(dropped);
  });
});

describe('a start with settings that do not go together', () => {
  const read = (settings: Record<string, string>) =>
    readConfig({ DATABASE_URL: 'postgres://u@h/d', JWT_SECRET: jwtSecret, ...settings }, () =>
      Promise.reject(new Error('Not embedded')),
    );

  it('ends with a sentence', async () => {
    await expect(read({ REDIS_URL: 'redis://a:1, redis://b:2' })).rejects.toThrow(/^REDIS_URL names several nodes/);
    await expect(read({ REDIS_ADAPTER: 'static' })).rejects.toThrow(
      'The setting REDIS_ADAPTER is wrong: it takes classic or sharded.',
    );
    await expect(read({ REDIS_URL: 'redis://a:1,http://b', REDIS_ADAPTER: 'sharded' })).rejects.toThrow(
      'The setting REDIS_URL is wrong: it has to start with redis://.',
    );
    const { redis } = await read({ REDIS_URL: 'redis://a:1, redis://b:2', REDIS_ADAPTER: 'sharded' });
    expect(redis).toMatchObject({ urls: ['redis://a:1', 'redis://b:2'], adapter: 'sharded' });
  });
});

describe('the slot of a channel', () => {
  it('is the one that Redis computes', () => {
    expect(slotOf('123456789')).toBe(0x31c3);
    expect(slotOf('{user1000}.following')).toBe(slotOf('user1000'));
    expect(slotOf('{}a')).not.toBe(slotOf('{}b'));
  });
});
