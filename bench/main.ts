import { cpus, release, type } from 'node:os';
import { parseArgs } from 'node:util';
import { Redis } from '../verify/processes/redis.js';
import { curves, type CurveName } from './curves.js';
import { canPin } from './machine.js';
import { measureReading } from './reading.js';
import { reportOf, writeReport } from './report.js';
import { noResults, readResults, writeResults, type Results } from './results.js';
import { runConnecting, runLoads } from './rounds.js';
import { withBacking, type Backing } from './servers/backing.js';
import { buildOf, contenders } from './servers/contenders.js';
import { windows, workloads } from './workloads.js';

const curveNames = Object.keys(curves) as CurveName[];

const usage = `npm run bench -- [options]

  Starts each server in turn, in every round anew, gives each the same loads, and prints medians of the rounds and their
  ratios to the first server, bare Socket.IO. Without a choice it runs all workloads: about an hour.

  --rounds N        how many rounds; default 3
  --workload NAME   only this workload, or all of its kind (W1, W1-10); may be given several times
  --server NAME     only this server beside P1, or this line of a curve; may be given several times
  --build DIR       beside them Parley as it was built in another checkout; may be given several times
  --curves          only the curves: ${curveNames.join(', ')}
  --curve NAME      only this curve; may be given several times
  --messages N      how many messages W5 and the curve of rows store at most; default 10000000
  --report DIR      writes figures.json, report.md and its plots there. What is in figures.json already and was not
                    measured now stays. Without a choice it runs all workloads and all curves
  --only-report     measures nothing
  --list            names workloads and servers
`;

const connecting = { name: 'W4', title: '5,000 connections come, and are there and silent' };
const reading = { name: 'W5', title: 'reading, and sending, where ten million messages are stored' };

const { values: given } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    workload: { type: 'string', multiple: true, default: [] },
    server: { type: 'string', multiple: true, default: [] },
    build: { type: 'string', multiple: true, default: [] },
    curves: { type: 'boolean', default: false },
    curve: { type: 'string', multiple: true, default: [] },
    messages: { type: 'string', default: '10000000' },
    report: { type: 'string' },
    'only-report': { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const rounds = Number(given.rounds);
const messages = Number(given.messages);
if (given.help || !Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(messages) || messages < 10_000) {
  console.log(usage);
  process.exitCode = given.help ? 0 : 1;
} else if (given.list) {
  for (const { name, title } of [...workloads, connecting, reading, ...contenders])
    console.log(`${name.padEnd(14)} ${title}`);
} else await run();

async function run(): Promise<void> {
  const names = (each: readonly { name: string }[]): string[] => each.map(({ name }) => name);
  check('workload', given.workload, names([...workloads, connecting, reading]));
  check('server', given.server, [...names(contenders), 'classic', 'sharded']);
  check('curve', given.curve, curveNames);
  const results = given.report === undefined ? noResults() : await readResults(given.report);
  if (!given['only-report']) await withBacking((backing) => measureAll(backing, results));
  console.log(`\n${reportOf(results)}`);
  if (given.report !== undefined) await writeReport(given.report, results);
}

/** What was measured stands in the results, and in their file, as soon as it has been. */
async function measureAll(backing: Backing, results: Results): Promise<void> {
  const machine = machineOf(await backing.postgres.version);
  const done = async (...parts: string[]): Promise<void> => {
    for (const part of parts) results.measured[part] = `${new Date().toISOString().slice(0, 16)}Z, ${machine}`;
    if (given.report !== undefined) await writeResults(given.report, results);
  };
  const [first, ...others] = contenders;
  const compared = [
    ...(first === undefined ? [] : [first]),
    ...chosen(others, given.server),
    ...given.build.map(buildOf),
  ];
  const onlyCurves = (given.curves || given.curve.length > 0) && given.workload.length === 0;
  const wanted = onlyCurves ? [] : chosen([...workloads, connecting, reading], given.workload);
  const loads = workloads.filter((workload) => wanted.includes(workload));
  if (loads.length > 0) {
    Object.assign(results.loads, await runLoads({ rounds, compared, backing }, loads, windows.full));
    await done(...loads.map(({ name }) => name));
  }
  if (wanted.includes(connecting)) {
    results.connecting = await runConnecting({ rounds, compared, backing });
    await done(connecting.name);
  }
  if (wanted.includes(reading)) {
    results.reading = await measureReading(backing, messages);
    await done(reading.name);
  }
  const wants = (server: string): boolean => given.server.length === 0 || given.server.includes(server);
  for (const name of chosenCurves()) {
    const points = await curves[name]({
      backing,
      say: (line) => console.log(line),
      messages,
      wants,
      reading: wanted.includes(reading) ? results.reading : undefined,
    });
    const kept = results.curves[name]?.filter(({ server }) => points.every((point) => point.server !== server)) ?? [];
    if (points.length === 0) continue;
    results.curves[name] = [...kept, ...points];
    await done(`curve of ${name}`);
  }
}

function chosen<T extends { name: string }>(all: readonly T[], names: readonly string[]): T[] {
  return all.filter(({ name }) => names.length === 0 || names.some((wanted) => isMeant(name, wanted)));
}

function isMeant(name: string, wanted: string): boolean {
  return name === wanted || name.startsWith(`${wanted}-`);
}

/** @throws when something was asked for that there is not, instead of measuring less than was wanted */
function check(what: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((wanted) => !known.some((name) => isMeant(name, wanted)));
  if (unknown !== undefined) throw new Error(`There is no ${what} ${unknown}: there are ${known.join(', ')}.`);
}

function chosenCurves(): CurveName[] {
  const all = given.curves || (given.report !== undefined && given.workload.length + given.curve.length === 0);
  return curveNames.filter((name) => all || given.curve.includes(name));
}

function machineOf(postgres: string): string {
  const [cpu] = cpus();
  const pinned = canPin ? 'servers have one, the generator, Postgres and Redis the other' : 'nothing is pinned';
  return (
    `${type()} ${release()}, ${cpus().length} × ${cpu?.model ?? 'unknown'} (${pinned}), Node ${process.version}, ` +
    `Postgres ${postgres}, Redis ${Redis.version()}, ${rounds} rounds`
  );
}
