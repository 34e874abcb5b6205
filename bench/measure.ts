import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Job, Outcome, Told } from './load/job.js';
import { cpuSeconds, familyOf, pin } from './machine.js';
import { tokensFor, type Backing, type Contender } from './servers/contenders.js';
import type { ServerProcess } from './servers/server-process.js';
import { shared, type Workload } from './workloads.js';

const program = fileURLToPath(new URL('load/program.ts', import.meta.url));
const typescript = fileURLToPath(new URL('../test/environment/typescript.mjs', import.meta.url));

/** What one workload came to on one server in one round. Processor use is in processors, over the measured time. */
export interface Figures extends Outcome {
  serverCpu: number;
  postgresCpu: number;
  /** Of the server's processor time, in µs. */
  microsPerDelivery: number;
}

export interface Measurement {
  contender: Contender;
  servers: readonly ServerProcess[];
  backing: Backing;
  workload: Workload;
  pace: Job['pace'];
}

/** Runs one workload on a server that stands. @throws when the load could not be set up */
export async function measure({ contender, servers, backing, workload, pace }: Measurement): Promise<Figures> {
  const { rooms, members, senders, name } = workload;
  const users = Array.from({ length: rooms * members }, (_, i) => `${name}-${i}`);
  const job: Job = {
    dialect: contender.dialect,
    urls: servers.map(({ url }) => url),
    tokens: await tokensFor(contender, users),
    rooms,
    members,
    senders,
    pace,
    ...shared,
  };
  const generator = fork(program, [], { execArgv: ['--no-warnings', '--import', typescript] });
  pin(generator.pid ?? 0, 'rest');
  const times = (): { at: number; server: number; postgres: number } => ({
    at: performance.now(),
    server: cpuSeconds(servers.map(({ pid }) => pid)),
    postgres: cpuSeconds(familyOf(backing.postgres.pids()[0] ?? 0)),
  });
  let begin = times();
  let end = begin;
  let outcome: Outcome | undefined;
  generator.on('message', (told: Told) => {
    if (told.type === 'begin') begin = times();
    else if (told.type === 'end') end = times();
    else outcome = told.outcome;
  });
  const ended = once(generator, 'exit');
  generator.send(job);
  await ended;
  if (outcome === undefined) throw new Error(`${contender.name}: the load ${name} was not carried out`);
  const seconds = (end.at - begin.at) / 1_000;
  const server = end.server - begin.server;
  return {
    ...outcome,
    serverCpu: server / seconds,
    postgresCpu: (end.postgres - begin.postgres) / seconds,
    microsPerDelivery: (server / seconds / outcome.deliveriesPerSecond) * 1e6,
  };
}
