import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StartError } from '../start-error.js';
import { findPostgres } from './embedded/binaries.js';
import { keepPassword, makeCluster, SUPERUSER } from './embedded/cluster.js';
import { lockDirectory } from './embedded/directory-lock.js';
import { explain, inOneSentence } from './embedded/failures.js';
import { chooseLauncher, type Launcher } from './embedded/launcher.js';
import { endPostgres, hasEnded, isReady, POLL_MS, stopLeftover } from './embedded/postmaster.js';

export interface EmbeddedPostgresOptions {
  /** Made when missing. Holds `cluster/` (the data), `password`, and `postgres.log` of the latest start. */
  dir: string;
  /** Told, in sentences, what takes longer than a moment or heals. */
  log?: (line: string) => void;
  /** Postgres settings, such as `{ max_connections: '200' }`. */
  settings?: Record<string, string>;
}

export interface EmbeddedPostgres {
  /** A superuser's URL of the database `postgres`; the same until `stop()`, also when Postgres crashed and was started again. */
  readonly url: string;
  /** Closes every connection and ends Postgres, after about ten seconds by force. May be called again. */
  stop(): Promise<void>;
}

const RETRY_MS = 200;
const RESTART_MS = 3_000;
/** What the survivors of a killed Postgres need at most to notice that it is gone. */
const SURVIVORS_MS = 15_000;
/** Replaying the log after a crash may take minutes; only a start without an end is given up. */
const READY_MS = 10 * 60_000;

/**
 * Starts a private Postgres on the data in `dir`, on a free port of 127.0.0.1 only. Makes the data at the first start, ends a Postgres
 * that a killed run left behind, and starts Postgres again when it ends by itself. One process at a time may do this in a `dir`.
 * @throws StartError
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  try {
    await mkdir(options.dir, { recursive: true, mode: 0o711 });
    const dir = await realpath(options.dir);
    const lock = await lockDirectory(dir);
    try {
      return await Server.start(dir, options, lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    throw inOneSentence(error, options.dir);
  }
}

class Server implements EmbeddedPostgres {
  private child: ChildProcess | undefined;
  private port = 0;
  private restarting: Promise<void> | undefined;
  private stopped: Promise<void> | undefined;
  private readonly stopping = new AbortController();
  /** For an end of this process that did not wait for `stop()`. */
  private readonly onExit = () => void this.child?.kill('SIGINT');

  private constructor(
    private readonly dir: string,
    private readonly password: string,
    private readonly options: EmbeddedPostgresOptions,
    private readonly launcher: Launcher,
    private readonly lock: { release(): Promise<void> },
  ) {
    process.once('exit', this.onExit);
  }

  static async start(
    dir: string,
    options: EmbeddedPostgresOptions,
    lock: { release(): Promise<void> },
  ): Promise<Server> {
    const launcher = await chooseLauncher(await findPostgres(), dir);
    const log = options.log ?? (() => undefined);
    const passwordFile = join(dir, 'password');
    const password = await keepPassword(passwordFile);
    await stopLeftover(join(dir, 'cluster'), log);
    await makeCluster(join(dir, 'cluster'), passwordFile, launcher, log);
    await writeFile(join(dir, 'postgres.log'), '', { mode: 0o600 });
    const server = new Server(dir, password, { ...options, log }, launcher, lock);
    try {
      await server.launch(freePort);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get url(): string {
    return `postgres://${SUPERUSER}:${this.password}@127.0.0.1:${this.port}/postgres`;
  }

  stop(): Promise<void> {
    this.stopped ??= this.end();
    return this.stopped;
  }

  private async end(): Promise<void> {
    this.stopping.abort();
    await this.restarting;
    if (this.child) await endPostgres(this.child);
    process.off('exit', this.onExit);
    await this.lock.release();
  }

  /** Tries again when another process took the port first, or when processes of a killed Postgres are not gone yet. */
  private async launch(choosePort: () => Promise<number> | number): Promise<void> {
    const log = join(this.dir, 'postgres.log');
    const deadline = Date.now() + SURVIVORS_MS;
    for (;;) {
      this.port = await choosePort();
      const written = (await stat(log)).size;
      if (await this.launchOnce(log)) return;
      const output = (await readFile(log, 'utf8')).slice(written);
      const passes = /could not bind|pre-existing shared memory|lock file ".*" already exists/.test(output);
      if (!passes || Date.now() > deadline || this.stopping.signal.aborted) throw explain(output, this.dir, log);
      await delay(RETRY_MS);
    }
  }

  /** False when Postgres ended before it took connections. */
  private async launchOnce(log: string): Promise<boolean> {
    const cluster = join(this.dir, 'cluster');
    const settings = {
      port: String(this.port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      timezone: 'UTC',
      log_timezone: 'UTC',
      // Else each 16 MiB of the log are written twice, and every commit waits for that, some 50 ms.
      wal_init_zero: 'off',
      ...this.options.settings,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const output = openSync(log, 'a', 0o600);
    // Its own session (`detached`): a Ctrl-C in the terminal must not end Postgres before the application is done with it.
    const child = this.launcher.spawn('postgres', ['-D', cluster, ...args], {
      stdio: ['ignore', output, output],
      detached: true,
    });
    closeSync(output);
    this.child = child;
    let failure: Error | undefined;
    child.on('error', (error) => (failure = error));
    const deadline = Date.now() + READY_MS;
    while (!hasEnded(child) && !(await isReady(cluster, child.pid))) {
      if (failure) throw failure;
      if (Date.now() > deadline)
        throw new StartError(`Postgres was not ready within ${READY_MS / 60_000} minutes: see ${log}.`);
      await delay(POLL_MS);
    }
    if (hasEnded(child)) return false;
    child.unref();
    child.once('exit', (code, signal) => {
      if (!this.stopping.signal.aborted) this.restarting = this.restart(String(signal ?? code));
    });
    return true;
  }

  /** On the same port, so that `url` stays true, until it works or `stop()` is called. */
  private async restart(reason: string): Promise<void> {
    this.options.log?.(`Postgres ended by itself (${reason}) and is started again.`);
    const port = this.port;
    while (!this.stopping.signal.aborted) {
      try {
        await this.launch(() => port);
        return;
      } catch (error) {
        this.options.log?.(inOneSentence(error, this.dir).message);
        await delay(RESTART_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
      }
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
