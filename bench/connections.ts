import { pause } from '../verify/processes/program.js';
import { GeneratorProcess } from './generator-process.js';
import type { Connected, ConnectOrder } from './load/connect-program.js';
import { cpuSeconds, residentKib } from './machine.js';
import type { Backing } from './servers/backing.js';
import { tokensFor, withContender, type Contender } from './servers/contenders.js';
import type { ServerProcess } from './servers/server-process.js';

const connections = 5_000;
/** So many at a time come and go before anything is measured: few, because a process keeps the memory that it once had. */
const wave = 250;
/** What the collector needs at most to take what the connecting left behind, in ms. */
const SETTLE = 3_000;
/** How long the connections are left alone, in ms; each is pinged every 25 s. */
const IDLE = 10_000;

/** W4: what it costs to come, and to be there and say nothing. */
export interface Connecting {
  connectsPerSecond: number;
  /** Of the server's processor time. */
  microsPerConnect: number;
  /** Memory of the process, after it was told to collect its garbage. */
  kibPerConnection: number;
  /** Processor time of the server for each silent connection, in µs a second: pings, above all. */
  idleMicrosPerSecond: number;
}

/** Everybody came once before, a wave after the other, so that users exist and the code is warm. */
export function measureConnecting(contender: Contender, backing: Backing): Promise<Connecting> {
  return withContender(contender, backing, async ({ servers }) => {
    const generator = new GeneratorProcess<ConnectOrder, Connected>('load/connect-program.ts');
    try {
      return await connecting(contender, servers, (order) =>
        generator.ask(order, (told): told is Connected => 'seconds' in told),
      );
    } finally {
      await generator.stop();
    }
  });
}

async function connecting(
  contender: Contender,
  servers: readonly ServerProcess[],
  carryOut: (order: ConnectOrder) => Promise<Connected>,
): Promise<Connecting> {
  const pids = servers.map(({ pid }) => pid);
  const collected = async (): Promise<number> => {
    await Promise.all(servers.map((server) => server.collectGarbage()));
    return pids.reduce((sum, pid) => sum + residentKib(pid), 0);
  };
  const users = Array.from({ length: connections }, (_, i) => `idle-${i}`);
  const tokens = await tokensFor(contender, users);
  const connect = (from: number, to: number): Promise<Connected> => {
    const job = { dialect: contender.dialect, urls: servers.map(({ url }) => url), tokens: tokens.slice(from, to) };
    return carryOut({ type: 'connect', job });
  };
  for (let from = 0; from < connections; from += wave) {
    await connect(from, from + wave);
    await carryOut({ type: 'close' });
  }
  await pause(SETTLE);
  const before = await collected();
  const cpuBefore = cpuSeconds(pids);
  const { seconds } = await connect(0, connections);
  const cpuConnected = cpuSeconds(pids);
  await pause(SETTLE);
  const after = await collected();
  const cpuSettled = cpuSeconds(pids);
  await pause(IDLE);
  const micros = (cpu: number): number => (cpu / connections) * 1e6;
  return {
    connectsPerSecond: connections / seconds,
    microsPerConnect: micros(cpuConnected - cpuBefore),
    kibPerConnection: (after - before) / connections,
    idleMicrosPerSecond: micros(cpuSeconds(pids) - cpuSettled) / (IDLE / 1_000),
  };
}
