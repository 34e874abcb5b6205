import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, release, type } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Postgres } from '../verify/processes/postgres.js';
import { Redis } from '../verify/processes/redis.js';
import type { Job } from './load/job.js';
import { canPin, pin } from './machine.js';
import { measure, type Figures } from './measure.js';
import { tables, type Results } from './report.js';
import { contenders, startContender, type Backing, type Contender } from './servers/contenders.js';
import { workloads, type Workload } from './workloads.js';

const usage = `npm run bench -- [options]

  Starts each server in turn, in every round anew, gives each the same loads, and prints medians of the rounds and their
  ratios to the first server, bare Socket.IO.

  --rounds N        how many rounds; default 3
  --workload NAME   only this workload, or all of its kind (W1, W1-10); may be given several times
  --server NAME     only this server beside P1; may be given several times
  --out DIR         writes report.md and figures.json there
  --list            names workloads and servers
`;

const { values: given } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    workload: { type: 'string', multiple: true, default: [] },
    server: { type: 'string', multiple: true, default: [] },
    out: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const rounds = Number(given.rounds);
if (given.help || !Number.isInteger(rounds) || rounds < 1) {
  console.log(usage);
  process.exitCode = given.help ? 0 : 1;
} else if (given.list) {
  for (const { name, title } of [...workloads, ...contenders]) console.log(`${name.padEnd(14)} ${title}`);
} else await run();

async function run(): Promise<void> {
  const [first, ...others] = contenders;
  const compared = [first, ...chosen(others, given.server)].filter((each) => each !== undefined);
  const loads = chosen(workloads, given.workload);
  const results: Results = { contenders: compared, workloads: loads, figures: new Map() };
  const backing = { postgres: await Postgres.start(), redis: await Redis.start() };
  try {
    for (const pid of [...backing.postgres.pids(), backing.redis.pid]) pin(pid, 'rest');
    for (let round = 1; round <= rounds; round++) {
      console.log(`\nRound ${round} of ${rounds}`);
      for (const contender of compared) await oneRound(contender, loads, backing, results);
    }
    const report = `${machine(await backing.postgres.version)}\n\n${tables(results)}`;
    console.log(`\n${report}`);
    if (given.out !== undefined) {
      await mkdir(given.out, { recursive: true });
      await writeFile(join(given.out, 'report.md'), report);
      await writeFile(join(given.out, 'figures.json'), JSON.stringify([...results.figures], null, 2));
    }
  } finally {
    await backing.postgres.stop();
    await backing.redis.kill();
  }
}

async function oneRound(
  contender: Contender,
  loads: readonly Workload[],
  backing: Backing,
  { figures }: Results,
): Promise<void> {
  const { servers } = await startContender(contender, backing);
  try {
    for (const workload of loads) {
      const pace = paceOf(workload, figures);
      const measured = await measure({ contender, servers, backing, workload, pace });
      const key = `${workload.name} ${contender.name}`;
      figures.set(key, [...(figures.get(key) ?? []), measured]);
      const { deliveriesPerSecond, deliveryP50, deliveryP99, serverCpu, generatorCpu, lost, doubled } = measured;
      console.log(
        `  ${contender.name.padEnd(11)} ${workload.name.padEnd(14)} ${Math.round(deliveriesPerSecond)} deliveries/s, ` +
          `p50 ${deliveryP50.toFixed(1)} ms, p99 ${deliveryP99.toFixed(1)} ms, server ${serverCpu.toFixed(2)}, ` +
          `generator ${generatorCpu.toFixed(2)}, lost ${lost}, doubled ${doubled}`,
      );
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/** Half of what the first server did in this round. @throws when it was not measured */
function paceOf({ pace, name }: Workload, figures: ReadonlyMap<string, Figures[]>): Job['pace'] {
  if (pace.kind !== 'half-of-first') return pace;
  const most = figures.get(`${pace.of} ${contenders[0]?.name ?? ''}`)?.at(-1)?.sendsPerSecond;
  if (most === undefined) throw new Error(`${name} needs ${pace.of} to be measured as well`);
  return { kind: 'open', perSecond: most / 2 };
}

function chosen<T extends { name: string }>(all: readonly T[], names: readonly string[]): T[] {
  return all.filter(
    ({ name }) => names.length === 0 || names.some((wanted) => name === wanted || name.startsWith(`${wanted}-`)),
  );
}

function machine(postgres: string): string {
  const [cpu] = cpus();
  const pinned = canPin ? 'the server has one, the generator, Postgres and Redis share the other' : 'nothing is pinned';
  return (
    `${type()} ${release()}, ${cpus().length} × ${cpu?.model ?? 'unknown'}: ${pinned}. Node ${process.version}, ` +
    `Postgres ${postgres}, Redis ${Redis.version()}. Medians of ${rounds} rounds.`
  );
}
