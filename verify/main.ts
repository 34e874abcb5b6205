import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { cpus, release, tmpdir, totalmem, type } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { verifyDeployment } from './deployment.js';
import { loads, type LoadName } from './load/load.js';
import { markdown, rowPasses, table, type RowReport } from './report/report.js';
import { allKept } from './report/results.js';
import { rows } from './rows/index.js';
import { runRows } from './run-rows.js';

const usage = `npm run verify -- [options]

  (nothing)        the quick set: the rows that every change has to pass, each under a small load, two at a time
  --all            the whole matrix, under its full loads, one row at a time
  --row NAME       only rows whose name begins so; may be given several times; with --all under its full load
  --seed SEED      repeats a run's choices
  --seconds N      how long the load of each row lasts
  --load NAME      ${Object.keys(loads).join(', ')}, instead of the row's own
  --lanes N        how many rows run at the same time
  --within MINUTES no row begins after so long; those that did not are named
  --out DIR        keeps results, histories and logs there instead of in a temporary folder
  --report DIR     writes report.md and its plots there: of every row that has a result in the --out folder
  --server FILE    the built main.js to start; default dist/main.js
  --previous FILE  the built main.js of an earlier version, for the rows that mix versions
  --adapter KIND   classic or sharded: how the instances tell each other of changes; default classic
  --list           names the rows

npm run verify -- --url URL [--url URL …] [--seconds 120] [--load L1] [--seed SEED] [--out DIR] [--report DIR]

  The same load and checks against a deployment of your own, which you may break meanwhile. Its clients are guests, or users
  whose tokens are signed with the JWT_SECRET of the environment. Rooms that it made stay behind, empty of members.
`;

const { values: given } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    row: { type: 'string', multiple: true, default: [] },
    seed: { type: 'string' },
    seconds: { type: 'string' },
    load: { type: 'string' },
    lanes: { type: 'string' },
    within: { type: 'string' },
    report: { type: 'string' },
    out: { type: 'string' },
    server: { type: 'string', default: 'dist/main.js' },
    previous: { type: 'string' },
    adapter: { type: 'string', default: 'classic' },
    list: { type: 'boolean', default: false },
    url: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', default: false },
  },
});

const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => ending.abort());

process.exitCode = await main();

async function main(): Promise<number> {
  if (given.help) {
    console.log(usage);
    return 0;
  }
  const seed = given.seed ?? String(Math.floor(Math.random() * 1e9));
  if (given.load !== undefined && !(given.load in loads)) throw new Error(`There is no load ${given.load}.`);
  if (given.url.length > 0) return ofDeployment(seed);
  const chosen = rows
    .filter(({ name }) => given.row.length === 0 || given.row.some((start) => name.startsWith(start)))
    .filter((row) => given.all || given.row.length > 0 || row.quick !== undefined);
  if (given.list) {
    for (const { name, title, quick } of chosen)
      console.log(`${name.padEnd(24)} ${quick === undefined ? '     ' : 'quick'}  ${title}`);
    return 0;
  }
  if (chosen.length === 0) throw new Error(`There is no row ${given.row.join(', ')}; --list names them.`);
  if (given.adapter !== 'classic' && given.adapter !== 'sharded')
    throw new Error(`There is no adapter ${given.adapter}.`);
  const lanes = Number(given.lanes ?? (given.all ? 1 : 2));
  if (!(lanes >= 1)) throw new Error(`--lanes ${given.lanes} is no number of rows.`);

  const dir = await folder(seed);
  const reports = await runRows(chosen, {
    dir,
    seed,
    lanes,
    until: performance.now() + Number(given.within ?? Infinity) * 60_000,
    quick: !given.all,
    seconds: given.seconds === undefined ? undefined : Number(given.seconds),
    load: given.load as LoadName | undefined,
    server: resolve(given.server),
    previous: given.previous === undefined ? undefined : resolve(given.previous),
    adapter: given.adapter,
    versions: versions(),
    ending: ending.signal,
  });
  console.log(`\n${table(reports)}\n`);
  await report(dir, sorted(await allKept(dir)));
  const passed = reports.filter(rowPasses).length;
  const unbegun = ending.signal.aborted ? [] : chosen.filter(({ name }) => reports.every(({ row }) => row !== name));
  if (unbegun.length > 0)
    console.log(`Not begun within ${given.within} minutes: ${unbegun.map(({ name }) => name).join(', ')}`);
  const idle = unbegun.length + reports.filter(({ notRun }) => notRun !== undefined).length;
  const failed = chosen.length - passed - idle;
  console.log(`${passed} passed, ${failed} failed${idle === 0 ? '' : `, ${idle} did not run`}`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

async function ofDeployment(seed: string): Promise<number> {
  const dir = await folder(seed);
  const result = await verifyDeployment({
    urls: given.url,
    jwtSecret: process.env['JWT_SECRET'],
    seed,
    seconds: Number(given.seconds ?? 120),
    load: (given.load ?? 'L1') as LoadName,
    dir,
    versions: versions(),
  });
  console.log(`\n${table([result])}\n`);
  await report(dir, [result]);
  console.log(rowPasses(result) ? '1 passed, 0 failed' : '0 passed, 1 failed');
  return rowPasses(result) ? 0 : 1;
}

async function folder(seed: string): Promise<string> {
  const dir = given.out === undefined ? await mkdtemp(join(tmpdir(), 'parley-verify-')) : resolve(given.out);
  await mkdir(dir, { recursive: true });
  console.log(`Seed ${seed}; results, histories and logs in ${dir}`);
  return dir;
}

/** In the order of the matrix. */
function sorted(reports: readonly RowReport[]): RowReport[] {
  return rows.flatMap(({ name }) => reports.filter(({ row }) => row === name));
}

async function report(dir: string, reports: RowReport[]): Promise<void> {
  const text = markdown({
    machine: {
      processor: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
      memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
      system: `${type()} ${release()}`,
    },
    rows: reports,
  });
  await writeFile(join(dir, 'report.md'), text);
  if (given.report === undefined) return;
  await mkdir(given.report, { recursive: true });
  await Promise.all(reports.flatMap(({ plot }) => (plot === undefined ? [] : [copyPlot(dir, plot)])));
  await writeFile(join(given.report, 'report.md'), text);
}

function copyPlot(dir: string, plot: string): Promise<void> {
  return copyFile(join(dir, plot), join(given.report ?? dir, plot));
}

/** Of what the figures depend on; Postgres and Redis tell theirs when they run. */
function versions(): Record<string, string> {
  const require = createRequire(import.meta.url);
  const of = (name: string) => (require(`${name}/package.json`) as { version: string }).version;
  return { parley: commit(), node: process.version, 'socket.io': of('socket.io'), adapter: given.adapter };
}

/** The commit of this checkout; says so where something in it is not committed. */
function commit(): string {
  try {
    const cwd = fileURLToPath(new URL('..', import.meta.url));
    return execFileSync('git', ['describe', '--always', '--dirty', '--exclude=*'], { cwd, encoding: 'utf8' }).trim();
  } catch {
    return (createRequire(import.meta.url)('../package.json') as { version: string }).version;
  }
}
