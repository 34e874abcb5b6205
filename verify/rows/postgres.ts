import type { TcpProxy } from '../proxy/tcp-proxy.js';
import { answersInTime, readyAgain, refusedForGood, timeUntilReady } from './postgres-figures.js';
import { sum, timeUntil, worst, type Row, type RunningRow } from './row.js';

const instancesOf = ({ cluster }: RunningRow) => cluster.nodes.map(({ instance }) => instance);

/** All of Postgres is killed; it accepts connections again after so long. */
async function killFor(run: RunningRow, ms: number): Promise<void> {
  const { postgres } = run.cluster;
  const proxies = run.cluster.proxies('postgres');
  await run.fault(`Postgres killed ${ms / 1_000} s`, async () => {
    for (const proxy of proxies) proxy.refuse(true);
    postgres.signal('SIGKILL');
    await run.pause(ms);
    await postgres.ready();
    for (const proxy of proxies) proxy.refuse(false);
  });
  run.measure('healthy', await timeUntilReady(run));
}

export const postgresRows: Row[] = [
  {
    name: 'F-P1',
    title: 'Postgres and all its backends are killed (SIGKILL)',
    load: 'L2',
    seconds: 75,
    quick: { load: 'L1', seconds: 30 },
    topology: { proxies: ['postgres'] },
    steps: async (run) => {
      await run.pause(8_000);
      for (const seconds of run.quick ? [1] : [1, 10]) {
        await killFor(run, seconds * 1_000);
        await run.pause(run.quick ? 1_000 : 20_000);
      }
    },
    figures: (judgement, run) => [answersInTime(judgement), readyAgain(run), refusedForGood(run)],
  },
  {
    name: 'F-P2',
    title: 'Postgres restarts, immediately (SIGQUIT) and fast (SIGINT)',
    load: 'L4',
    seconds: 60,
    steps: async (run) => {
      const { postgres } = run.cluster;
      await run.pause(6_000);
      for (const signal of ['SIGQUIT', 'SIGINT', 'SIGQUIT', 'SIGINT'] as const) {
        await run.fault(`restart by ${signal}`, () => postgres.restart(signal));
        run.measure('restarts', 1);
        run.measure('healthy', await timeUntilReady(run));
        await run.pause(8_000);
      }
    },
    figures: (judgement, run) => [
      { name: 'restarts', value: sum(run, 'restarts'), unit: '', limit: 4, atLeast: true },
      answersInTime(judgement),
      readyAgain(run),
      refusedForGood(run),
      { name: 'sends tried again', value: run.load.counts.triedAgain, unit: '' },
    ],
  },
  {
    name: 'F-P3',
    title: 'every process of Postgres stands still (SIGSTOP) for 20 s',
    load: 'L2',
    seconds: 50,
    steps: async (run) => {
      const { postgres, nodes } = run.cluster;
      await run.pause(8_000);
      const memory = () => Promise.all(nodes.map(async ({ instance }) => (await instance.sample())?.['rss'] ?? NaN));
      const before = await memory();
      await run.fault('Postgres stands still', async () => {
        const stopped = postgres.pids();
        postgres.signal('SIGSTOP', stopped);
        const end = performance.now() + 20_000;
        run.measure('red', await timeUntil(run, instancesOf(run), ({ ready }) => !ready, 10_000));
        while (performance.now() < end) {
          for (const [i, rss] of (await memory()).entries())
            run.measure('growth', (rss - (before[i] ?? NaN)) / 2 ** 20);
          await run.pause(1_000);
        }
        postgres.signal('SIGCONT', stopped);
      });
      run.measure('healthy', await timeUntilReady(run));
    },
    figures: (judgement, run) => [
      { name: 'not ready any more after', value: worst(run, 'red'), unit: 'ms', limit: 3_000 },
      answersInTime(judgement),
      { name: 'memory that an instance took more', value: worst(run, 'growth'), unit: 'MiB', limit: 50 },
      readyAgain(run),
      refusedForGood(run),
    ],
  },
  {
    name: 'F-P4',
    title: 'the connections to Postgres that exist are black holes for ever, new ones pass',
    load: 'L2',
    seconds: 40,
    quick: { load: 'L1', seconds: 30 },
    topology: { proxies: ['postgres'] },
    steps: async (run) => {
      await run.pause(8_000);
      await run.fault('existing connections swallow', async () => {
        for (const proxy of run.cluster.proxies('postgres')) proxy.set({ kind: 'blackhole' }, { only: 'existing' });
        run.measure('sends', await timeUntilAcknowledged(run));
        run.measure('healthy', await timeUntilReady(run));
      });
    },
    figures: (judgement, run) => [
      {
        name: 'ready and sending again after',
        value: Math.max(worst(run, 'sends'), worst(run, 'healthy')),
        unit: 'ms',
        limit: 6_000,
      },
      answersInTime(judgement),
    ],
  },
  {
    name: 'F-P5',
    title: 'the answer of Postgres to a stored batch is cut off, once in twenty',
    load: 'L4',
    seconds: 180,
    quick: { load: 'L4', seconds: 20 },
    topology: { proxies: ['postgres'] },
    steps: async (run) => {
      const proxies = run.cluster.proxies('postgres');
      await run.pause(4_000);
      await run.fault('commits without an answer', async () => {
        // The name of the first column of what `send_messages` answers: the commit is done when it is on its way.
        for (const proxy of proxies) proxy.cutOn({ watch: 'down', pattern: Buffer.from('outcome\0'), every: 20 });
        await run.pause(run.lengthMs - 8_000);
        for (const proxy of proxies) proxy.heal();
      });
      run.measure('cuts', cutsOf(proxies));
    },
    figures: (judgement, run) => [
      { name: 'ambiguous commits', value: worst(run, 'cuts'), unit: '', limit: run.quick ? 10 : 100, atLeast: true },
      { name: 'sends tried again', value: run.load.counts.triedAgain, unit: '' },
      answersInTime(judgement),
    ],
  },
  {
    name: 'F-P6',
    title: 'a random backend is terminated, every 200 ms',
    load: 'L4',
    seconds: 50,
    steps: async (run) => {
      const { postgres, databaseUrl } = run.cluster;
      const admin = await postgres.connect(databaseUrl);
      await run.pause(6_000);
      await run.fault('backends end', async () => {
        for (let due = performance.now(); !run.over(); due += 200) {
          const { rowCount } = await admin.query(terminateOne);
          run.measure('terminated', rowCount ?? 0);
          await run.pause(due + 200 - performance.now());
        }
      });
      run.measure('healthy', await timeUntilReady(run));
      await admin.end();
    },
    figures: (judgement, run) => {
      const { acknowledged, refused, triedAgain } = run.load.counts;
      return [
        { name: 'backends terminated', value: sum(run, 'terminated'), unit: '', limit: 100, atLeast: true },
        {
          name: 'sends that came through',
          value: (100 * acknowledged) / (acknowledged + refused),
          unit: '%',
          limit: 99,
          atLeast: true,
        },
        { name: 'of them after their client tried again', value: (100 * triedAgain) / acknowledged, unit: '%' },
        answersInTime(judgement),
        readyAgain(run),
      ];
    },
  },
];

const terminateOne = `select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and application_name = 'parley' order by random() limit 1`;

function cutsOf(proxies: TcpProxy[]): number {
  return proxies.reduce((sum, { counts }) => sum + counts.cuts, 0);
}

/** Until every client that had something to send got something acknowledged, in ms. */
async function timeUntilAcknowledged({ load, pause }: RunningRow): Promise<number> {
  const since = performance.now();
  const before = load.senders.map(({ counts }) => counts.acknowledged);
  const stuck = load.senders.map((sender, i) => ({ sender, i })).filter(({ sender }) => sender.waiting > 0);
  while (stuck.some(({ sender, i }) => sender.waiting > 0 && sender.counts.acknowledged === before[i])) {
    if (performance.now() - since > 30_000) return NaN;
    await pause(20);
  }
  return performance.now() - since;
}
