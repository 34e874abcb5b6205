import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export const POLL_MS = 20;
const PID_FILE = 'postmaster.pid';
const STOP_MS = 10_000;

/** Postgres writes its pid and its state into a file of its data directory, and removes it at the end. */
export async function isReady(cluster: string, pid: number | undefined): Promise<boolean> {
  const lines = await readPidFile(cluster);
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}

/**
 * Ends a Postgres that a killed run left on this data. A pid that belongs to another program by now (after a reboot, or in a restarted
 * container) is left alone, and Postgres is kept from taking that program for its predecessor.
 */
export async function stopLeftover(cluster: string, log: (line: string) => void): Promise<void> {
  const lines = await readPidFile(cluster);
  const pid = Number(lines[0]);
  if (!(pid > 1) || process.platform === 'win32') return;
  if (!(await commandOf(pid)).includes('postgres')) {
    // Postgres holds its parent's pid for stale, and still looks for survivors by what else the file says.
    await writeFile(join(cluster, PID_FILE), [String(process.pid), ...lines.slice(1)].join('\n'));
    return;
  }
  if (!(await isPostgresOf(pid, cluster))) return;
  log(`Stopping the Postgres that an earlier run left behind (pid ${pid}).`);
  send(pid, 'SIGINT');
  const deadline = Date.now() + STOP_MS;
  while (await isPostgresOf(pid, cluster)) {
    if (Date.now() > deadline) send(pid, 'SIGKILL');
    await delay(POLL_MS);
  }
}

/** A fast shutdown: connections are closed and everything is on disk at the end. Harder, and healed at the next start, after 8 and 10 s. */
export async function endPostgres(child: ChildProcess): Promise<void> {
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

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function readPidFile(cluster: string): Promise<string[]> {
  return (await readFile(join(cluster, PID_FILE), 'utf8').catch(() => '')).split('\n');
}

async function isPostgresOf(pid: number, cluster: string): Promise<boolean> {
  const command = await commandOf(pid);
  return command.includes('postgres') && command.includes(cluster);
}

/** Empty when there is no such process. */
async function commandOf(pid: number): Promise<string> {
  if (process.platform !== 'linux') return ps(pid);
  return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
}

async function ps(pid: number): Promise<string> {
  const program = spawn('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  program.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(program, 'close').catch(() => undefined);
  return output;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in the meantime.
  }
}
