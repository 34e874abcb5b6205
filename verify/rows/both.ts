import { answersInTime, readyAgain, refusals, refusedForGood, timeUntilReady } from './postgres-figures.js';
import { timeUntilHealthy } from './redis-figures.js';
import { backlog, figureOf, timeUntil, worst, type Row, type RunningRow } from './row.js';

export const bothRows: Row[] = [
  {
    name: 'F-N1',
    title: 'Redis and Postgres are gone together for 10 s',
    load: 'L2',
    seconds: 45,
    topology: { proxies: ['postgres'] },
    steps: async (run) => {
      const { redis, postgres } = run.cluster;
      const proxies = run.cluster.proxies('postgres');
      await run.pause(8_000);
      await run.fault('both gone', async () => {
        for (const proxy of proxies) proxy.refuse(true);
        postgres.signal('SIGKILL');
        await redis.kill();
        run.measure('red', await timeUntil(run, instancesOf(run), ({ ready }) => !ready, 10_000));
        await run.pause(10_000);
        await Promise.all([postgres.ready(), redis.restart()]);
        for (const proxy of proxies) proxy.refuse(false);
      });
      run.measure('healthy', await timeUntilReady(run));
      await timeUntilHealthy(run);
    },
    figures: (judgement, run) => [
      notReady(run),
      answersInTime(judgement),
      readyAgain(run),
      refusedForGood(run),
      backlog(judgement, 10_000),
    ],
  },
  {
    name: 'F-N2',
    title: 'one instance reaches nothing but its clients for 30 s',
    load: 'L2',
    seconds: 60,
    topology: { proxies: ['postgres', 'redis'] },
    steps: async (run) => {
      const [alone] = run.cluster.nodes;
      if (alone === undefined) throw new Error('There is no instance');
      const { instance, postgres, redis } = alone;
      const { clients } = run.load;
      const here = () => clients.filter(({ instance: at, live }) => live && at === instance.name).length;
      const elsewhere = () => clients.every(({ instance: at, live }) => live && at !== instance.name);
      await run.pause(8_000);
      await run.fault(`${instance.name} is alone`, async () => {
        const since = performance.now();
        run.measure('clients', here());
        for (const proxy of [postgres, redis]) proxy?.set({ kind: 'blackhole' });
        run.measure('red', await timeUntil(run, [instance], ({ ready }) => !ready, 10_000));
        while (!elsewhere() && performance.now() - since < 30_000) await run.pause(50);
        run.measure('left', elsewhere() ? performance.now() - since : NaN);
        await run.pause(since + 30_000 - performance.now());
        for (const proxy of [postgres, redis]) proxy?.heal();
      });
      run.measure('healthy', await timeUntilReady(run));
      await timeUntilHealthy(run);
    },
    figures: (judgement, run) => [
      { name: 'clients that were on it', value: worst(run, 'clients'), unit: '', limit: 50, atLeast: true },
      notReady(run),
      { name: 'answered unavailable', value: refusals(judgement, 'unavailable'), unit: '', limit: 1, atLeast: true },
      { name: 'all its clients live elsewhere after', value: worst(run, 'left'), unit: 'ms', limit: 15_000 },
      { name: 'clients away p99', value: figureOf(judgement, 'C14', 'away p99'), unit: 'ms', limit: 10_000 },
      answersInTime(judgement),
      readyAgain(run),
      refusedForGood(run),
    ],
  },
];

const instancesOf = ({ cluster }: RunningRow) => cluster.nodes.map(({ instance }) => instance);

const notReady = (run: RunningRow) =>
  ({ name: 'not ready any more after', value: worst(run, 'red'), unit: 'ms', limit: 3_000 }) as const;
