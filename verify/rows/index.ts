import { appLimitRows } from './app-limits.js';
import { appRows } from './app.js';
import { stoppedRows } from './app-stopped.js';
import { bothRows } from './both.js';
import { checkerRows } from './checker.js';
import { clientRows } from './clients.js';
import { floodRows } from './flood.js';
import { fuzzRows } from './fuzz.js';
import { networkRows } from './network.js';
import { postgresRefusalRows } from './postgres-refusals.js';
import { postgresRows } from './postgres.js';
import { redisCommandRows } from './redis-commands.js';
import { redisFrameRows } from './redis-frames.js';
import { redisRows } from './redis.js';
import type { Row } from './row.js';
import { shardedRows } from './sharded.js';
import { soakRows } from './soak.js';
import { startRows } from './start.js';
import { stormRows } from './storm.js';
import { versionRows } from './versions.js';

export type { Beginning, Row, RunningRow } from './row.js';

/** The matrix. */
export const rows: Row[] = [
  ...appRows,
  ...stoppedRows,
  ...appLimitRows,
  ...versionRows,
  ...redisRows,
  ...redisCommandRows,
  ...redisFrameRows,
  ...shardedRows,
  ...postgresRows,
  ...postgresRefusalRows,
  ...bothRows,
  ...networkRows,
  ...clientRows,
  ...stormRows,
  ...floodRows,
  ...fuzzRows,
  ...startRows,
  ...soakRows,
  ...checkerRows,
];
