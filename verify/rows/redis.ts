import { once } from 'node:events';
import { connect } from 'node:net';
import { median, sum, timeUntil, type Row, type RunningRow } from './row.js';
import { healthyAgain, noticed, timeUntilDegraded, timeUntilHealthy, whileRedisIsAway } from './redis-figures.js';

/** Redis is killed for so long; then how long the buses of all instances take to be healthy again. */
async function killFor(run: RunningRow, ms: number): Promise<void> {
  const { redis } = run.cluster;
  await run.fault(`Redis gone ${ms / 1_000} s`, async () => {
    await redis.kill();
    await run.pause(ms);
    await redis.restart();
  });
  run.measure('healthy', await timeUntilHealthy(run));
}

export const redisRows: Row[] = [
  {
    name: 'F-R1',
    title: 'Redis is killed (SIGKILL) and comes back empty',
    load: 'L2',
    seconds: 155,
    quick: { load: 'L1', seconds: 30 },
    steps: async (run) => {
      await run.pause(10_000);
      for (const seconds of run.quick ? [2] : [0.5, 2, 8, 20, 60]) {
        await killFor(run, seconds * 1_000);
        await run.pause(run.quick ? 1_000 : 8_000);
      }
    },
    figures: (judgement, run) => [...whileRedisIsAway(judgement, run), healthyAgain(run)],
  },
  {
    name: 'F-R2',
    title: 'Redis stands still (SIGSTOP) and goes on',
    load: 'L2',
    seconds: 70,
    steps: async (run) => {
      const { redis } = run.cluster;
      await run.pause(8_000);
      for (const seconds of [5, 30]) {
        await run.fault(`Redis stands still ${seconds} s`, async () => {
          const end = performance.now() + seconds * 1_000;
          redis.signal('SIGSTOP');
          run.measure('degraded', await timeUntilDegraded(run));
          await run.pause(end - performance.now());
          redis.signal('SIGCONT');
        });
        run.measure('healthy', await timeUntilHealthy(run));
        await run.pause(8_000);
      }
    },
    figures: (judgement, run) => [noticed(run), ...whileRedisIsAway(judgement, run), healthyAgain(run)],
  },
  {
    name: 'F-R3',
    title: 'what Redis sends to subscribers vanishes, the connections stay up',
    load: 'L2',
    seconds: 90,
    quick: { load: 'L1', seconds: 30 },
    topology: { proxies: ['redis'] },
    steps: async (run) => {
      const proxies = run.cluster.proxies('redis');
      await run.pause(8_000);
      await run.fault('subscribers hear nothing', async () => {
        for (const proxy of proxies) proxy.set({ down: { kind: 'blackhole' } }, { label: 'subscriber' });
        run.measure('degraded', await timeUntilDegraded(run));
        await run.pause(run.quick ? 8_000 : 60_000);
        for (const proxy of proxies) proxy.heal();
      });
      run.measure('healthy', await timeUntilHealthy(run));
    },
    figures: (judgement, run) => [noticed(run), ...whileRedisIsAway(judgement, run), healthyAgain(run)],
  },
  {
    name: 'F-R4',
    title: 'what instances publish vanishes; then every byte is late; then every connection is reset every 2 s',
    load: 'L2',
    seconds: 130,
    topology: { proxies: ['redis'] },
    steps: async (run) => {
      const proxies = run.cluster.proxies('redis');
      await run.pause(8_000);
      await run.fault('publishes vanish', async () => {
        for (const proxy of proxies) proxy.set({ up: { kind: 'blackhole' } }, { label: 'publisher' });
        run.measure('degraded', await timeUntilDegraded(run));
        await run.pause(60_000);
        for (const proxy of proxies) proxy.heal();
      });
      run.measure('healthy', await timeUntilHealthy(run));
      await run.pause(3_000);
      await run.fault('200 ± 200 ms each way', async () => {
        for (const proxy of proxies) proxy.set({ kind: 'delay', ms: 200, jitterMs: 200 });
        for (let i = 0; i < 20; i++) {
          run.measure('round trip', await roundTrip(proxies[0]?.port ?? 0));
          await run.pause(600);
        }
        for (const proxy of proxies) proxy.heal();
      });
      await run.pause(3_000);
      await run.fault('resets', async () => {
        for (let i = 0; i < 10; i++) {
          for (const proxy of proxies) run.measure('resets', proxy.reset());
          await run.pause(2_000);
        }
      });
      run.measure('healthy', await timeUntilHealthy(run));
    },
    figures: (judgement, run) => [
      noticed(run),
      { name: 'median round trip while late', value: median(run, 'round trip'), unit: 'ms', limit: 200, atLeast: true },
      { name: 'connections reset', value: sum(run, 'resets'), unit: '', limit: 40, atLeast: true },
      ...whileRedisIsAway(judgement, run),
      healthyAgain(run),
    ],
  },
  {
    name: 'F-R5',
    title: 'one instance has no way to Redis, the others do',
    load: 'L2',
    seconds: 50,
    topology: { proxies: ['redis'] },
    steps: async (run) => {
      const [alone, ...others] = run.cluster.nodes;
      const proxy = alone?.redis;
      if (alone === undefined || proxy === undefined) throw new Error('There is no instance with a proxy before Redis');
      await run.pause(8_000);
      await run.fault(`${alone.instance.name} without Redis`, async () => {
        proxy.set({ kind: 'blackhole' });
        run.measure('degraded', await timeUntil(run, [alone.instance], ({ bus }) => bus === 'degraded', 10_000));
        await run.pause(25_000);
        const health = await Promise.all(others.map(({ instance }) => instance.health()));
        run.measure('others', health.filter((each) => each?.bus !== 'healthy').length);
        proxy.heal();
      });
      run.measure('healthy', await timeUntilHealthy(run));
    },
    figures: (judgement, run) => [
      noticed(run),
      { name: 'others degraded', value: sum(run, 'others'), unit: '', limit: 0 },
      // More than half of these go to or come from the one that is alone.
      ...whileRedisIsAway(judgement, run),
      healthyAgain(run),
    ],
  },
];

/** Of one PING through a proxy, in ms. */
async function roundTrip(port: number): Promise<number> {
  const since = performance.now();
  const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
  try {
    await once(socket, 'data');
    return performance.now() - since;
  } finally {
    socket.destroy();
  }
}
