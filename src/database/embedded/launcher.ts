import { type ChildProcess, spawn, spawnSync, type SpawnOptions } from 'node:child_process';
import { chmod, chown, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StartError } from '../../start-error.js';
import type { PostgresBinaries } from './binaries.js';

interface Account {
  uid: number;
  gid: number;
}

/** Starts the programs of Postgres in a way that they accept and, where the system can see to it, so that none outlives this process. */
export interface Launcher {
  spawn(program: keyof PostgresBinaries, args: string[], options: SpawnOptions): ChildProcess;
  /** Gives a file or a whole directory to the account that the programs run as. */
  own(path: string): Promise<void>;
}

const NOBODY: Account = { uid: 65_534, gid: 65_534 };
const DIE_WITH_US = ['setpriv', '--pdeathsig', 'INT', '--'];
const AS_UID_1000 = ['unshare', '--user', '--map-user=1000', '--map-group=1000', '--'];

/**
 * Postgres refuses root. For root the programs run in a private user namespace as uid 1000, which needs no account, no change of ownership
 * and no open parent directories; where namespaces are forbidden (in many containers) they run as `nobody`, for whom `dir` and the
 * programs must be within reach.
 */
export async function chooseLauncher(binaries: PostgresBinaries, dir: string): Promise<Launcher> {
  if (process.platform !== 'linux') return launcher(binaries, []);
  if (process.geteuid?.() !== 0) return launcher(binaries, firstThatRuns(DIE_WITH_US));
  const prefix = firstThatRuns([...AS_UID_1000, ...DIE_WITH_US], AS_UID_1000);
  if (prefix.length > 0) return launcher(binaries, prefix, { uid: 0, gid: 0 });
  await chmod(dir, 0o711);
  await checkReach(binaries.postgres);
  await checkReach(join(dir, 'cluster'));
  return launcher(binaries, firstThatRuns(DIE_WITH_US), NOBODY, NOBODY);
}

function launcher(binaries: PostgresBinaries, prefix: string[], owner?: Account, account?: Account): Launcher {
  return {
    spawn: (program, args, options) => {
      const [command = '', ...rest] = [...prefix, binaries[program], ...args];
      return spawn(command, rest, { windowsHide: true, ...options, ...account });
    },
    own: async (path) => {
      if (!owner || (await stat(path)).uid === owner.uid) return;
      const inside = (await stat(path)).isDirectory() ? await readdir(path, { recursive: true }) : [];
      for (const file of inside) await chown(join(path, file), owner.uid, owner.gid);
      await chown(path, owner.uid, owner.gid);
    },
  };
}

function firstThatRuns(...prefixes: string[][]): string[] {
  const runs = ([command = '', ...args]: string[]) =>
    spawnSync(command, [...args, 'true'], { stdio: 'ignore' }).status === 0;
  return prefixes.find(runs) ?? [];
}

async function checkReach(path: string): Promise<void> {
  for (let dir = dirname(path); dir !== dirname(dir); dir = dirname(dir)) {
    if (((await stat(dir)).mode & 0o001) !== 0) continue;
    throw new StartError(
      `Postgres refuses to run as root, and the account "nobody" may not enter ${dir}: start Parley as an ordinary user, let everyone enter that directory (chmod o+x), or set DATABASE_URL.`,
    );
  }
}
