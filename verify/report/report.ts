import type { CheckName, CheckResult } from '../checks/index.js';
import { checkTitles } from '../checks/index.js';

/** One figure of a row; with a `limit`, the row fails above it. */
export interface Figure {
  name: string;
  value: number;
  unit: 'ms' | 's' | '%' | 'MiB' | '×' | '';
  /** The most that passes; for `atLeast` figures the least. */
  limit?: number;
  atLeast?: boolean;
}

/** What a row needs to be run again, and what it ran on. */
export interface Run {
  startedAt: string;
  seed: string;
  /** A row of the quick set, under its small load. */
  quick: boolean;
  versions: Record<string, string>;
}

export interface RowReport {
  row: string;
  run: Run;
  title: string;
  load: string;
  seconds: number;
  acknowledged: number;
  delivered: number;
  results: CheckResult[];
  figures: Figure[];
  /** What the run cannot say in a figure; why it did not run, if it did not. */
  notes: string[];
  /** The checks that have to fail: the instances ran with a bug, to see that it is found. */
  foundBy?: CheckName[];
  /** Why it did not run to its end. */
  failure?: string;
  /** Why it did not run at all: neither passed nor failed. */
  notRun?: string;
  /** The file of its plot, beside the report. */
  plot?: string;
}

export interface RunReport {
  machine: Record<string, string>;
  rows: RowReport[];
}

export function figurePasses({ value, limit, atLeast }: Figure): boolean {
  if (limit === undefined) return true;
  // A figure that could not be taken has not been met.
  return atLeast === true ? value >= limit : value <= limit;
}

export function rowPasses(row: RowReport): boolean {
  if (row.failure !== undefined) return false;
  if (row.foundBy !== undefined)
    return row.foundBy.every((check) => row.results.some((result) => result.check === check && !result.ok));
  return row.results.length > 0 && row.results.every(({ ok }) => ok) && row.figures.every(figurePasses);
}

/** What became of it, in a word or two. */
export function verdictOf(row: RowReport): 'passes' | 'FAILS' | 'did not run' {
  if (row.notRun !== undefined) return 'did not run';
  return rowPasses(row) ? 'passes' : 'FAILS';
}

const amount = (value: number): string => value.toLocaleString('en-GB', { maximumFractionDigits: 0 });

function shown({ value, unit }: Figure, of = value): string {
  if (Number.isNaN(of)) return '–';
  const digits = of >= 100 || Number.isInteger(of) ? 0 : of >= 10 ? 1 : 2;
  return `${of.toLocaleString('en-GB', { minimumFractionDigits: 0, maximumFractionDigits: digits })}${unit === '' || unit === '×' || unit === '%' ? unit && ` ${unit}` : ` ${unit}`}`;
}

function sentence(figure: Figure): string {
  const bound =
    figure.limit === undefined ? '' : ` (${figure.atLeast === true ? '≥' : '≤'} ${shown(figure, figure.limit)})`;
  return `${figurePasses(figure) ? '' : '✗ '}${figure.name} ${shown(figure)}${bound}`;
}

/** For the terminal: a line a row, and below it what went wrong. */
export function table(rows: readonly RowReport[]): string {
  const head = ['row', 'load', 'acknowledged', 'delivered', 'violated', ''];
  const lines = rows.map((row) => [
    row.row,
    row.load,
    amount(row.acknowledged),
    amount(row.delivered),
    row.results
      .filter(({ ok }) => !ok)
      .map(({ check }) => check)
      .join(' ') || (row.notRun === undefined ? 'none' : '–'),
    verdictOf(row),
  ]);
  const widths = head.map((cell, i) => Math.max(cell.length, ...lines.map((line) => line[i]?.length ?? 0)));
  const text = (cells: string[]) =>
    cells
      .map((cell, i) => (i === 2 || i === 3 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  const details = rows.flatMap((row) => ['', `${row.row}  ${row.title}`, ...summary(row).map((line) => `    ${line}`)]);
  return [text(head), text(widths.map((width) => '─'.repeat(width))), ...lines.map(text), ...details].join('\n');
}

/** What a row has to say beyond its verdict: its figures, its notes, and where checks were violated. */
export function summary(row: RowReport): string[] {
  const broken = row.results.filter(({ ok }) => !ok);
  return [...row.figures.map(sentence), ...verdictNotes(row), ...broken.flatMap(complaint)];
}

function verdictNotes({ notes, failure, foundBy, notRun }: RowReport): string[] {
  return [
    ...(notRun === undefined ? [] : [`It did not run: ${notRun}`]),
    ...(failure === undefined ? [] : [`It did not run to its end: ${failure}`]),
    ...(foundBy === undefined
      ? []
      : [`The instances ran with a bug that ${foundBy.join(', ')} must find: the row passes when it does.`]),
    ...notes,
  ];
}

function complaint({ check, title, violated, violations }: CheckResult): string[] {
  return [
    `${check} ${title}: violated ${amount(violated)} ×`,
    ...violations
      .slice(0, 5)
      .map(({ t, what, where }) => `  ${(t / 1e9).toFixed(3)} s  ${what}  ${JSON.stringify(where)}`),
  ];
}

/** The report that is kept: what ran, on what, and what came of it. */
export function markdown(run: RunReport): string {
  const { rows } = run;
  const passed = rows.filter(rowPasses).length;
  const idle = rows.filter(({ notRun }) => notRun !== undefined).map(({ row }) => row);
  const sum = (of: (row: RowReport) => number) => amount(rows.reduce((total, row) => total + of(row), 0));
  return `${[
    '# What the checker found',
    '',
    `${passed} of ${rows.length} rows pass.${idle.length === 0 ? '' : ` ${idle.join(', ')} did not run.`} ${sum((row) => row.acknowledged)} sends were acknowledged, ${sum((row) => row.delivered)} changes delivered live.`,
    '',
    '| | |',
    '|---|---|',
    ...runsOf(rows).map((line) => `| run | ${line} |`),
    ...Object.entries(run.machine).map(([name, value]) => `| ${name} | ${value} |`),
    '',
    '| row | fault | load | acknowledged | checks violated | figures | |',
    '|---|---|---|---:|---|---|---|',
    ...rows.map((row) => {
      const broken = row.results
        .filter(({ ok }) => !ok)
        .map(({ check, violated }) => `${check} (${amount(violated)})`)
        .join(', ');
      const cells = [
        row.row,
        row.title,
        row.load,
        amount(row.acknowledged),
        broken || (row.notRun === undefined ? 'none' : '–'),
        [...row.figures.map(sentence), ...(row.notRun === undefined ? [] : [row.notRun])].join('<br>'),
        verdictOf(row).replace('FAILS', '**fails**'),
      ];
      return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
    }),
    '',
    'The checks, each over the whole history of a row:',
    '',
    ...Object.entries(checkTitles).map(([check, title]) => `- **${check}** ${title}.`),
    ...rows.flatMap(section),
  ].join('\n')}\n`;
}

/** A line for each seed and set of versions that rows ran with: a row may have been run again, by itself. */
function runsOf(rows: readonly RowReport[]): string[] {
  const runs = new Map<string, RowReport[]>();
  for (const row of rows) {
    const { seed, quick, versions } = row.run;
    const told = Object.entries(versions).map(([name, value]) => `${name} ${value}`);
    const key = `\`npm run verify --${quick ? '' : ' --all'} --seed ${seed}\`, ${told.join(', ')}`;
    runs.set(key, [...(runs.get(key) ?? []), row]);
  }
  return [...runs].map(([key, of]) => {
    const first = of.map(({ run }) => run.startedAt).sort()[0] ?? '';
    return `${first.slice(0, 16).replace('T', ' ')} UTC: ${key}${runs.size > 1 ? ` (${of.map(({ row }) => row).join(', ')})` : ''}`;
  });
}

function section(row: RowReport): string[] {
  if (row.notRun !== undefined) return ['', `## ${row.row}: ${row.title}`, '', ...verdictNotes(row)];
  return [
    '',
    `## ${row.row}: ${row.title}`,
    '',
    ...(row.plot === undefined ? [] : [`![Latency and throughput over time](${row.plot})`, '']),
    ...verdictNotes(row).flatMap((note) => [note, '']),
    '| check | violated | looked at |',
    '|---|---:|---|',
    ...row.results.map(({ check, violated, counts }) => {
      const looked = Object.entries(counts)
        .map(([name, count]) => `${name} ${amount(count)}`)
        .join(', ');
      return `| ${check} | ${amount(violated)} | ${looked} |`;
    }),
    ...row.results.filter(({ ok }) => !ok).flatMap((result) => ['', '```', ...complaint(result), '```']),
  ];
}
