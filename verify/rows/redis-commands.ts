import type { Redis, RedisClient } from '../processes/redis.js';
import { healthyAgain, noticed, timeUntilDegraded, timeUntilHealthy, whileRedisIsAway } from './redis-figures.js';
import { sum, timeUntil, type Row, type RunningRow } from './row.js';

/** What somebody with access to Redis may do to it. */
export const redisCommandRows: Row[] = [
  {
    name: 'F-R6',
    title: 'Redis ends its subscribers, stands in a pause, is emptied and is full',
    load: 'L2',
    seconds: 75,
    topology: { proxies: ['redis'] },
    steps: async (run) => {
      const { redis } = run.cluster;
      const admin = await redis.client();
      await run.pause(8_000);
      await run.fault('CLIENT KILL TYPE pubsub', async () => {
        for (let i = 0; i < 5; i++) {
          run.measure('killed', Number(await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub'])));
          await run.pause(3_000);
        }
      });
      run.measure('healthy', await timeUntilHealthy(run));
      await run.fault('subscribers that do not read, 64 kB', () => overflow(run, admin));
      run.measure('healthy', await timeUntilHealthy(run));
      await run.pause(3_000);
      await run.fault('CLIENT PAUSE 5000', async () => {
        await admin.sendCommand(['CLIENT', 'PAUSE', '5000', 'ALL']);
        run.measure('degraded', await timeUntilDegraded(run));
        // Answered when the pause is over.
        await admin.ping();
      });
      run.measure('healthy', await timeUntilHealthy(run));
      await run.fault('emptied', async () => {
        await redis.must('FLUSHALL');
        await run.pause(3_000);
      });
      await run.fault('full', () => full(run, redis));
      run.measure('healthy', await timeUntilHealthy(run));
      admin.destroy();
    },
    figures: (judgement, run) => [
      { name: 'subscribers killed', value: sum(run, 'killed'), unit: '', limit: 12, atLeast: true },
      { name: 'subscribers cut off for not reading', value: sum(run, 'overflown'), unit: '', limit: 3, atLeast: true },
      { name: 'writes refused for want of memory', value: sum(run, 'refused'), unit: '', limit: 1, atLeast: true },
      noticed(run),
      ...whileRedisIsAway(judgement, run),
      healthyAgain(run),
    ],
  },
  {
    name: 'F-R6 rights',
    title: 'the Redis user loses its channels; an instance starts without Redis',
    load: 'L2',
    seconds: 60,
    steps: async (run) => {
      const { redis, nodes } = run.cluster;
      await run.pause(8_000);
      await run.fault('no rights to the channels', async () => {
        // Redis ends the subscribers at once, and refuses them when they come back.
        await redis.must('ACL', 'SETUSER', 'default', 'resetchannels');
        run.measure('degraded', await timeUntilDegraded(run));
        await run.pause(10_000);
        await redis.must('ACL', 'SETUSER', 'default', 'allchannels');
      });
      run.measure('healthy', await timeUntilHealthy(run));
      for (const { instance } of nodes) run.measure('told', /degraded: .*NOPERM/.test(instance.output) ? 1 : 0);
      const last = nodes.at(-1)?.instance;
      if (last === undefined) throw new Error('There is no instance');
      await run.fault(
        'an instance starts while Redis is gone',
        async () => {
          await redis.kill();
          await last.end('SIGTERM');
          const refusal = await last.startInVain({ REDIS_REQUIRED: 'on' });
          run.measure(
            'refusals',
            refusal.code === 1 && /Redis does not work at REDIS_URL/.test(refusal.output) ? 1 : 0,
          );
          const since = performance.now();
          await last.start();
          run.measure('start', performance.now() - since);
          run.measure('without', await timeUntil(run, [last], ({ bus }) => bus === 'degraded', 1_000));
          await run.pause(5_000);
          await redis.restart();
        },
        { silences: true },
      );
      run.measure('healthy', await timeUntilHealthy(run));
    },
    figures: (judgement, run) => [
      { name: 'instances whose log names the right', value: sum(run, 'told'), unit: '', limit: 3, atLeast: true },
      {
        name: 'starts refused where Redis is required',
        value: sum(run, 'refusals'),
        unit: '',
        limit: 1,
        atLeast: true,
      },
      { name: 'ready without Redis after', value: sum(run, 'start'), unit: 'ms', limit: 15_000 },
      noticed(run),
      ...whileRedisIsAway(judgement, run),
      healthyAgain(run),
    ],
  },
];

/** Redis cuts a subscriber off for whom more than so many bytes wait. What no instance looks at fills its buffer. */
async function overflow(run: RunningRow, admin: RedisClient): Promise<void> {
  const proxies = run.cluster.proxies('redis');
  const limit = (bytes: string) => admin.configSet('client-output-buffer-limit', `pubsub ${bytes}`);
  const before = await subscribers(admin);
  await limit('64kb 32kb 1');
  for (const proxy of proxies) proxy.set({ down: { kind: 'stall' } }, { label: 'subscriber', only: 'existing' });
  const [pattern = ''] = (await admin.sendCommand<string[]>(['PUBSUB', 'CHANNELS'])).filter((name) =>
    name.includes('-request#'),
  );
  const megabyte = Buffer.alloc(2 ** 20, 'x').toString();
  // The kernel's buffers, and the proxy's, take some first.
  for (let i = 0; i < 32 && (await subscribers(admin)).some((id) => before.includes(id)); i++) {
    await admin.publish(pattern.replace('-request#', '#').concat('nobody#'), megabyte);
    await run.pause(50);
  }
  const now = await subscribers(admin);
  run.measure('overflown', before.filter((id) => !now.includes(id)).length);
  await limit('32mb 8mb 60');
  for (const proxy of proxies) proxy.heal();
}

/** The ids of the connections that subscribe. */
async function subscribers(admin: RedisClient): Promise<string[]> {
  const list = await admin.sendCommand<string>(['CLIENT', 'LIST', 'TYPE', 'pubsub']);
  return [...list.matchAll(/^id=(\d+)/gm)].map(([, id = '']) => id);
}

/** Redis has less memory than it uses, and throws nothing away. */
async function full(run: RunningRow, redis: Redis): Promise<void> {
  await redis.must('CONFIG', 'SET', 'maxmemory', '1mb');
  const answer = await redis.command('SET', 'anything', 'at all');
  run.measure('refused', answer.startsWith('-OOM') ? 1 : 0);
  await run.pause(3_000);
  await redis.must('CONFIG', 'SET', 'maxmemory', '0');
}
