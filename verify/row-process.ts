import { Postgres } from './processes/postgres.js';
import { Redis } from './processes/redis.js';
import { keep } from './report/results.js';
import { rows } from './rows/index.js';
import { runRow, type RowOptions } from './run-row.js';

/** What `run-rows.ts` tells a process of its one row. */
export interface RowOrder extends Omit<RowOptions, 'postgres' | 'versions' | 'say' | 'ending'> {
  row: string;
  versions: Record<string, string>;
}

process.once('message', (order: RowOrder) => {
  // Steps of a row that was interrupted may still be at work.
  run(order).then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.send?.('ready');

/** One row, with a Postgres of its own, in a process of its own: what it leaves behind goes with it. */
async function run(order: RowOrder): Promise<void> {
  // What was started ends with us; a Ctrl-C must not leave a Postgres behind.
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'] as const)
    process.once(signal, () => ending.abort());
  const row = rows.find(({ name }) => name === order.row);
  if (row === undefined) throw new Error(`There is no row ${order.row}`);
  const postgres = await Postgres.start({
    disk: row.lacks?.({ previous: order.previous }) === undefined ? row.disk : undefined,
  });
  try {
    const versions = { ...order.versions, postgres: await postgres.version, redis: Redis.version() };
    const say = (line: string) => console.log(line);
    await keep(order.dir, await runRow(row, { ...order, postgres, versions, say, ending: ending.signal }));
  } finally {
    await postgres.stop();
  }
}
