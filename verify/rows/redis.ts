import type { Judgement } from '../checks/index.js';
import type { Figure } from '../report/report.js';
import { against, backlog, timeUntil, type Row, type RunningRow } from './row.js';

const instancesOf = ({ cluster }: RunningRow) => cluster.nodes.map(({ instance }) => instance);

function whileRedisIsAway(judgement: Judgement, run: RunningRow): Figure[] {
  return [
    against(judgement, 'ack', 2, run),
    against(judgement, 'same', 2, run),
    {
      name: 'other instances p99 during',
      value: judgement.quantileMs('cross', 'during', 0.99),
      unit: 'ms',
      limit: 2_000,
    },
    backlog(judgement, 5_000),
  ];
}

/** Redis is killed for so long; then how long the buses of all instances take to be healthy again. */
async function killFor(run: RunningRow, ms: number): Promise<void> {
  const { redis } = run.cluster;
  await run.fault(`Redis gone ${ms / 1_000} s`, async () => {
    await redis.kill();
    await run.pause(ms);
    await redis.restart();
  });
  run.measure('healthy', await timeUntil(run, instancesOf(run), ({ bus }) => bus === 'healthy', 20_000));
}

const healthyAgain = ({ measured }: RunningRow): Figure => ({
  name: 'bus healthy again after',
  value: Math.max(...(measured.get('healthy') ?? [NaN])),
  unit: 'ms',
  limit: 5_000,
});

export const redisRows: Row[] = [
  {
    name: 'F-R1',
    title: 'Redis is killed (SIGKILL) and comes back empty',
    load: 'L2',
    seconds: 360,
    quick: { load: 'L1', seconds: 30 },
    steps: async (run) => {
      await run.pause(10_000);
      for (const seconds of run.quick ? [2] : [0.5, 2, 8, 20, 60]) {
        await killFor(run, seconds * 1_000);
        await run.pause(run.quick ? 1_000 : 15_000);
      }
    },
    figures: (judgement, run) => [...whileRedisIsAway(judgement, run), healthyAgain(run)],
  },
  {
    name: 'F-R3',
    title: 'what Redis sends to subscribers vanishes, the connections stay up',
    load: 'L2',
    seconds: 120,
    quick: { load: 'L1', seconds: 30 },
    topology: { proxies: ['redis'] },
    steps: async (run) => {
      const proxies = run.cluster.proxies('redis');
      await run.pause(8_000);
      await run.fault('subscribers hear nothing', async () => {
        for (const proxy of proxies) proxy.set({ down: { kind: 'blackhole' } }, { label: 'subscriber' });
        run.measure('degraded', await timeUntil(run, instancesOf(run), ({ bus }) => bus === 'degraded', 10_000));
        await run.pause(run.quick ? 8_000 : 60_000);
        for (const proxy of proxies) proxy.heal();
      });
      run.measure('healthy', await timeUntil(run, instancesOf(run), ({ bus }) => bus === 'healthy', 20_000));
    },
    figures: (judgement, run) => [
      {
        name: 'noticed by all after',
        value: Math.max(...(run.measured.get('degraded') ?? [NaN])),
        unit: 'ms',
        limit: 3_000,
      },
      ...whileRedisIsAway(judgement, run),
      healthyAgain(run),
    ],
  },
];
