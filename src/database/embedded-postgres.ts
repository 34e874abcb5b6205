import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { chmod, mkdir, open, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StartError } from '../start-error.js';
import { lockDirectory } from './directory-lock.js';
import { chooseLauncher, findPostgres, giveTo, type Launcher, type PostgresBinaries } from './postgres-binaries.js';

export interface EmbeddedPostgresOptions {
  /** Made when missing. Holds `cluster/` (the data), `password` and `postgres.log` (of the latest start). */
  dir: string;
  /** Told what takes longer than a moment, in sentences. */
  log?: (line: string) => void;
  /** Postgres settings, such as `{ max_connections: '200' }`. */
  settings?: Record<string, string>;
}

export interface EmbeddedPostgres {
  /** A superuser's URL of the database `postgres`; the same until `stop()`, also when Postgres crashed and was started again. */
  url: string;
  /** Closes every connection and ends Postgres, in at most about ten seconds. May be called again. */
  stop(): Promise<void>;
}

const USER = 'parley';
const STOP_MS = 10_000;
/** Replaying the log after a crash may take a while; only a start without an end is given up. */
const READY_MS = 10 * 60_000;
const POLL_MS = 20;
const RESTART_MS = 3_000;
/** What the survivors of a killed Postgres need at most to notice that it is gone. */
const SURVIVORS_MS = 15_000;

/**
 * Starts a private Postgres on the data in `dir`, listening on a free port of 127.0.0.1 only. Makes the data at the first start, ends a
 * Postgres that an earlier run left behind, and starts it again when it ends by itself.
 * @throws StartError with one sentence that says what to do
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  try {
    await mkdir(options.dir, { recursive: true, mode: 0o700 });
    const dir = await realpath(options.dir);
    const lock = await lockDirectory(dir);
    try {
      const server = new PostgresServer(dir, options.log ?? (() => undefined), options.settings ?? {}, lock);
      await server.start();
      return server;
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    throw inOneSentence(error, options.dir);
  }
}

class PostgresServer implements EmbeddedPostgres {
  private binaries!: PostgresBinaries;
  private launcher!: Launcher;
  private child?: ChildProcess;
  private password = '';
  private port = 0;
  private restarting?: Promise<void>;
  private stopping?: Promise<void>;
  private readonly closing = new AbortController();
  private readonly cluster: string;
  private readonly logFile: string;
  /** For an end of this process that did not go through `stop()`. */
  private readonly onExit = () => this.child?.kill('SIGINT');

  constructor(
    private readonly dir: string,
    private readonly log: (line: string) => void,
    private readonly settings: Record<string, string>,
    private readonly lock: { release(): Promise<void> },
  ) {
    this.cluster = join(dir, 'cluster');
    this.logFile = join(dir, 'postgres.log');
  }

  get url(): string {
    return `postgres://${USER}:${this.password}@127.0.0.1:${this.port}/postgres`;
  }

  async start(): Promise<void> {
    this.binaries = await findPostgres();
    this.launcher = await chooseLauncher([this.binaries.postgres, this.cluster]);
    if (this.launcher.account) await chmod(this.dir, 0o711);
    this.password = await this.keepPassword();
    await this.makeCluster();
    await this.stopLeftover();
    await writeFile(this.logFile, '', { mode: 0o600 });
    process.once('exit', this.onExit);
    try {
      await this.launch(() => freePort());
    } catch (error) {
      process.off('exit', this.onExit);
      throw error;
    }
  }

  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async end(): Promise<void> {
    this.closing.abort();
    await this.restarting;
    process.off('exit', this.onExit);
    if (this.child) await endChild(this.child);
    await this.lock.release();
  }

  private async keepPassword(): Promise<string> {
    const file = join(this.dir, 'password');
    const kept = await readFile(file, 'utf8').catch((error: unknown) => {
      if (!isCode(error, 'ENOENT')) throw error;
      return '';
    });
    if (kept) return kept;
    const password = randomBytes(24).toString('base64url');
    await writeDurably(file, password);
    return password;
  }

  /** A crash in the middle leaves only `cluster.new`, which the next start throws away. */
  private async makeCluster(): Promise<void> {
    const unfinished = join(this.dir, 'cluster.new');
    await rm(unfinished, { recursive: true, force: true });
    if (await stat(this.cluster).catch(() => undefined)) {
      await giveTo(this.launcher.owner, this.cluster);
      await chmod(this.cluster, 0o700);
      return;
    }
    this.log('Making a new database, which takes a few seconds.');
    const passwordFile = join(this.dir, 'password');
    await mkdir(unfinished, { mode: 0o700 });
    await giveTo(this.launcher.account, unfinished);
    await giveTo(this.launcher.account, passwordFile);
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = [`--username=${USER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
    const initdb = this.spawn(
      this.binaries.initdb,
      ['-D', unfinished, ...locale, ...access],
      ['ignore', 'pipe', 'pipe'],
      false,
    );
    let output = '';
    for (const stream of [initdb.stdout, initdb.stderr])
      stream?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    const [code] = (await once(initdb, 'close')) as [number | null];
    if (code !== 0) {
      await rm(unfinished, { recursive: true, force: true });
      throw new Error(explain(output, this.dir, 'initdb failed'));
    }
    await rename(unfinished, this.cluster);
    await syncDirectory(this.dir);
  }

  private async stopLeftover(): Promise<void> {
    const pid = await postmasterPid(this.cluster);
    if (!pid || !(await isPostgresOf(pid, this.cluster))) return;
    this.log(`Stopping the Postgres that an earlier run left behind (pid ${pid}).`);
    process.kill(pid, 'SIGINT');
    const deadline = Date.now() + STOP_MS;
    while (await isPostgresOf(pid, this.cluster)) {
      if (Date.now() > deadline) process.kill(pid, 'SIGKILL');
      await delay(POLL_MS);
    }
  }

  /** Tries again when another process took the port first, or when processes of a killed Postgres are not gone yet. */
  private async launch(choosePort: () => Promise<number> | number): Promise<void> {
    const deadline = Date.now() + SURVIVORS_MS;
    for (;;) {
      this.port = await choosePort();
      const before = (await stat(this.logFile)).size;
      if (await this.launchOnce()) return;
      const output = (await readFile(this.logFile, 'utf8')).slice(before);
      const passing = /could not bind|pre-existing shared memory|lock file ".*" already exists/.test(output);
      if (!passing || Date.now() > deadline || this.closing.signal.aborted)
        throw new Error(explain(output, this.dir, `see ${this.logFile}`));
      await delay(10 * POLL_MS);
    }
  }

  /** False when Postgres ended before it took connections. */
  private async launchOnce(): Promise<boolean> {
    const settings = {
      port: String(this.port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      timezone: 'UTC',
      log_timezone: 'UTC',
      ...this.settings,
    };
    const output = openSync(this.logFile, 'a', 0o600);
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    // Its own session: a Ctrl-C in the terminal must not end Postgres before the application has finished with it.
    const child = this.spawn(this.binaries.postgres, ['-D', this.cluster, ...args], ['ignore', output, output], true);
    closeSync(output);
    this.child = child;
    let failed: Error | undefined;
    child.on('error', (error) => (failed = error));
    const deadline = Date.now() + READY_MS;
    while (!hasEnded(child) && !(await isReady(this.cluster, child.pid))) {
      if (failed) throw failed;
      if (Date.now() > deadline) {
        await endChild(child);
        throw new StartError(`Postgres was not ready within ${READY_MS / 60_000} minutes: see ${this.logFile}.`);
      }
      await delay(POLL_MS);
    }
    if (hasEnded(child)) return false;
    child.unref();
    child.once('exit', (code, signal) => {
      if (!this.closing.signal.aborted) this.restarting = this.restart(String(signal ?? code));
    });
    return true;
  }

  /** On the same port, so that `url` stays true, and until it works or `stop()` is called. */
  private async restart(reason: string): Promise<void> {
    this.log(`Postgres ended by itself (${reason}); starting it again.`);
    const port = this.port;
    while (!this.closing.signal.aborted) {
      try {
        await this.launch(() => port);
        return;
      } catch (error) {
        this.log(inOneSentence(error, this.dir).message);
        await delay(RESTART_MS, undefined, { signal: this.closing.signal, ref: false }).catch(() => undefined);
      }
    }
  }

  private spawn(
    program: string,
    args: string[],
    stdio: ('ignore' | 'pipe' | number)[],
    detached: boolean,
  ): ChildProcess {
    const [command = program, ...rest] = [...this.launcher.prefix, program, ...args];
    const env = { ...process.env, LC_ALL: 'C' };
    return spawn(command, rest, { cwd: this.dir, env, stdio, detached, windowsHide: true, ...this.launcher.account });
  }
}

async function endChild(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  child.ref();
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  const harder = setTimeout(() => child.kill('SIGQUIT'), STOP_MS - 2_000);
  const hardest = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(harder);
  clearTimeout(hardest);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function postmasterPid(cluster: string): Promise<number | undefined> {
  const [line] = await postmasterLines(cluster);
  const pid = Number(line);
  return Number.isInteger(pid) && pid > 1 ? pid : undefined;
}

async function postmasterLines(cluster: string): Promise<string[]> {
  return (await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
}

/** Postgres itself writes its state into the last line of its pid file. */
async function isReady(cluster: string, pid: number | undefined): Promise<boolean> {
  const lines = await postmasterLines(cluster);
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}

/** Guards against a pid that now belongs to somebody else. */
async function isPostgresOf(pid: number, cluster: string): Promise<boolean> {
  const args =
    process.platform === 'linux'
      ? await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      : await psCommand(pid);
  return args.includes('postgres') && args.includes(cluster);
}

async function psCommand(pid: number): Promise<string> {
  const ps = spawn('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  ps.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  await once(ps, 'close').catch(() => undefined);
  return output;
}

async function writeDurably(file: string, content: string): Promise<void> {
  const handle = await open(`${file}.new`, 'w', 0o600);
  await handle.writeFile(content);
  await handle.sync();
  await handle.close();
  await rename(`${file}.new`, file);
}

async function syncDirectory(dir: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(dir, 'r');
  await handle.sync();
  await handle.close();
}

/** Makes one sentence of what Postgres wrote before it gave up. */
function explain(output: string, dir: string, otherwise: string): string {
  if (/No space left on device|Disk quota exceeded/.test(output))
    return `The disk is full: make room for ${dir} and start again.`;
  const version = /initialized by PostgreSQL version (\S+?),/.exec(output)?.[1];
  if (version) {
    return `The data in ${dir} is of PostgreSQL ${version}, which this Parley cannot open: start the Parley that wrote it, or move ${dir} away to begin anew.`;
  }
  const running = /Is another postmaster \(PID (\d+)\)/.exec(output)?.[1];
  if (running) return `Another Postgres (pid ${running}) uses the data in ${dir}: stop it and start again.`;
  const reason =
    [...output.matchAll(/(?:FATAL|PANIC|error):\s+(.*)/g)].at(-1)?.[1] ?? output.trim().split('\n').at(-1) ?? '';
  return `Postgres did not start on ${dir}: ${reason || 'it gave no reason'} (${otherwise}).`;
}

function inOneSentence(error: unknown, dir: string): StartError {
  if (error instanceof StartError) return error;
  if (isCode(error, 'EACCES', 'EPERM', 'EROFS')) {
    return new StartError(
      `Parley may not write to ${dir}: give this user the right to, or choose another directory with DATA_DIR.`,
    );
  }
  if (isCode(error, 'ENOTDIR', 'EEXIST')) {
    return new StartError(`${dir} is no directory: move the file away, or choose another directory with DATA_DIR.`);
  }
  if (isCode(error, 'ENOSPC', 'EDQUOT'))
    return new StartError(`The disk is full: make room for ${dir} and start again.`);
  return new StartError(error instanceof Error ? error.message : String(error));
}

function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');
}
