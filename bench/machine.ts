import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** Of `/proc`: what a processor second is counted in. */
const TICKS = 100;

/** Servers have the first processor to themselves; the generator, Postgres and Redis share the second. */
const processors = { server: 0, rest: 1 } as const;

export const canPin = cpus().length > 1 && spawnSync('taskset', ['--version']).status === 0;

/** Keeps a process, and all that it starts from now on, on its processor, where there are two. */
export function pin(pid: number, place: keyof typeof processors): void {
  if (!canPin) return;
  const { status, stderr } = spawnSync('taskset', ['-a', '-c', '-p', String(processors[place]), String(pid)]);
  if (status !== 0) throw new Error(`taskset: ${String(stderr)}`);
}

/**
 * Processor time of these processes so far, in seconds, and of what they started that has ended. One that is gone counts nothing;
 * its parent counts it.
 */
export function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + ownSeconds(pid) + ticksOf(stat(pid).slice(13, 15)) / TICKS, 0);
}

/** Of one process, ended threads included, to the 10 ms. */
export function processSeconds(pid: number): number {
  return ticksOf(stat(pid).slice(11, 13)) / TICKS;
}

/** To the nanosecond where the system tells it, so that short measurements are worth something. */
function ownSeconds(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .map((task) => readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8'))
      .reduce((sum, line) => sum + Number(line.split(' ')[0]) / 1e9, 0);
  } catch {
    return processSeconds(pid);
  }
}

const ticksOf = (fields: readonly string[]): number => fields.reduce((sum, field) => sum + Number(field), 0);

/** Memory of a process that is really there, in KiB. */
export function residentKib(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1] ?? NaN);
}

/** The process and all that it started. */
export function familyOf(pid: number): number[] {
  const parents = new Map(
    readdirSync('/proc')
      .map(Number)
      .filter((each) => each > 0)
      .map((each) => [each, Number(stat(each)[1] ?? 0)]),
  );
  const family = [pid];
  for (const parent of family) for (const [child, its] of parents) if (its === parent) family.push(child);
  return family;
}

/** What follows the name in `/proc/PID/stat`, from the state on; empty when the process is gone. */
function stat(pid: number): string[] {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return line.slice(line.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
