import { jest } from '@jest/globals';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import {
  asOrdinaryUser,
  eventually,
  itWithNamespaces,
  onLinux,
  processesAt,
  type Running,
  runScript,
} from './processes.js';

const isRoot = process.geteuid?.() === 0;

jest.setTimeout(60_000);

let dir: string;
const started: EmbeddedPostgres[] = [];
const running: Running[] = [];

let made: string;

beforeAll(async () => {
  made = await mkdtemp(join(tmpdir(), 'parley-embedded-'));
  await (await startEmbeddedPostgres({ dir: made })).stop();
});

afterAll(() => rm(made, { recursive: true, force: true }));

beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'parley-embedded-')));
});

afterEach(async () => {
  for (const { child, exited } of running.splice(0)) {
    child.kill('SIGKILL');
    await exited;
  }
  for (const postgres of started.splice(0)) await postgres.stop();
  await eventually(async () => (await processesAt(dir)).length === 0, 'no process is left');
  await rm(dir, { recursive: true, force: true });
});

async function start(
  options: { log?: (line: string) => void; settings?: Record<string, string> } = {},
): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dir, ...options });
  started.push(postgres);
  return postgres;
}

function hold(options: Parameters<typeof runScript>[2] = {}, ...args: string[]): Running {
  const process = runScript('hold-postgres.ts', [dir, ...args], options);
  running.push(process);
  return process;
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const postmaster = async () => Number((await readFile(join(dir, 'cluster/postmaster.pid'), 'utf8')).split('\n')[0]);

async function isOpenToAll(path: string): Promise<boolean> {
  if (path === '/') return true;
  return ((await stat(dirname(path))).mode & 0o001) !== 0 && isOpenToAll(dirname(path));
}

/** A PATH on which the programs named exist and fail, as where the system forbids what they do. */
async function pathWithout(...programs: string[]): Promise<NodeJS.ProcessEnv> {
  const bin = await mkdtemp(join(made, 'bin-'));
  for (const program of programs) await writeFile(join(bin, program), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  return { ...process.env, PATH: `${bin}:${process.env['PATH']}` };
}

onLinux('the embedded Postgres', () => {
  beforeEach(() => cp(made, dir, { recursive: true }));

  it('keeps its data over a stop and a start, and its commits are synced', async () => {
    const first = await start();
    await query(first.url, "CREATE TABLE kept AS SELECT 'höchstens 🎉' AS text");
    expect(
      await query(
        first.url,
        "SELECT current_setting('fsync') AS fsync, current_setting('server_encoding') AS encoding",
      ),
    ).toEqual([{ fsync: 'on', encoding: 'UTF8' }]);
    await first.stop();
    const second = await start();
    expect(await query(second.url, 'SELECT text FROM kept')).toEqual([{ text: 'höchstens 🎉' }]);
  });

  it('compares and orders text by code point and knows upper and lower case beyond ASCII', async () => {
    const { url } = await start();
    expect(await query(url, "SELECT upper('äß') AS upper, 'Z' < 'a' AS ordered, lower('ÀÉ') AS lower")).toEqual([
      { upper: 'Äß', ordered: true, lower: 'àé' },
    ]);
  });

  it('lets in nobody without the password, from 127.0.0.1 only, and keeps its files private (S-51)', async () => {
    const { url } = await start();
    const wrong = new URL(url);
    wrong.password = 'guess';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
    wrong.password = '';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow('password');
    expect(
      await query(
        url,
        "SELECT current_setting('listen_addresses') AS at, current_setting('unix_socket_directories') AS sockets",
      ),
    ).toEqual([{ at: '127.0.0.1', sockets: '' }]);
    for (const name of ['password', 'postgres.log', 'cluster'])
      expect((await stat(join(dir, name))).mode & 0o077).toBe(0);
  });

  it('ends within its time while clients are connected, twice asked, and leaves neither process nor pid file', async () => {
    const postgres = await start();
    const client = new pg.Client({ connectionString: postgres.url });
    const cut = once(client, 'error');
    client.on('error', () => undefined);
    await client.connect();
    await Promise.all([postgres.stop(), postgres.stop()]);
    await cut;
    expect(await processesAt(dir)).toEqual([]);
    await expect(stat(join(dir, 'cluster/postmaster.pid'))).rejects.toThrow('ENOENT');
    expect(await readFile(join(dir, 'postgres.log'), 'utf8')).toContain('database system is shut down');
  });

  it('starts again on the same URL when Postgres is killed, and loses nothing that was committed', async () => {
    const lines: string[] = [];
    const { url } = await start({ log: (line) => lines.push(line) });
    await query(url, 'CREATE TABLE kept AS SELECT 1 AS n');
    process.kill(await postmaster(), 'SIGKILL');
    await eventually(
      () =>
        query(url, 'SELECT n FROM kept').then(
          () => true,
          () => false,
        ),
      'Postgres is back',
    );
    expect(await query(url, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
    expect(lines).toContain('Postgres ended by itself (SIGKILL) and is started again.');
  });

  it('refuses a second start on the same data and names the process that has it', async () => {
    const holder = hold();
    await holder.prints(/^postgres:/m);
    await expect(start()).rejects.toMatchObject({
      name: 'StartError',
      message: `Parley already runs on this data directory (pid ${holder.pid}): stop it first, or choose another directory than ${dir}.`,
    });
  });

  it('is there until its owner is done with it when a Ctrl-C reaches the whole terminal', async () => {
    const holder = hold({ detached: true });
    await holder.prints(/^postgres:/m);
    process.kill(-holder.pid, 'SIGINT');
    expect(await holder.exited).toEqual({ code: 0, signal: null });
    expect(holder.output()).toContain('at the end');
  });

  it('ends with a process that is killed, and starts again after it', async () => {
    const holder = hold();
    const [url = ''] = await holder.prints(/^postgres:.*/m);
    await query(url, 'CREATE TABLE kept AS SELECT 1 AS n');
    holder.child.kill('SIGKILL');
    await holder.exited;
    await eventually(async () => (await processesAt(dir)).length === 0, 'Postgres follows its killed owner');
    expect(await query((await start()).url, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
  });

  it('ends with a process that exits without stopping it', async () => {
    const holder = hold({ env: await pathWithout('setpriv') }, 'leave');
    expect(await holder.exited).toEqual({ code: 0, signal: null });
    await eventually(async () => (await processesAt(dir)).length === 0, 'Postgres follows its owner');
    await expect(stat(join(dir, 'cluster/postmaster.pid'))).rejects.toThrow('ENOENT');
  });

  it('stops a Postgres that a killed run left behind, and starts anew', async () => {
    const holder = hold({ env: await pathWithout('setpriv') });
    const [url = ''] = await holder.prints(/^postgres:.*/m);
    await query(url, 'CREATE TABLE kept AS SELECT 1 AS n');
    holder.child.kill('SIGKILL');
    await holder.exited;
    const leftover = await postmaster();
    expect(await processesAt(dir)).not.toEqual([]);
    const lines: string[] = [];
    expect(await query((await start({ log: (line) => lines.push(line) })).url, 'SELECT n FROM kept')).toEqual([
      { n: 1 },
    ]);
    expect(lines).toEqual([`Stopping the Postgres that an earlier run left behind (pid ${leftover}).`]);
  });

  it('heals when Postgres and its owner were both killed', async () => {
    const holder = hold({ env: await pathWithout('setpriv') });
    const [url = ''] = await holder.prints(/^postgres:.*/m);
    await query(url, 'CREATE TABLE kept AS SELECT 1 AS n');
    holder.child.kill('SIGKILL');
    process.kill(await postmaster(), 'SIGKILL');
    await holder.exited;
    expect(await query((await start()).url, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
  });

  it('leaves a process alone whose pid stands in a stale pid file', async () => {
    await (await start()).stop();
    await writeFile(join(dir, 'cluster/postmaster.pid'), `${process.ppid}\n${dir}/cluster\n0\n0\n\n\n\nready\n`);
    await start();
    expect(() => process.kill(process.ppid, 0)).not.toThrow();
  });

  it('runs as nobody where root may not have namespaces, and as before where it may again', async () => {
    const open = await isOpenToAll(fileURLToPath(import.meta.url));
    const holder = hold({ env: await pathWithout('unshare') });
    if (!isRoot || open) {
      const [url = ''] = await holder.prints(/^postgres:.*/m);
      await query(url, 'CREATE TABLE kept AS SELECT 1 AS n');
      const status = await readFile(`/proc/${await postmaster()}/status`, 'utf8');
      expect(status).toMatch(isRoot ? /^Uid:\t65534\t65534/m : new RegExp(`^Uid:\\t${process.geteuid?.()}\\t`, 'm'));
      holder.child.kill('SIGKILL');
      await holder.exited;
      expect(await query((await start()).url, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
    } else {
      expect(await holder.exited).toEqual({ code: 1, signal: null });
      expect(holder.output()).toMatch(
        /^StartError: Postgres refuses to run as root, and the account "nobody" may not enter .*\n$/,
      );
    }
  });

  it('tightens a data directory whose permissions a copy has loosened', async () => {
    await (await start()).stop();
    await chmod(join(dir, 'cluster'), 0o755);
    await start();
  });
});

onLinux('the first start', () => {
  it('lets one of many that start at once have the data', async () => {
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => start()));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('throws away what a crash in the middle of the first start left', async () => {
    await mkdir(join(dir, 'unfinished-aB3dEf'));
    await writeFile(join(dir, 'unfinished-aB3dEf/PG_VERSION'), '18\n');
    await start();
    expect((await readdir(dir)).sort()).toEqual(['cluster', 'password', 'postgres.log']);
  });

  it('survives being killed in the middle of the first start', async () => {
    const holder = hold();
    const atWork = (files: string[]) => files.some((file) => /^unfinished-.*\/base$/.test(file));
    await eventually(async () => atWork(await readdir(dir, { recursive: true }).catch(() => [])), 'initdb is at work');
    holder.child.kill('SIGKILL');
    await holder.exited;
    await start();
  });
});

onLinux('what keeps it from starting is one sentence', () => {
  it('data of another version of Postgres', async () => {
    await cp(made, dir, { recursive: true });
    await writeFile(join(dir, 'cluster/PG_VERSION'), '15\n');
    await expect(start()).rejects.toMatchObject({
      name: 'StartError',
      message: `The data in ${dir} is of PostgreSQL 15, which this Parley cannot open: start the Parley that wrote it, or move ${dir} away to begin anew.`,
    });
    await writeFile(join(dir, 'cluster/PG_VERSION'), '18\n');
    await start();
  });

  it('a setting that Postgres does not know, with what it said', async () => {
    await cp(made, dir, { recursive: true });
    await expect(start({ settings: { max_conections: '5' } })).rejects.toMatchObject({
      name: 'StartError',
      message: `Postgres does not start on ${dir}: unrecognized configuration parameter "max_conections" (see ${dir}/postgres.log).`,
    });
  });

  itWithNamespaces('a directory that may not be written', async () => {
    await chmod(dir, 0o500);
    const holder = hold({ as: asOrdinaryUser });
    expect(await holder.exited).toEqual({ code: 1, signal: null });
    expect(holder.output()).toBe(
      `StartError: Parley may not write to ${dir}: give this user the right to, or choose another directory with DATA_DIR.\n`,
    );
    await chmod(dir, 0o700);
  });

  itWithNamespaces('a disk that is full', async () => {
    const small = `mount -t tmpfs -o size=20m none ${dir} && exec "$@"`;
    const holder = hold({ as: ['unshare', '--user', '--map-root-user', '--mount', '--', 'sh', '-c', small, 'sh'] });
    await holder.exited;
    expect(holder.output()).toBe(
      `Making a new database, which takes a moment.\nStartError: The disk is full: make room for ${dir} and start again.\n`,
    );
  });

  it('a file in the place of the directory', async () => {
    await writeFile(join(dir, 'file'), '');
    dir = join(dir, 'file');
    await expect(start()).rejects.toMatchObject({
      name: 'StartError',
      message: `${dir} cannot be a directory, for a file is in its way: move it, or choose another directory with DATA_DIR.`,
    });
    dir = join(dir, '..');
  });
});
