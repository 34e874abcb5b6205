import { appRows } from './app.js';
import { checkerRows } from './checker.js';
import { clientRows } from './clients.js';
import { postgresRows } from './postgres.js';
import { redisRows } from './redis.js';
import type { Row } from './row.js';
import { stormRows } from './storm.js';

export type { Row, RunningRow } from './row.js';

/** The matrix. */
export const rows: Row[] = [...appRows, ...redisRows, ...postgresRows, ...clientRows, ...stormRows, ...checkerRows];
