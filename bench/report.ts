import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeResults, type Results } from './results.js';
import { connectingTable, loadTables, readingTable } from './tables.js';

/** Everything that was measured, in Markdown. */
export function reportOf(results: Results): string {
  return [...measuredOn(results), ...loadTables(results), ...connectingTable(results), ...readingTable(results)].join(
    '\n',
  );
}

/** The report, its plots and its figures, side by side. */
export async function writeReport(dir: string, results: Results): Promise<void> {
  await writeResults(dir, results);
  await writeFile(join(dir, 'report.md'), `# What was measured\n\n${reportOf(results)}\n`);
}

/** A paragraph for each machine and time: a part may have been measured again, by itself. */
function measuredOn({ measured }: Results): string[] {
  const runs = new Map<string, string[]>();
  for (const [part, run] of Object.entries(measured)) runs.set(run, [...(runs.get(run) ?? []), part]);
  return [...runs].flatMap(([run, parts]) => [`${run}: ${parts.join(', ')}.`, '']);
}
