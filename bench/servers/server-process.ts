import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort, hasEnded, until } from '../../verify/processes/program.js';
import { pin } from '../machine.js';

const typescript = fileURLToPath(new URL('../../test/environment/typescript.mjs', import.meta.url));
const inside = fileURLToPath(new URL('inside.mjs', import.meta.url));
const ENDS_WITHIN = 10_000;

export interface Statement {
  text: string;
  values: unknown[];
}

/** One server as a process of its own, on the processor that servers have. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  /** @param file JavaScript, or TypeScript of ours. @throws when it does not take connections within two minutes */
  static async start(file: string, environment: Record<string, string>): Promise<ServerProcess> {
    const port = await freePort();
    const { PATH = '', HOME = '' } = process.env;
    const child = fork(file, [], {
      execArgv: ['--import', inside, ...(file.endsWith('.ts') ? ['--no-warnings', '--import', typescript] : [])],
      env: { PATH, HOME, NODE_ENV: 'production', ...environment, PORT: String(port), HOST: '127.0.0.1' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const server = new ServerProcess(child, `http://127.0.0.1:${port}`);
    const answers = async (): Promise<boolean> => {
      if (hasEnded(child)) throw new Error(`${file} ended at its start`);
      return fetch(`${server.url}/socket.io/?EIO=4&transport=polling`).then(
        ({ ok }) => ok,
        () => false,
      );
    };
    try {
      await until(answers, 120_000, `${file} takes connections`);
    } catch (error) {
      await server.stop();
      throw error;
    }
    pin(server.pid, 'server');
    return server;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** What its heap and its buffers take when all garbage is collected. */
  async heapBytes(): Promise<number> {
    return (await this.ask('heap')) as number;
  }

  /** What it has sent to Postgres since this was called last; nothing the first time. */
  async statements(): Promise<Statement[]> {
    return (await this.ask('statements')) as Statement[];
  }

  /** One question at a time. @throws when it ends instead of answering */
  private async ask(what: string): Promise<unknown> {
    const over = new AbortController();
    const ended = (): void => over.abort(new Error(`${this.url} has ended`));
    if (hasEnded(this.child)) ended();
    this.child.once('exit', ended);
    try {
      const answered = once(this.child, 'message', { signal: over.signal });
      this.child.send(what, () => undefined);
      return ((await answered) as unknown[])[0];
    } finally {
      this.child.off('exit', ended);
    }
  }

  async stop(): Promise<void> {
    if (hasEnded(this.child)) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const late = setTimeout(() => this.child.kill('SIGKILL'), ENDS_WITHIN);
    await ended;
    clearTimeout(late);
  }
}
