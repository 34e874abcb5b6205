import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { explain, isCode } from './failures.js';
import type { Launcher } from './launcher.js';

export const SUPERUSER = 'parley';
const UNFINISHED = 'unfinished-';

/** The superuser's password, made at the first start and kept in a file that only the owner reads. */
export async function keepPassword(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
  const password = randomBytes(24).toString('base64url');
  const handle = await open(`${file}.new`, 'w', 0o600);
  try {
    await handle.writeFile(password);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  return password;
}

/**
 * Makes `cluster` unless it is there. A crash in the middle leaves only a directory of another name, which a later call throws away: each
 * call has its own, for an initdb that is just being killed still writes to, and then removes, the one that it was given.
 */
export async function makeCluster(
  cluster: string,
  passwordFile: string,
  launcher: Launcher,
  log: (line: string) => void,
): Promise<void> {
  const dir = dirname(cluster);
  for (const name of await readdir(dir)) if (name.startsWith(UNFINISHED)) await remove(join(dir, name));
  if (await stat(cluster).catch(() => undefined)) {
    await launcher.own(cluster);
    await chmod(cluster, 0o700);
    return;
  }
  log('Making a new database, which takes a moment.');
  const unfinished = await mkdtemp(join(dir, UNFINISHED));
  try {
    await launcher.own(unfinished);
    await launcher.own(passwordFile);
    await initdb(unfinished, passwordFile, launcher);
    await rename(unfinished, cluster);
    await sync(dir);
  } catch (error) {
    await remove(unfinished);
    throw error;
  }
}

async function remove(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true }).catch(() => undefined);
}

async function initdb(cluster: string, passwordFile: string, launcher: Launcher): Promise<void> {
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const access = [`--username=${SUPERUSER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  const program = launcher.spawn('initdb', ['-D', cluster, ...locale, ...access], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [program.stdout, program.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(program, 'close')) as [number | null];
  if (code !== 0) throw explain(output, dirname(cluster));
}

async function sync(dir: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
