import { Postgres } from '../../verify/processes/postgres.js';
import { Redis } from '../../verify/processes/redis.js';
import { pin } from '../machine.js';

const signals = ['SIGINT', 'SIGTERM'] as const;

/** What servers stand on. */
export interface Backing {
  postgres: Postgres;
  redis: Redis;
}

/**
 * A private Postgres and a private Redis for as long as `work` takes. Whatever this process and those that it starts do, they leave
 * the servers' processor to the servers. A signal ends all of them.
 */
export async function withBacking<T>(work: (backing: Backing) => Promise<T>): Promise<T> {
  pin(process.pid, 'rest');
  let postgres: Postgres | undefined;
  let redis: Redis | undefined;
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopping ??= (async () => {
      await redis?.kill();
      await postgres?.stop();
    })());
  // At once when they have stopped: the work would go on, and its servers end when this process has.
  const end = (): void => void stop().finally(() => process.exit(1));
  for (const signal of signals) process.once(signal, end);
  try {
    postgres = await Postgres.start();
    redis = await Redis.start();
    for (const pid of [...postgres.pids(), redis.pid]) pin(pid, 'rest');
    return await work({ postgres, redis });
  } finally {
    await stop();
    for (const signal of signals) process.off(signal, end);
  }
}
