import { mkdtemp, mkdir, writeFile, copyFile } from 'node:fs/promises';
import { cpus, release, tmpdir, totalmem, type } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { loads, type LoadName } from './load/load.js';
import { Postgres } from './processes/postgres.js';
import { Redis } from './processes/redis.js';
import { markdown, rowPasses, summary, table, type RowReport } from './report/report.js';
import { rows } from './rows/index.js';
import { runRow } from './run-row.js';

const usage = `npm run verify -- [options]

  (nothing)        the quick set: the rows that every change has to pass, each under a small load
  --all            the whole matrix, under its full loads
  --row NAME       only rows whose name begins so; may be given several times; with --all under its full load
  --seed SEED      repeats a run's choices
  --seconds N      how long the load of each row lasts
  --load NAME      ${Object.keys(loads).join(', ')}, instead of the row's own
  --report DIR     writes report.md and its plots there
  --out DIR        keeps histories and logs there instead of in a temporary folder
  --server FILE    the built main.js to start; default dist/main.js
  --list           names the rows
`;

const { values: given } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    row: { type: 'string', multiple: true, default: [] },
    seed: { type: 'string' },
    seconds: { type: 'string' },
    load: { type: 'string' },
    report: { type: 'string' },
    out: { type: 'string' },
    server: { type: 'string', default: 'dist/main.js' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

// What was started ends with us; a Ctrl-C must not leave a Postgres behind.
const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => ending.abort());

process.exitCode = await main();

async function main(): Promise<number> {
  if (given.help) {
    console.log(usage);
    return 0;
  }
  const chosen = rows
    .filter(({ name }) => given.row.length === 0 || given.row.some((start) => name.startsWith(start)))
    .filter((row) => given.all || given.row.length > 0 || row.quick !== undefined);
  if (given.list) {
    for (const { name, title, quick } of chosen)
      console.log(`${name.padEnd(24)} ${quick === undefined ? '     ' : 'quick'}  ${title}`);
    return 0;
  }
  if (chosen.length === 0) throw new Error(`There is no row ${given.row.join(', ')}; --list names them.`);
  if (given.load !== undefined && !(given.load in loads)) throw new Error(`There is no load ${given.load}.`);

  const seed = given.seed ?? String(Math.floor(Math.random() * 1e9));
  const dir = given.out === undefined ? await mkdtemp(join(tmpdir(), 'parley-verify-')) : resolve(given.out);
  await mkdir(dir, { recursive: true });
  const startedAt = new Date().toISOString();
  console.log(`Seed ${seed}; histories and logs in ${dir}`);
  const postgres = await Postgres.start();
  const reports: RowReport[] = [];
  const versions = { node: process.version, postgres: await postgres.version, redis: Redis.version() };
  try {
    for (const row of chosen) {
      const since = performance.now();
      if (ending.signal.aborted) break;
      const report = await runRow(row, {
        ending: ending.signal,
        seed,
        quick: !given.all,
        seconds: given.seconds === undefined ? undefined : Number(given.seconds),
        load: given.load as LoadName | undefined,
        postgres,
        server: resolve(given.server),
        dir,
        versions,
        say: (line) => console.log(line),
      });
      reports.push(report);
      for (const line of summary(report)) console.log(`    ${line}`);
      const took = ((performance.now() - since) / 1_000).toFixed(0);
      console.log(
        `  ${rowPasses(report) ? 'passes' : 'FAILS'} after ${took} s, ${report.acknowledged} sends acknowledged`,
      );
    }
  } finally {
    await postgres.stop();
  }
  console.log(`\n${table(reports)}`);
  const text = markdown({
    startedAt,
    seed,
    command: ['npm run verify --', ...process.argv.slice(2)].join(' '),
    machine: {
      processor: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
      memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
      system: `${type()} ${release()}`,
    },
    versions,
    rows: reports,
  });
  await writeFile(join(dir, 'report.md'), text);
  if (given.report !== undefined) {
    await mkdir(given.report, { recursive: true });
    for (const { plot } of reports) if (plot !== undefined) await copyFile(join(dir, plot), join(given.report, plot));
    await writeFile(join(given.report, 'report.md'), text);
  }
  return reports.every(rowPasses) ? 0 : 1;
}
