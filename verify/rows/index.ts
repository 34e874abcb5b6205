import { appRows } from './app.js';
import { bothRows } from './both.js';
import { checkerRows } from './checker.js';
import { clientRows } from './clients.js';
import { postgresRefusalRows } from './postgres-refusals.js';
import { postgresRows } from './postgres.js';
import { redisCommandRows } from './redis-commands.js';
import { redisFrameRows } from './redis-frames.js';
import { redisRows } from './redis.js';
import type { Row } from './row.js';
import { stormRows } from './storm.js';

export type { Row, RunningRow } from './row.js';

/** The matrix. */
export const rows: Row[] = [
  ...appRows,
  ...redisRows,
  ...redisCommandRows,
  ...redisFrameRows,
  ...postgresRows,
  ...postgresRefusalRows,
  ...bothRows,
  ...clientRows,
  ...stormRows,
  ...checkerRows,
];
