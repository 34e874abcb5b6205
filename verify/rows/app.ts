import { SilentClients } from '../load/silent-clients.js';
import { backlog, figureOf, inTurn, killAndRestart, type Row } from './row.js';

/** Faults of Parley's own processes. */
export const appRows: Row[] = [
  {
    name: 'F-A1',
    title: 'an instance is killed (SIGKILL) and back after 2 s, in turn',
    load: 'L2',
    seconds: 90,
    quick: { load: 'L1', seconds: 30 },
    steps: async (run) => {
      const next = inTurn(run.cluster);
      const every = run.quick ? 7_000 : 15_000;
      await run.pause(6_000);
      while (!run.over()) {
        await killAndRestart(run, next());
        await run.pause(every - 3_000);
      }
    },
    figures: (judgement) => [
      { name: 'clients away p95', value: figureOf(judgement, 'C14', 'away p95'), unit: 'ms', limit: 3_000 },
      { name: 'clients away p99', value: figureOf(judgement, 'C14', 'away p99'), unit: 'ms', limit: 10_000 },
      backlog(judgement, 5_000),
    ],
  },
  {
    name: 'F-A2',
    title: 'all instances are killed (SIGKILL) at once, and started again',
    load: 'L2',
    seconds: 60,
    convergeMs: 15_000,
    steps: async (run) => {
      const instances = run.cluster.nodes.map(({ instance }) => instance);
      let starts: Promise<void>[] = [];
      await run.pause(8_000);
      // It ends when they are started, not when they are ready: all of that time counts.
      await run.fault(
        'all killed',
        async () => {
          const ends = await Promise.all(instances.map((instance) => instance.end('SIGKILL')));
          run.measure('killed', ends.filter(({ code }) => code === null).length);
          await run.pause(2_000);
          starts = instances.map((instance) => instance.start());
        },
        { silences: true },
      );
      const since = performance.now();
      await Promise.all(starts);
      run.measure('ready', performance.now() - since);
    },
    figures: (judgement, { measured, cluster }) => [
      {
        name: 'instances killed',
        value: measured.get('killed')?.[0] ?? NaN,
        unit: '',
        limit: cluster.nodes.length,
        atLeast: true,
      },
      { name: 'all ready after', value: measured.get('ready')?.[0] ?? NaN, unit: 'ms' },
      { name: 'clients away p99', value: figureOf(judgement, 'C14', 'away p99'), unit: 'ms' },
      { name: 'converged after', value: figureOf(judgement, 'C8', 'convergedMs'), unit: 'ms', limit: 15_000 },
      backlog(judgement, 15_000),
    ],
  },
  {
    name: 'F-A4',
    title: 'rolling restart (SIGTERM) of every instance, five clients that do not read',
    load: 'L2',
    seconds: 75,
    quick: { load: 'L1', seconds: 45 },
    steps: async (run) => {
      const { load, cluster } = run;
      const silent = new SilentClients(load, 5);
      await silent.connect(load.rooms[0] ?? '');
      silent.silence();
      await run.pause(5_000);
      for (const { instance } of cluster.nodes) {
        await run.fault(`${instance.name} restarts`, async () => {
          const { code, ms } = await instance.end('SIGTERM');
          run.measure('end', ms);
          run.measure('code', code ?? -1);
          await instance.start();
        });
        await run.pause(2_000);
      }
      silent.close();
    },
    figures: (judgement, { measured, load }) => [
      { name: 'slowest end', value: Math.max(...(measured.get('end') ?? [NaN])), unit: 'ms', limit: 10_000 },
      {
        name: 'exit codes other than 0',
        value: (measured.get('code') ?? [-1]).filter((code) => code !== 0).length,
        unit: '',
        limit: 0,
      },
      { name: 'sends refused for good', value: load.counts.refused, unit: '', limit: 0 },
      { name: 'sends tried again', value: load.counts.triedAgain, unit: '' },
      { name: 'clients away p99', value: figureOf(judgement, 'C14', 'away p99'), unit: 'ms' },
      backlog(judgement, 5_000),
    ],
  },
];
