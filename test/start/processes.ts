import { type ChildProcess, spawn, spawnSync, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** These tests look at processes through /proc, so that nothing is left can be seen. */
export const onLinux = process.platform === 'linux' ? describe : describe.skip;

const namespaces =
  spawnSync('unshare', ['--user', '--map-root-user', '--mount', 'true'], { stdio: 'ignore' }).status === 0;

/** For what needs another user or a file system of its own, which many containers do not allow. */
export const itWithNamespaces = namespaces ? it : it.skip;

/** Before a command: root, for whom no permission counts, becomes somebody for whom they do. */
export const asOrdinaryUser =
  process.geteuid?.() === 0 ? ['unshare', '--user', '--map-user=1000', '--map-group=1000', '--'] : [];

export interface Running {
  child: ChildProcess;
  pid: number;
  /** Everything it wrote so far, to both outputs. */
  output(): string;
  /** Resolves with the match as soon as the output has one; rejects when the process ends without. */
  prints(pattern: RegExp): Promise<RegExpExecArray>;
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** The process does not outlive this one, so that a test run that is broken off leaves nothing. */
export function run(command: string, args: string[], options: SpawnOptions = {}): Running {
  const prefixed = ['--pdeathsig', 'KILL', '--', command, ...args];
  const child = spawn('/usr/bin/setpriv', prefixed, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const exited = once(child, 'close').then(
    ([code, signal]: unknown[]) => ({ code, signal }) as Awaited<Running['exited']>,
  );
  return {
    child,
    pid: child.pid ?? 0,
    output: () => output,
    exited,
    prints: (pattern) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const match = pattern.exec(output);
          if (match) resolve(match);
        };
        child.stdout?.on('data', check);
        child.stderr?.on('data', check);
        check();
        void exited.then(() => {
          check();
          reject(new Error(`ended without printing ${String(pattern)}:\n${output}`));
        });
      }),
  };
}

/** Runs a TypeScript file of this directory in a process of its own. */
export function runScript(file: string, args: string[], options: SpawnOptions & { as?: string[] } = {}): Running {
  const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
  const node = [
    process.execPath,
    '--no-warnings',
    '--import',
    path('../environment/typescript.mjs'),
    path(file),
    ...args,
  ];
  const [command = '', ...rest] = [...(options.as ?? []), ...node];
  return run(command, rest, options);
}

/** The processes that have `dir` as, or in, their working directory or on their command line. */
export async function processesAt(dir: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid))) {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
    if (cwd.startsWith(dir) || command.includes(dir)) found.push(`${pid} ${command}`);
  }
  return found;
}

export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 15_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await delay(20);
  }
}
