import type { TcpProxy } from '../proxy/tcp-proxy.js';
import { figureOf, timeUntil, type Row, type RunningRow } from './row.js';

const instancesOf = ({ cluster }: RunningRow) => cluster.nodes.map(({ instance }) => instance);
const worst = (run: RunningRow, name: string) => Math.max(...(run.measured.get(name) ?? [NaN]));

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
  run.measure('healthy', await timeUntil(run, instancesOf(run), ({ ready }) => ready, 30_000));
}

const answersInTime = { name: 'slowest answer', unit: 'ms', limit: 5_000 } as const;

export const postgresRows: Row[] = [
  {
    name: 'F-P1',
    title: 'Postgres and all its backends are killed (SIGKILL)',
    load: 'L2',
    seconds: 240,
    quick: { load: 'L1', seconds: 30 },
    topology: { proxies: ['postgres'] },
    steps: async (run) => {
      await run.pause(8_000);
      for (const seconds of run.quick ? [1] : [1, 10, 1, 10]) {
        await killFor(run, seconds * 1_000);
        await run.pause(run.quick ? 1_000 : 20_000);
      }
    },
    figures: (judgement, run) => [
      { ...answersInTime, value: figureOf(judgement, 'C13', 'slowestMs') },
      { name: 'ready again after', value: worst(run, 'healthy'), unit: 'ms', limit: 10_000 },
      { name: 'sends refused for good', value: run.load.counts.refused, unit: '', limit: 0 },
    ],
  },
  {
    name: 'F-P4',
    title: 'the connections to Postgres that exist are black holes for ever, new ones pass',
    load: 'L2',
    seconds: 60,
    quick: { load: 'L1', seconds: 30 },
    topology: { proxies: ['postgres'] },
    steps: async (run) => {
      await run.pause(8_000);
      await run.fault('existing connections swallow', async () => {
        for (const proxy of run.cluster.proxies('postgres')) proxy.set({ kind: 'blackhole' }, { only: 'existing' });
        run.measure('sends', await timeUntilAcknowledged(run));
        run.measure('healthy', await timeUntil(run, instancesOf(run), ({ ready }) => ready, 30_000));
      });
    },
    figures: (judgement, run) => [
      {
        name: 'ready and sending again after',
        value: Math.max(worst(run, 'sends'), worst(run, 'healthy')),
        unit: 'ms',
        limit: 6_000,
      },
      { ...answersInTime, value: figureOf(judgement, 'C13', 'slowestMs') },
    ],
  },
  {
    name: 'F-P5',
    title: 'the answer of Postgres to a stored batch is cut off, once in fifty',
    load: 'L4',
    seconds: 180,
    quick: { load: 'L4', seconds: 30 },
    topology: { proxies: ['postgres'] },
    steps: async (run) => {
      const proxies = run.cluster.proxies('postgres');
      await run.pause(4_000);
      await run.fault('commits without an answer', async () => {
        // The name of the first column of what `send_messages` answers: the commit is done when it is on its way.
        for (const proxy of proxies) proxy.cutOn({ watch: 'down', pattern: Buffer.from('outcome\0'), every: 50 });
        await run.pause(run.lengthMs - 8_000);
        for (const proxy of proxies) proxy.heal();
      });
      run.measure('cuts', cutsOf(proxies));
    },
    figures: (judgement, run) => [
      { name: 'ambiguous commits', value: worst(run, 'cuts'), unit: '', limit: 100, atLeast: true },
      { name: 'sends tried again', value: run.load.counts.triedAgain, unit: '' },
      { ...answersInTime, value: figureOf(judgement, 'C13', 'slowestMs') },
    ],
  },
];

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
