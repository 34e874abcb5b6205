import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { readConfig, type Config } from './config.js';
import { startEmbeddedPostgres } from './database/embedded-postgres.js';
import { createApp } from './setup-app.js';
import { StartError } from './start-error.js';

/** A stop that takes so long beyond the time that clients get to leave is stuck, in ms. */
const STUCK_AFTER = 30_000;

/** What is stopped last: what embedded mode started. */
let stopEmbedded = (): Promise<void> => Promise.resolve();
let app: NestExpressApplication | undefined;
let stopping = false;
let drainMs = 0;

/** Ctrl-C and SIGTERM: everything that was taken is finished, then everything that was started ends. */
async function stop(exitCode: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  setTimeout(() => {
    console.error('The stop does not come to an end: what is left is cut');
    // A supervisor waits for nothing else, and what was acknowledged is stored.
    process.exit(1);
  }, drainMs + STUCK_AFTER).unref();
  await app?.close().catch((error: unknown) => console.error(error));
  await stopEmbedded().catch((error: unknown) => console.error(error));
  // Whatever was not closed in time, such as an idle connection, must not hold up a stop that is done.
  process.exit(exitCode);
}

process.on('SIGINT', () => void stop(0));
process.on('SIGTERM', () => void stop(0));
// Nothing is known of the state after one of these: finish what was taken, and let the supervisor start anew.
process.on('uncaughtException', (error) => {
  console.error('Uncaught exception', error);
  void stop(1);
});
process.on('unhandledRejection', (error) => {
  console.error('Unhandled rejection', error);
  void stop(1);
});

try {
  const config = await readConfig(process.env, async (dataDir) => {
    const postgres = await startEmbeddedPostgres({ dir: join(dataDir, 'postgres') });
    stopEmbedded = () => postgres.stop();
    return {
      databaseUrl: postgres.url,
      jwtSecret: await kept(dataDir, 'jwt-secret'),
      adminKey: await kept(dataDir, 'admin-key'),
    };
  });
  drainMs = config.drainMs;
  app = await createApp(config);
  await listen(app, config);
  const shown = config.host === '127.0.0.1' || config.host === '0.0.0.0' ? 'localhost' : config.host;
  const { port } = app.getHttpServer().address() as { port: number };
  console.log(`\n  Parley is ready: http://${shown}:${port}\n`);
  if (isInTheClear(config))
    console.warn(
      `  ${config.host} is open to other machines, and nothing before Parley is named that would end TLS: tokens and messages pass in the\n` +
        '  clear. Put a balancer with TLS before it, and name that by TRUST_PROXY.\n',
    );
  if (config.embedded)
    console.log(`  The admin key is in ${join(config.dataDir, 'admin-key')}; the REST API is described at /docs.\n`);
} catch (error) {
  console.error(error instanceof StartError ? error.message : error);
  await stop(1);
}

/** @throws StartError when the address is not to be had */
async function listen(application: NestExpressApplication, { host, port }: Config): Promise<void> {
  try {
    await application.listen(port, host);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'EADDRINUSE')
      throw new StartError(
        `Port ${port} is in use: stop what runs there, or choose another one with PORT=${port + 1} npm start.`,
      );
    if (code === 'EACCES') throw new StartError(`Port ${port} is not ours to open: choose one above 1023 with PORT.`);
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new StartError(`HOST=${host} is no address of this machine: leave it out, or set 0.0.0.0.`);
    throw error;
  }
}

/** Whether clients elsewhere may connect to Parley itself, which speaks no TLS. */
function isInTheClear({ host, trustProxy }: Config): boolean {
  return trustProxy === 0 && host !== 'localhost' && host !== '::1' && !host.startsWith('127.');
}

/** A random secret that is made once and kept beside the data, readable by its owner alone. */
async function kept(dataDir: string, name: string): Promise<string> {
  const path = join(dataDir, name);
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error;
  }
  await mkdir(dataDir, { recursive: true });
  const secret = randomBytes(48).toString('base64url');
  await writeFile(path, `${secret}\n`, { mode: 0o600, flag: 'wx' });
  return secret;
}
