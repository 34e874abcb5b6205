import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Connected, ConnectJob } from './load/connect-program.js';
import { cpuSeconds, pin, residentKib } from './machine.js';
import { startContender, tokensFor, type Backing, type Contender } from './servers/contenders.js';

const program = fileURLToPath(new URL('load/connect-program.ts', import.meta.url));
const typescript = fileURLToPath(new URL('../test/environment/typescript.mjs', import.meta.url));

const connections = 5_000;
/** What the collector needs at most to take what the connecting left behind, in ms. */
const SETTLE = 3_000;

/** W4: what it costs to come, and to be there and say nothing. */
export interface Connecting {
  connectsPerSecond: number;
  /** Of the server's processor time. */
  microsPerConnect: number;
  /** Memory of the process, after it was told to collect its garbage. */
  kibPerConnection: number;
}

/** Everybody came once before, so that users exist and the code is warm. */
export async function measureConnecting(contender: Contender, backing: Backing): Promise<Connecting> {
  const { servers } = await startContender(contender, backing);
  const pids = servers.map(({ pid }) => pid);
  const collected = async (): Promise<number> => {
    await Promise.all(servers.map((server) => server.collectGarbage()));
    return pids.reduce((sum, pid) => sum + residentKib(pid), 0);
  };
  const generator = fork(program, [], { execArgv: ['--no-warnings', '--import', typescript] });
  pin(generator.pid ?? 0, 'rest');
  try {
    const job: ConnectJob = {
      dialect: contender.dialect,
      urls: servers.map(({ url }) => url),
      tokens: await tokensFor(
        contender,
        Array.from({ length: connections }, (_, i) => `idle-${i}`),
      ),
    };
    const connect = async (): Promise<Connected> => {
      generator.send({ type: 'connect', job });
      return ((await once(generator, 'message')) as [Connected])[0];
    };
    await connect();
    generator.send({ type: 'close' });
    await once(generator, 'message');
    await pause(SETTLE);
    const before = { kib: await collected(), cpu: cpuSeconds(pids) };
    const { seconds } = await connect();
    const cpu = cpuSeconds(pids) - before.cpu;
    await pause(SETTLE);
    return {
      connectsPerSecond: connections / seconds,
      microsPerConnect: (cpu / connections) * 1e6,
      kibPerConnection: ((await collected()) - before.kib) / connections,
    };
  } finally {
    generator.kill();
    await Promise.all(servers.map((server) => server.stop()));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
