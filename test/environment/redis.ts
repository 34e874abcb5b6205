import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createClient } from 'redis';

const PROGRAMS = ['redis-server', 'valkey-server'];

export interface PrivateRedis {
  readonly url: string;
  stop(): Promise<void>;
  /** For tests of what happens when Redis fails: `SIGKILL`, `SIGSTOP`, `SIGCONT`. */
  kill(signal: NodeJS.Signals): void;
  /** After it was killed: a new, empty one at the same address. */
  restart(): Promise<void>;
}

/**
 * A private Redis in memory on a free port of 127.0.0.1, ended by `stop()` and, on Linux, with this process.
 * @param further arguments of the program
 */
export async function startRedis(further: readonly string[] = []): Promise<PrivateRedis> {
  const program = PROGRAMS.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
  if (!program) {
    throw new Error(
      'The tests need a Redis: install redis-server or valkey-server ("npm test" does it where it may), or set TEST_REDIS_URL to an empty one.',
    );
  }
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const started = await launch(program, port, further);
    if (typeof started !== 'string') return restartable(program, port, further, started);
    if (attempt === 5) throw new Error(`${program} did not start: ${started}`);
  }
}

type Running = Omit<PrivateRedis, 'restart'>;

function restartable(program: string, port: number, further: readonly string[], first: Running): PrivateRedis {
  let running = first;
  return {
    url: first.url,
    stop: () => running.stop(),
    kill: (signal) => running.kill(signal),
    restart: async () => {
      await running.stop();
      const next = await launch(program, port, further);
      if (typeof next === 'string') throw new Error(`Redis did not come back: ${next}`);
      running = next;
    },
  };
}

async function launch(program: string, port: number, further: readonly string[]): Promise<Running | string> {
  const dieWithUs = ['--pdeathsig', 'TERM', '--'];
  const prefix =
    spawnSync('setpriv', [...dieWithUs, 'true'], { stdio: 'ignore' }).status === 0 ? ['setpriv', ...dieWithUs] : [];
  const settings = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--daemonize',
    'no',
    ...further,
  ];
  const [command = program, ...args] = [...prefix, program, ...settings];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk).slice(-2_000));
  const exited = once(child, 'exit');
  const url = `redis://127.0.0.1:${port}`;
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', () => {
      if (/Ready to accept connections/.test(output)) resolve();
    });
  });
  const first = await Promise.race([ready, exited]);
  if (Array.isArray(first)) return output.trim().split('\n').at(-1) ?? 'it ended at once';
  await ping(url);
  child.unref();
  return {
    url,
    kill: (signal) => void child.kill(signal),
    stop: async () => {
      child.ref();
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function ping(url: string): Promise<void> {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on('error', () => undefined);
  await client.connect();
  await client.ping();
  client.destroy();
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
