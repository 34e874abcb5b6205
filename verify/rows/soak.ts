import { figureOf, killAndRestart, type Row, type RunningRow } from './row.js';

/** From the beginning of one fault to that of the next, on the average, in ms; none begins in the last `calm` of the load. */
const every = 30_000;
const calm = 20_000;
/** A growth that is measured for less than this says nothing of an hour, in ms. */
const meaningful = 30 * 60_000;

type Fault = (run: RunningRow) => Promise<void>;

const node = ({ random, cluster }: RunningRow, from = 0) => random.pick(cluster.nodes.slice(from));
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

const faults: Record<string, Fault> = {
  /** The first instance is spared, so that there is a process that lives through the whole run. */
  kill: (run) => killAndRestart(run, node(run, 1)),
  stop: async (run) => {
    const { instance } = node(run);
    await run.fault(
      `${instance.name} stopped`,
      async () => {
        instance.signal('SIGSTOP');
        await run.pause(5_000);
        instance.signal('SIGCONT');
      },
      { silences: true, instance: instance.name },
    );
  },
  redis: async (run) => {
    const { redis } = run.cluster;
    const ms = run.random.between(2_000, 8_000);
    await run.fault(`Redis gone ${seconds(ms)}`, async () => {
      await redis.kill();
      await run.pause(ms);
      await redis.restart();
    });
  },
  postgres: async (run) => {
    const { postgres } = run.cluster;
    await run.fault('Postgres killed', async () => {
      postgres.signal('SIGKILL');
      await run.pause(500);
      await postgres.ready();
    });
  },
  subscriber: async (run) => {
    const { instance, redis } = node(run);
    await run.fault(`${instance.name} hears nothing of Redis`, async () => {
      redis?.set({ down: { kind: 'blackhole' } }, { label: 'subscriber' });
      await run.pause(8_000);
      redis?.heal();
    });
  },
  links: async (run) => {
    const { instance, clients } = node(run);
    await run.fault(
      `clients of ${instance.name} cut`,
      async () => {
        run.measure('cut', clients?.reset() ?? 0);
        await run.pause(1_000);
      },
      { silences: true, instance: instance.name },
    );
  },
};

/** Everything in turn, for long: what only time shows. */
export const soakRows: Row[] = [
  {
    name: 'F-Z1',
    title: 'a fault of any kind at any time, drawn from the seed',
    load: 'L2',
    seconds: 180,
    topology: { proxies: ['redis', 'clients'] },
    steps: async (run) => {
      const end = performance.now() + run.lengthMs - calm;
      let due = performance.now() + 8_000;
      // Each kind comes before one comes again.
      let kinds: string[] = [];
      while (due < end) {
        await run.pause(due - performance.now());
        if (kinds.length === 0) kinds = run.random.shuffled(Object.keys(faults));
        const kind = kinds.pop() ?? '';
        run.measure(kind, 1);
        run.measure('faults', 1);
        await faults[kind]?.(run);
        due = Math.max(performance.now() + 5_000, due + run.random.between(0.5, 1.5) * every);
      }
      const counted = Object.keys(faults).map((kind) => `${kind} ${run.measured.get(kind)?.length ?? 0}`);
      run.notes.push(`Faults, in the order of the seed: ${counted.join(', ')}.`);
    },
    figures: (judgement, run) => {
      const growths = run.cluster.nodes.map(({ instance }) => figureOf(judgement, 'C11', `rss %/h ${instance.name}`));
      const growth = {
        name: 'memory grows in an hour by',
        value: Math.max(...growths.filter((value) => !Number.isNaN(value)), -100),
        unit: '%',
      } as const;
      return [
        {
          name: 'faults',
          value: run.measured.get('faults')?.length ?? 0,
          unit: '',
          limit: Math.floor((run.lengthMs - calm) / every / 1.6),
          atLeast: true,
        },
        run.lengthMs < meaningful ? growth : { ...growth, limit: 1 },
        { name: 'sends refused for good', value: run.load.counts.refused, unit: '', limit: 0 },
        { name: 'slowest answer', value: figureOf(judgement, 'C13', 'slowestMs'), unit: 'ms' },
        { name: 'clients away p99', value: figureOf(judgement, 'C14', 'away p99'), unit: 'ms' },
      ];
    },
  },
];
