import { cp, mkdtemp, readFile, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Running, run } from './processes.js';

const project = fileURLToPath(new URL('../../', import.meta.url));
const parts = ['package.json', 'package-lock.json', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json'];
const folders = ['src', 'sdk', 'web', 'scripts', 'dist'];

export interface StartOptions {
  env?: Record<string, string>;
  /** A command that runs the start, such as one that makes it another user. */
  as?: string[];
  node?: string[];
}

/** A copy of this project, as it is built, that only its owner may enter; its packages are linked. */
export class Checkout {
  private readonly running: Running[] = [];

  private constructor(readonly dir: string) {}

  static async make({ packages = true } = {}): Promise<Checkout> {
    const checkout = new Checkout(await realpath(await mkdtemp(join(tmpdir(), 'parley-start-'))));
    for (const part of [...parts, ...folders]) {
      await cp(join(project, part), join(checkout.dir, part), { recursive: true, preserveTimestamps: true });
    }
    if (packages) await checkout.linkPackages();
    return checkout;
  }

  linkPackages(): Promise<void> {
    return symlink(join(project, 'node_modules'), join(this.dir, 'node_modules'));
  }

  /** What `npm start` runs, in a session of its own as in a terminal of its own, on a free port and without any settings of ours. */
  start({ env = {}, as = [], node = [] }: StartOptions = {}): Running {
    return this.run([...as, process.execPath, ...node, 'scripts/start.mjs'], env);
  }

  /** Types a command into a terminal, where `ctrlC()` does what it does there. */
  terminal(command: string): Running & { ctrlC(): void } {
    const running = this.run(['script', '-qec', command, '/dev/null'], {}, 'pipe');
    return { ...running, ctrlC: () => void running.child.stdin?.write('\x03') };
  }

  private run(
    [command = '', ...args]: string[],
    env: Record<string, string>,
    stdin: 'ignore' | 'pipe' = 'ignore',
  ): Running {
    const { PATH = '', HOME = '' } = process.env;
    const options = { cwd: this.dir, env: { PATH, HOME, PORT: '0', ...env }, detached: true };
    const running = run(command, args, { ...options, stdio: [stdin, 'pipe', 'pipe'] });
    this.running.push(running);
    return running;
  }

  postmaster(): Promise<number> {
    return readFile(join(this.dir, 'data/postgres/cluster/postmaster.pid'), 'utf8').then((text) => parseInt(text, 10));
  }

  async remove(): Promise<void> {
    for (const { child, pid, exited } of this.running) {
      if (child.exitCode === null && child.signalCode === null) signalGroup(pid, 'SIGKILL');
      await exited;
    }
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** What a Ctrl-C does in a terminal: everything that runs in it gets the signal. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  process.kill(-pid, signal);
}

export async function urlOf(running: Running): Promise<string> {
  return (await running.prints(/Parley is ready: (http:\S+)/))[1] ?? '';
}
