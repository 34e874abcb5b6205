import { storm } from '../load/storm.js';
import { figureOf, worst, type Row } from './row.js';

const patienceMs = 60_000;

export const stormRows: Row[] = [
  {
    name: 'F-C2',
    title: 'every client is cut at the same moment, and all come back',
    load: 'L3',
    seconds: 60,
    steps: async (run) => {
      await run.pause(8_000);
      await run.fault(
        'every client cut',
        async () => {
          const { clients, all, most, lagP99, lagMax, waiters, driver } = await storm(run, patienceMs);
          run.measure('clients', clients);
          run.measure('most', most);
          run.measure('all', all);
          run.measure('lag p99', lagP99);
          run.measure('lag max', lagMax);
          run.measure('waiters', waiters);
          run.measure('driver cpu', driver.cpu * 100);
          run.measure('driver lag', driver.lagP99);
        },
        { silences: true },
      );
    },
    figures: (judgement, run) => [
      { name: 'clients cut', value: worst(run, 'clients'), unit: '', limit: 5_000, atLeast: true },
      { name: '99 of 100 back and caught up after', value: worst(run, 'most'), unit: 'ms' },
      { name: 'all back and caught up after', value: worst(run, 'all'), unit: 'ms', limit: 30_000 },
      { name: 'event loop p99 in the worst second', value: worst(run, 'lag p99'), unit: 'ms', limit: 500 },
      { name: 'event loop at worst', value: worst(run, 'lag max'), unit: 'ms' },
      { name: 'queries that waited for a connection', value: worst(run, 'waiters'), unit: '', limit: 500 },
      { name: 'slowest answer', value: figureOf(judgement, 'C13', 'slowestMs'), unit: 'ms', limit: 5_000 },
      { name: "the checker's own processor use", value: worst(run, 'driver cpu'), unit: '%' },
      { name: "the checker's own event loop p99", value: worst(run, 'driver lag'), unit: 'ms' },
    ],
  },
];
