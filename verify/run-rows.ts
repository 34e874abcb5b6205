import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CheckName } from './checks/index.js';
import { rowPasses, summary, verdictOf, type RowReport } from './report/report.js';
import { forget, kept } from './report/results.js';
import type { RowOrder } from './row-process.js';
import type { Row } from './rows/index.js';

const program = fileURLToPath(new URL('./row-process.ts', import.meta.url));

/** Arriving, resources that come back, and answers: each within a time. */
const ofTime = new Set<CheckName>(['C8', 'C11', 'C13']);

export interface RunOptions extends Omit<RowOrder, 'row'> {
  /** Rows that run at the same time. More than one makes no figure better, but the whole shorter. */
  lanes: number;
  /** No row begins after this moment, by `performance.now()`. */
  until: number;
  ending: AbortSignal;
}

/** Runs rows, each in a process of its own, and says what came of each. What they leave stands in `dir`. */
export async function runRows(
  rows: readonly Row[],
  { lanes, until, ending, ...order }: RunOptions,
): Promise<RowReport[]> {
  const waiting = [...rows];
  const reports = new Map<string, RowReport>();
  const lane = async (): Promise<void> => {
    while (!ending.aborted && performance.now() < until) {
      const row = waiting.shift();
      if (row === undefined) return;
      const since = performance.now();
      const report = await runOne(row, order, ending);
      reports.set(row.name, report);
      say(report, (performance.now() - since) / 1_000);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  if (lanes > 1) {
    // What was too slow beside another row is asked again alone.
    waiting.push(...rows.filter(({ name }) => onlyTooSlow(reports.get(name))));
    if (waiting.length > 0) console.log(`\nAgain, one at a time: ${waiting.map(({ name }) => name).join(', ')}`);
    await lane();
  }
  return rows.flatMap(({ name }) => reports.get(name) ?? []);
}

async function runOne(row: Row, order: Omit<RowOrder, 'row'>, ending: AbortSignal): Promise<RowReport> {
  await forget(order.dir, row.name);
  const child = fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const end = () => child.kill('SIGTERM');
  ending.addEventListener('abort', end);
  const code = await serve(child, { ...order, row: row.name });
  ending.removeEventListener('abort', end);
  const failure = `its process ended with ${code} and left no result`;
  return (await kept(order.dir, row.name)) ?? broken(row, order, failure);
}

async function serve(child: ChildProcess, order: RowOrder): Promise<number | string> {
  child.once('message', () => child.send(order));
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return code ?? signal ?? 'nothing';
}

function broken(row: Row, { seed, quick, versions }: Omit<RowOrder, 'row'>, failure: string): RowReport {
  const run = { startedAt: new Date().toISOString(), seed, quick, versions };
  const nothing = { acknowledged: 0, delivered: 0, seconds: 0, results: [], figures: [], notes: [] };
  return { row: row.name, title: row.title, load: row.load, run, failure, ...nothing };
}

/** Whether it kept every promise but those of time. */
function onlyTooSlow(report: RowReport | undefined): boolean {
  if (
    report === undefined ||
    report.notRun !== undefined ||
    report.failure !== undefined ||
    report.foundBy !== undefined
  )
    return false;
  return !rowPasses(report) && report.results.every(({ check, ok }) => ok || ofTime.has(check));
}

function say(report: RowReport, seconds: number): void {
  const lines = [
    `${report.row}: ${report.title}`,
    ...summary(report).map((line) => `    ${line}`),
    `  ${verdictOf(report)} after ${seconds.toFixed(0)} s, ${report.acknowledged} sends acknowledged`,
  ];
  console.log(lines.join('\n'));
}
