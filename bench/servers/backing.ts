import { Postgres } from '../../verify/processes/postgres.js';
import { Redis } from '../../verify/processes/redis.js';
import { pin } from '../machine.js';

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
  const backing = { postgres: await Postgres.start(), redis: await Redis.start() };
  const stop = async (): Promise<void> => {
    await backing.redis.kill();
    await backing.postgres.stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void stop().finally(() => process.exit(1)));
  try {
    for (const pid of [...backing.postgres.pids(), backing.redis.pid]) pin(pid, 'rest');
    return await work(backing);
  } finally {
    await stop();
  }
}
