import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { startRedis } from './redis.js';

const cleanups: (() => Promise<void>)[] = [];

/**
 * One private Postgres and one private Redis for the whole run; tests find them in TEST_POSTGRES_URL and TEST_REDIS_URL. What the tests
 * write to the temporary directory goes with them at the end, also when the run is broken off.
 */
export async function startServices(): Promise<void> {
  let ending: Promise<void> | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // The same signal may come twice, from the terminal and from `npm test`.
    process.on(signal, () => {
      // Our listener took the place of the signal's own effect, and Jest would go on with its tests.
      ending ??= stopServices().finally(() => process.exit(130));
    });
  }
  try {
    const dir = await mkdtemp(join(tmpdir(), 'parley-test-'));
    cleanups.push(() => rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
    await chmod(dir, 0o711);
    process.env['TMPDIR'] = dir;
    const postgres = await startEmbeddedPostgres({ dir: join(dir, 'postgres'), settings: { max_connections: '200' } });
    cleanups.push(() => postgres.stop());
    process.env['TEST_POSTGRES_URL'] = postgres.url;
    if (process.env['TEST_REDIS_URL']) return;
    const redis = await startRedis();
    cleanups.push(() => redis.stop());
    process.env['TEST_REDIS_URL'] = redis.url;
  } catch (error) {
    await stopServices();
    throw error;
  }
}

export async function stopServices(): Promise<void> {
  for (let cleanup = cleanups.pop(); cleanup; cleanup = cleanups.pop()) await cleanup();
}
