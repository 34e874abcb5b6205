import { pause } from '../verify/processes/program.js';
import { GeneratorProcess } from './generator-process.js';
import type { Connected, ConnectOrder } from './load/connect-program.js';
import { cpuSeconds, residentKib } from './machine.js';
import type { Backing } from './servers/backing.js';
import { tokensFor, withContender, type Contender } from './servers/contenders.js';
import type { ServerProcess } from './servers/server-process.js';

const connections = 5_000;
/** They come then, and what they add is what a connection takes. */
const more = 2_500;
/** So many at a time come and go before anything is measured: few, because a process keeps the memory that it once had. */
const wave = 250;
/** How long what the connecting set off may take, in ms. */
const SETTLE = 3_000;
/** How long the connections are left alone, in ms; each is pinged every 25 s. */
const IDLE = 10_000;

/** W4: what it costs to come, and to be there and say nothing. */
export interface Connecting {
  connectsPerSecond: number;
  /** Of the server's processor time. */
  microsPerConnect: number;
  /** What the heap and its buffers grow by, garbage collected. */
  heapKibPerConnection: number;
  /** What the process grew by, from its start on, with what it keeps of the memory that the connecting needed for a moment. */
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
  const resident = (): number => pids.reduce((sum, pid) => sum + residentKib(pid), 0);
  const heap = async (): Promise<number> => {
    const sizes = await Promise.all(servers.map((server) => server.heapBytes()));
    return sizes.reduce((sum, bytes) => sum + bytes, 0);
  };
  const users = Array.from({ length: connections + more }, (_, i) => `idle-${i}`);
  const tokens = await tokensFor(contender, users);
  const connect = (from: number, to: number): Promise<Connected> => {
    const job = { dialect: contender.dialect, urls: servers.map(({ url }) => url), tokens: tokens.slice(from, to) };
    return carryOut({ type: 'connect', job });
  };
  const residentBefore = resident();
  for (let from = 0; from < connections; from += wave) {
    await connect(from, from + wave);
    await carryOut({ type: 'close' });
  }
  await pause(SETTLE);
  const cpuBefore = cpuSeconds(pids);
  const { seconds } = await connect(0, connections);
  const cpuConnected = cpuSeconds(pids);
  await pause(SETTLE);
  const cpuSettled = cpuSeconds(pids);
  await pause(IDLE);
  const cpuIdle = cpuSeconds(pids) - cpuSettled;
  // Last, for who collects so thoroughly has to compile his code anew.
  const heapBefore = await heap();
  await connect(connections, connections + more);
  await pause(SETTLE);
  const grown = (await heap()) - heapBefore;
  const micros = (cpu: number): number => (cpu / connections) * 1e6;
  return {
    connectsPerSecond: connections / seconds,
    microsPerConnect: micros(cpuConnected - cpuBefore),
    heapKibPerConnection: grown / more / 1_024,
    kibPerConnection: (resident() - residentBefore) / (connections + more),
    idleMicrosPerSecond: micros(cpuIdle) / (IDLE / 1_000),
  };
}
