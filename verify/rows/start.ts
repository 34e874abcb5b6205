import type { Node } from '../processes/cluster.js';
import { least, timeUntil, worst, type Row } from './row.js';

/** How late Postgres and Redis are in F-S2, in ms. */
const late = 20_000;
/** Calls of `migrate` beside the instances in F-S1. */
const migrators = 3;

const nothing = () => Promise.resolve();

/** How instances come up. A load that follows shows that what came up works. */
export const startRows: Row[] = [
  {
    name: 'F-S1',
    title: 'five instances and three migrations start at once on an empty database',
    load: 'L1',
    seconds: 10,
    topology: { instances: 5 },
    begin: async (cluster, { measure }) => {
      const { nodes, postgres, databaseUrl } = cluster;
      const tables = 'select from pg_tables where schemaname = current_schema()';
      measure('tables before', (await postgres.query(tables, [], databaseUrl)).length);
      const since = performance.now();
      const starts = Promise.all(nodes.map(({ instance }) => instance.start()));
      const codes = await Promise.all(Array.from({ length: migrators }, () => cluster.migrate()));
      await starts;
      measure('up', performance.now() - since);
      measure('migrated', codes.filter((code) => code === 0).length);
      const ran = await postgres.query<{ name: string }>('select name from migrations', [], databaseUrl);
      measure('ran', ran.length);
      measure('ran again', ran.length - new Set(ran.map(({ name }) => name)).size);
    },
    steps: nothing,
    figures: (_, run) => [
      { name: 'tables before', value: worst(run, 'tables before'), unit: '', limit: 0 },
      { name: 'migrations that ran', value: least(run, 'ran'), unit: '', limit: 1, atLeast: true },
      { name: 'migrations that ran twice', value: worst(run, 'ran again'), unit: '', limit: 0 },
      { name: 'calls that ended well', value: least(run, 'migrated'), unit: '', limit: migrators, atLeast: true },
      { name: 'all five ready after', value: worst(run, 'up'), unit: 'ms' },
    ],
  },
  {
    name: 'F-S2',
    title: `Postgres, Redis, or both come ${late / 1_000} s later than Parley`,
    load: 'L1',
    seconds: 10,
    topology: { instances: 3, proxies: ['postgres', 'redis'] },
    begin: async ({ nodes }, beginning) => {
      const { measure, pause } = beginning;
      const [noPostgres, noRedis, neither] = nodes as [Node, Node, Node];
      const absent = [noPostgres.postgres, noRedis.redis, neither.postgres, neither.redis];
      for (const proxy of absent) proxy?.refuse(true);
      let since = performance.now();
      const waiting = Promise.all([noPostgres, neither].map(({ instance }) => instance.start()));
      await Promise.race([waiting, noRedis.instance.start()]);
      measure('without Redis', performance.now() - since);
      await pause(late - (performance.now() - since));
      for (const { instance, postgres } of [noPostgres, neither]) {
        measure('ready too early', (await instance.isReady()) ? 1 : 0);
        measure('said', instance.output.includes('Postgres does not answer') ? 1 : 0);
        measure('tries', postgres?.counts.connections ?? NaN);
      }
      for (const proxy of absent) proxy?.refuse(false);
      since = performance.now();
      await waiting;
      measure('with Postgres', performance.now() - since);
      const instances = nodes.map(({ instance }) => instance);
      const afterwards = performance.now() - since;
      measure(
        'with Redis',
        afterwards + (await timeUntil(beginning, instances, ({ bus }) => bus === 'healthy', 20_000)),
      );
    },
    steps: nothing,
    figures: (_, run) => [
      { name: 'tries to reach Postgres', value: least(run, 'tries'), unit: '', limit: 5, atLeast: true },
      { name: 'said so', value: least(run, 'said'), unit: '', limit: 1, atLeast: true },
      { name: 'ready without Postgres', value: worst(run, 'ready too early'), unit: '', limit: 0 },
      { name: 'ready without Redis after', value: worst(run, 'without Redis'), unit: 'ms', limit: 15_000 },
      { name: 'ready after Postgres came', value: worst(run, 'with Postgres'), unit: 'ms', limit: 10_000 },
      { name: 'bus healthy after Redis came', value: worst(run, 'with Redis'), unit: 'ms', limit: 10_000 },
    ],
  },
];
