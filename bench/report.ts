import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { curveTables } from './curve-tables.js';
import type { CurveName } from './curves.js';
import { modelTables } from './model-tables.js';
import { plotOf } from './plots.js';
import { writeResults, type Results } from './results.js';
import { connectingTable, loadTables, readingTable } from './tables.js';

/** Everything that was measured, in Markdown. */
export function reportOf(results: Results): string {
  return [
    measuredOn(results),
    section('Loads', loadTables(results)),
    section('Connecting', connectingTable(results)),
    section('Reading', readingTable(results)),
    section('Curves', curveTables(results)),
    section('Model', modelTables(results)),
  ]
    .flat()
    .join('\n');
}

/** The report, its plots and its figures, side by side. */
export async function writeReport(dir: string, results: Results): Promise<void> {
  await writeResults(dir, results);
  await writeFile(join(dir, 'report.md'), `# What was measured\n\n${reportOf(results).trimEnd()}\n`);
  for (const [name, points] of Object.entries(results.curves))
    await writeFile(join(dir, `${name}.svg`), plotOf(name as CurveName, points));
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`## ${title}`, '', ...lines];
}

/** A paragraph for each machine and time: a part may have been measured again, by itself. */
function measuredOn({ measured }: Results): string[] {
  const runs = new Map<string, string[]>();
  for (const [part, run] of Object.entries(measured)) runs.set(run, [...(runs.get(run) ?? []), part]);
  return [...runs].flatMap(([run, parts]) => [`${run}: ${parts.join(', ')}.`, '']);
}
