import { cp, mkdtemp, readFile, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, processesAt, type Running, run } from './processes.js';

const project = fileURLToPath(new URL('../../', import.meta.url));
const files = ['package.json', 'package-lock.json', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json'];
const parts = [...files, 'src', 'sdk', 'web', 'scripts', 'dist'];

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

  /** Copies the project and builds it there when it is not built from its present sources. The others are copied from this one. */
  static async built(): Promise<Checkout> {
    const checkout = await Checkout.copy(project);
    await checkout.linkPackages();
    const prepare = "await (await import('./scripts/prepare.mjs')).prepare()";
    const { code } = await checkout.run([process.execPath, '--input-type=module', '-e', prepare], {}).exited;
    if (code !== 0) throw new Error('The project does not build: run "npm run build" to see why.');
    return checkout;
  }

  async copy({ packages = true } = {}): Promise<Checkout> {
    const checkout = await Checkout.copy(this.dir);
    if (packages) await checkout.linkPackages();
    return checkout;
  }

  private static async copy(from: string): Promise<Checkout> {
    const checkout = new Checkout(await realpath(await mkdtemp(join(tmpdir(), 'parley-start-'))));
    for (const part of parts) {
      await cp(join(from, part), join(checkout.dir, part), { recursive: true }).catch((error: unknown) => {
        if (part !== 'dist') throw error;
      });
    }
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

  /** Kills what still runs, waits until Postgres has followed, and deletes the copy. */
  async remove(): Promise<void> {
    for (const { child, pid, exited } of this.running) {
      if (child.exitCode === null && child.signalCode === null) signalGroup(pid, 'SIGKILL');
      await exited;
    }
    await eventually(async () => (await processesAt(this.dir)).length === 0, 'no process is left');
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
