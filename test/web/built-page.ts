import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Builds the page as it is now into a directory of its own, so that a test never sees yesterday's build. */
export async function buildPage(): Promise<{ dir: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'parley-page-'));
  const vite = ['node_modules/vite/bin/vite.js', 'build', 'web', '--outDir', dir, '--logLevel', 'warn'];
  await promisify(execFile)(process.execPath, vite);
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}
