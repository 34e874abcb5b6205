import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SampleRecord } from '../history.js';
import type { Recorder } from '../recorder.js';
import { hasEnded, until } from './program.js';

const probe = fileURLToPath(new URL('../inside/probe.mjs', import.meta.url));
const sabotage = fileURLToPath(new URL('../inside/sabotage.mjs', import.meta.url));

export interface InstanceOptions {
  name: string;
  port: number;
  /** The built `main.js`. */
  server: string;
  environment: Record<string, string>;
  recorder: Recorder;
  /** Where its output goes. */
  log: string;
  /** A bug to run it with; see `inside/sabotage.mjs`. */
  bug?: string | undefined;
  nodeOptions?: string[];
}

export interface Refusal {
  code: number | null;
  output: string;
}

type Told =
  { type: 'uncaught' | 'unhandled'; detail: string } | { type: 'sample'; id: number; values: Record<string, number> };

/** One instance of Parley as a process of its own, which can be killed, stopped and started again at the same address. */
export class Instance {
  private child: ChildProcess | undefined;
  private wanted = false;
  private samples = 0;
  private readonly waiting = new Map<number, (values: Record<string, number>) => void>();

  /** Told of each sample. */
  onSample: ((values: Record<string, number>) => void) | undefined;
  /** The built `main.js` that the next start runs. */
  server: string;

  constructor(private readonly options: InstanceOptions) {
    this.server = options.server;
  }

  get name(): string {
    return this.options.name;
  }

  get url(): string {
    return `http://127.0.0.1:${this.options.port}`;
  }

  get port(): number {
    return this.options.port;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  get running(): boolean {
    return this.child !== undefined && !hasEnded(this.child);
  }

  /** Resolves when it is ready for clients. @throws when it ends, or is not ready within `patienceMs` */
  async start(patienceMs = 120_000): Promise<void> {
    const child = this.launch();
    await until(
      async () => {
        if (hasEnded(child)) throw new Error(`Instance ${this.name} ended at its start: see ${this.options.log}`);
        return this.isReady();
      },
      patienceMs,
      `Instance ${this.name} is ready`,
    );
    this.options.recorder.write({ type: 'process', instance: this.name, event: 'ready', wanted: true });
  }

  launch(): ChildProcess {
    const { environment, log, port, bug, recorder, nodeOptions = [] } = this.options;
    const bugged = bug === undefined ? [] : ['--import', sabotage];
    const child = fork(this.server, [], {
      execArgv: ['--expose-gc', ...nodeOptions, '--import', probe, ...bugged],
      env: {
        ...inherited(),
        CONNECTIONS_PER_USER: '1000000',
        UNCHECKED_PER_ADDRESS: '1000000',
        LIMITS: raised,
        ...environment,
        PORT: String(port),
        HOST: '127.0.0.1',
        ...(bug === undefined ? {} : { PARLEY_BUG: bug }),
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const output = createWriteStream(log, { flags: 'a' });
    child.stdout?.pipe(output, { end: false });
    child.stderr?.pipe(output, { end: false });
    child.on('message', (message) => this.hear(message as Told));
    child.once('exit', (code, signal) => {
      const detail = `code ${code}, signal ${signal}`;
      recorder.write({ type: 'process', instance: this.name, event: 'exit', wanted: this.wanted, detail });
      output.end();
    });
    this.child = child;
    this.wanted = false;
    return child;
  }

  /** Starts it with settings that it has to refuse; resolves with its exit code (null when it had to be killed) and all that it said. */
  async startInVain(environment: Record<string, string>, patienceMs = 30_000): Promise<Refusal> {
    const settings = { ...inherited(), ...this.options.environment, ...environment };
    const child = spawn(process.execPath, [this.server], {
      env: { ...settings, PORT: String(this.port), HOST: '127.0.0.1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const patience = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    await once(child, 'close');
    clearTimeout(patience);
    return { code: child.exitCode, output };
  }

  signal(signal: NodeJS.Signals): void {
    if (signal === 'SIGKILL' || signal === 'SIGTERM' || signal === 'SIGINT') this.wanted = true;
    this.child?.kill(signal);
  }

  /** Resolves with the exit code (null after a signal) and how long the end took, in ms; it is killed where it takes a minute. */
  async end(signal: NodeJS.Signals, patienceMs = 60_000): Promise<{ code: number | null; ms: number }> {
    const { child } = this;
    if (child === undefined || hasEnded(child)) return { code: child?.exitCode ?? null, ms: 0 };
    const since = performance.now();
    const ended = once(child, 'exit');
    if (signal === 'SIGKILL') child.kill('SIGCONT');
    this.signal(signal);
    const patience = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    await ended;
    clearTimeout(patience);
    return { code: child.exitCode, ms: performance.now() - since };
  }

  async isReady(): Promise<boolean> {
    return (await this.health())?.ready === true;
  }

  /** Undefined when it does not answer within the patience of a balancer, two seconds. */
  async health(): Promise<{ ready: boolean; bus: string } | undefined> {
    try {
      const response = await fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(2_000) });
      return (await response.json()) as { ready: boolean; bus: string };
    } catch {
      return undefined;
    }
  }

  /** Makes it hold more and more until it runs out of memory; resolves with how long that took, in ms. @throws when it ends otherwise */
  async exhaust(): Promise<number> {
    const { child } = this;
    if (child === undefined || hasEnded(child)) throw new Error(`Instance ${this.name} does not run`);
    const since = performance.now();
    const ended = once(child, 'exit');
    this.wanted = true;
    child.send({ type: 'exhaust' });
    await ended;
    // Node aborts.
    if (child.signalCode !== 'SIGABRT' && child.exitCode !== 134)
      throw new Error(`Instance ${this.name} did not run out of memory: code ${child.exitCode}, ${child.signalCode}`);
    return performance.now() - since;
  }

  /** What it has printed so far. */
  get output(): string {
    return readFileSync(this.options.log, 'utf8');
  }

  /** How many files and sockets it has open; NaN when it does not run. */
  get openFiles(): number {
    try {
      return readdirSync(`/proc/${this.pid}/fd`).length;
    } catch {
      return NaN;
    }
  }

  /** How many it may have open from now on; what is open already stays. @throws where the system knows no `prlimit` */
  limitOpenFiles(limit: number): void {
    const { status } = spawnSync('prlimit', ['--pid', String(this.pid), `--nofile=${limit}:`]);
    if (status !== 0) throw new Error(`prlimit could not limit the files of instance ${this.name}`);
  }

  /** Blocks its event loop. */
  block(ms: number): void {
    this.child?.send({ type: 'block', ms });
  }

  /** Records what the process holds; after a garbage collection where the sample is `steady`. Gives up after two seconds. */
  async sample(steady?: SampleRecord['steady']): Promise<Record<string, number> | undefined> {
    const { child } = this;
    if (child === undefined || !child.connected || hasEnded(child)) return undefined;
    const id = ++this.samples;
    let timer: NodeJS.Timeout | undefined;
    const told = await new Promise<Record<string, number> | undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), 2_000);
      this.waiting.set(id, resolve);
      child.send({ type: 'sample', id, collect: steady !== undefined }, (error) => {
        if (error) resolve(undefined);
      });
    });
    clearTimeout(timer);
    this.waiting.delete(id);
    if (told === undefined) return undefined;
    const values = { ...told, fds: this.openFiles };
    this.onSample?.(values);
    this.options.recorder.write({
      type: 'sample',
      instance: this.name,
      pid: child.pid ?? 0,
      values,
      ...(steady === undefined ? {} : { steady }),
    });
    return values;
  }

  private hear(message: Told): void {
    if (message.type === 'sample') this.waiting.get(message.id)?.(message.values);
    else
      this.options.recorder.write({
        type: 'process',
        instance: this.name,
        event: message.type,
        wanted: false,
        detail: message.detail,
      });
  }
}

/** All clients have one address, and few users do much: such as reading everything back. */
const raised =
  'requests=100000/1,rooms=1000000/60,joins=1000000/60,typing=1000000/60,history=1000000/60,search=1000000/60,guests=1000000/60,allGuests=1000000/60,badTokens=1000000/60';

/** What a process needs of ours; none of the settings of Parley that may stand in our environment. */
function inherited(): Record<string, string> {
  const { PATH = '', HOME = '', TZ = '' } = process.env;
  return { PATH, HOME, TZ, NODE_ENV: 'production' };
}
