import { appRows } from './app.js';
import { redisRows } from './redis.js';
import type { Row } from './row.js';

const names = new Set(['F-A1', 'F-R1', 'F-R3']);

/** The rows that depend on the bus most, with a channel for each room. */
export const shardedRows: Row[] = [...appRows, ...redisRows]
  .filter(({ name }) => names.has(name))
  .map(({ quick: _, ...row }) => ({
    ...row,
    name: `${row.name} sharded`,
    title: `${row.title}; REDIS_ADAPTER=sharded`,
    topology: { ...row.topology, environment: { ...row.topology?.environment, REDIS_ADAPTER: 'sharded' } },
  }));
