import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, run } from '../start/processes.js';
import { endWithUs } from './end-with-us.js';

export const HAPROXY_CONFIG = 'deploy/haproxy.cfg';

/** One instance as the balancer sees it. */
export interface Backend {
  name: string;
  /** `UP`, `DOWN`, `UP 1/2` … */
  status: string;
  /** Requests and WebSockets that are open now. */
  sessions: number;
  /** Those that there ever were. */
  total: number;
}

export interface Balancer {
  url: string;
  backends(): Promise<Backend[]>;
  output(): string;
  stop(): Promise<void>;
}

/** The program; tests that need it fail with a sentence that says so where it is missing. */
export function haproxyProgram(): string {
  const found = ['haproxy', '/usr/sbin/haproxy'].find((program) => spawnSync(program, ['-v']).status === 0);
  if (found === undefined) throw new Error('These tests need HAProxy: install the package haproxy.');
  return found;
}

/** What deploy/haproxy.cfg wants set. `instances`: three addresses, host:port. */
export function haproxyEnvironment(instances: readonly string[], bind: string, control: string): NodeJS.ProcessEnv {
  const [one, two, three] = instances;
  return {
    PATH: process.env['PATH'],
    BALANCER_BIND: bind,
    BALANCER_CONTROL: control,
    BALANCER_MAXCONN: '1000',
    PARLEY_1: one,
    PARLEY_2: two,
    PARLEY_3: three,
  };
}

/** The real HAProxy with the real configuration, on a free port of 127.0.0.1. `bindOptions` as for TLS: `ssl crt <file>`. */
export async function startBalancer(instances: readonly string[], bindOptions = ''): Promise<Balancer> {
  const dir = await mkdtemp(join(tmpdir(), 'parley-balancer-'));
  const control = join(dir, 'control');
  try {
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort();
      const env = haproxyEnvironment(instances, `127.0.0.1:${port} ${bindOptions}`.trim(), control);
      const [command, ...args] = endWithUs(haproxyProgram(), '-db', '-f', HAPROXY_CONFIG);
      const child = run(command, args, { env });
      const stop = async () => {
        child.child.kill('SIGTERM');
        await child.exited;
        await rm(dir, { recursive: true, force: true });
      };
      const ended = child.exited.then(() => true);
      const backends = async () => backendsOf(await ask(control, 'show stat'));
      const answers = () =>
        backends().then(
          () => true,
          () => false,
        );
      const up = eventually(answers, 'HAProxy answers').then(() => false);
      if (!(await Promise.race([up, ended]))) {
        return {
          url: `http${bindOptions ? 's' : ''}://127.0.0.1:${port}`,
          backends,
          output: () => child.output(),
          stop,
        };
      }
      up.catch(() => undefined);
      if (attempt === 5) throw new Error(`HAProxy did not start: ${child.output()}`);
    }
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

async function ask(control: string, command: string): Promise<string> {
  const socket = createConnection(control).setEncoding('utf8');
  await once(socket, 'connect');
  socket.end(`${command}\n`);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

function backendsOf(csv: string): Backend[] {
  const [header = '', ...lines] = csv.replace(/^# /, '').trim().split('\n');
  const names = header.split(',');
  return lines
    .map((line) => new Map(line.split(',').map((value, i) => [names[i] ?? '', value])))
    .filter((row) => row.get('pxname') === 'instances' && row.get('svname')?.startsWith('parley'))
    .map((row) => ({
      name: row.get('svname') ?? '',
      status: row.get('status') ?? '',
      sessions: Number(row.get('scur')),
      total: Number(row.get('stot')),
    }));
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
