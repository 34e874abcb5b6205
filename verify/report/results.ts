import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RowReport } from './report.js';

/** The name of everything that a row leaves behind, without what tells the kind. */
export function fileOf(row: string): string {
  return row.toLowerCase().replaceAll(/\W+/g, '-');
}

const pathOf = (dir: string, row: string): string => join(dir, `${fileOf(row)}.json`);

export async function keep(dir: string, report: RowReport): Promise<void> {
  await writeFile(pathOf(dir, report.row), `${JSON.stringify(report, null, 2)}\n`);
}

/** Undefined when the row left nothing. */
export async function kept(dir: string, row: string): Promise<RowReport | undefined> {
  try {
    return parse(await readFile(pathOf(dir, row), 'utf8'));
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined;
    throw error;
  }
}

export async function forget(dir: string, row: string): Promise<void> {
  await rm(pathOf(dir, row), { force: true });
}

/** The results of all rows that ran into this folder, whenever that was. */
export async function allKept(dir: string): Promise<RowReport[]> {
  const files = (await readdir(dir)).filter((name) => name.endsWith('.json'));
  return Promise.all(files.map(async (name) => parse(await readFile(join(dir, name), 'utf8'))));
}

/** JSON has no NaN: a figure that could not be taken is null there. */
function parse(text: string): RowReport {
  return JSON.parse(text, (key, value: unknown) => (key === 'value' && value === null ? NaN : value)) as RowReport;
}
