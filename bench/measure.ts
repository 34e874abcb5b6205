import { GeneratorProcess } from './generator-process.js';
import type { Job, Outcome, Told } from './load/job.js';
import { cpuSeconds, familyOf } from './machine.js';
import type { Backing } from './servers/backing.js';
import { tokensFor, type Contender } from './servers/contenders.js';
import type { ServerProcess } from './servers/server-process.js';
import { textLength, type Windows, type Workload } from './workloads.js';

/** What one workload came to on one server in one round. Processor use is in processors, over the measured time. */
export interface Figures extends Outcome {
  serverCpu: number;
  postgresCpu: number;
  redisCpu: number;
  /** Of the server's processor time, in µs. */
  microsPerDelivery: number;
  /** Transactions that Postgres committed: one for all sends that were stored together. */
  commitsPerSecond: number;
  /** What was published on Redis, and what it wrote to all who listen, in bytes. */
  publishesPerSecond: number;
  redisBytesPerSecond: number;
}

export interface Measurement {
  contender: Contender;
  servers: readonly ServerProcess[];
  backing: Backing;
  databaseUrl: string;
  workload: Workload;
  pace: Job['pace'];
  windows: Windows;
}

/** Runs one workload on a server that stands. @throws when the load could not be set up or was not carried out */
export async function measure(measurement: Measurement): Promise<Figures> {
  const { contender, workload, pace, windows } = measurement;
  const generator = new GeneratorProcess<Job, Told>('load/program.ts');
  try {
    const job = await jobOf(measurement);
    const counted: { begin?: Promise<Counts>; end?: Promise<Counts> } = {};
    const { outcome } = await generator.ask(job, isOutcome, ({ type }) => {
      if (type === 'outcome') return;
      const taken = counts(measurement);
      // It is awaited below, or not at all where the generator fails first.
      taken.catch(() => undefined);
      counted[type] = taken;
    });
    return figures(outcome, await counted.begin, await counted.end);
  } catch (error) {
    const { kind } = pace;
    throw new Error(`${contender.name}: ${workload.name} (${kind}, ${windows.lengthMs} ms) failed`, { cause: error });
  } finally {
    await generator.stop();
  }
}

async function jobOf({ contender, servers, workload, pace, windows }: Measurement): Promise<Job> {
  const { users, rooms, churn, name } = workload;
  const tokens = (count: number, kind: string): Promise<string[]> =>
    tokensFor(
      contender,
      Array.from({ length: count }, (_, i) => `${name}-${kind}-${i}`),
    );
  return {
    dialect: contender.dialect,
    urls: servers.map(({ url }) => url),
    tokens: await tokens(users, 'user'),
    rooms,
    pace,
    textLength,
    ...windows,
    ...(churn === undefined ? {} : { churn: { ...churn, tokens: await tokens(churn.users, 'churner') } }),
  };
}

const isOutcome = (told: Told): told is Told & { type: 'outcome' } => told.type === 'outcome';

interface Counts {
  at: number;
  server: number;
  postgres: number;
  redis: number;
  commits: number;
  publishes: number;
  redisBytes: number;
}

async function counts({ servers, backing, databaseUrl }: Measurement): Promise<Counts> {
  const { postgres, redis } = backing;
  const now = {
    at: performance.now(),
    server: cpuSeconds(servers.map(({ pid }) => pid)),
    postgres: cpuSeconds(familyOf(postgres.pids()[0] ?? 0)),
    redis: cpuSeconds([redis.pid]),
  };
  const client = await redis.client();
  const info = await client.info('everything');
  await client.close();
  const [row] = await postgres.query<{ commits: string }>(
    'select xact_commit as commits from pg_stat_database where datname = $1',
    [new URL(databaseUrl).pathname.slice(1)],
  );
  return {
    ...now,
    commits: Number(row?.commits ?? NaN),
    publishes: calls(info, 'publish') + calls(info, 'spublish'),
    redisBytes: Number(/^total_net_output_bytes:(\d+)/m.exec(info)?.[1] ?? NaN),
  };
}

function calls(info: string, command: string): number {
  return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}

/** @throws when the generator did not tell when the measured time began and ended */
function figures(outcome: Outcome, begin: Counts | undefined, end: Counts | undefined): Figures {
  if (begin === undefined || end === undefined) throw new Error('The measured time has no beginning or no end');
  const seconds = (end.at - begin.at) / 1_000;
  const rate = (of: keyof Counts): number => (end[of] - begin[of]) / seconds;
  return {
    ...outcome,
    serverCpu: rate('server'),
    postgresCpu: rate('postgres'),
    redisCpu: rate('redis'),
    microsPerDelivery: (rate('server') / outcome.deliveriesPerSecond) * 1e6,
    commitsPerSecond: rate('commits'),
    publishesPerSecond: rate('publishes'),
    redisBytesPerSecond: rate('redisBytes'),
  };
}
