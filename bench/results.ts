import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connecting } from './connections.js';
import type { CurveName, Point } from './curves.js';
import type { Figures } from './measure.js';
import type { Reading } from './reading.js';

/** Everything that was measured: a row a round, by workload and by server. The first server is what the others are measured by. */
export interface Results {
  /** What each part was measured on, and when, by the part's name. */
  measured: Record<string, string>;
  loads: Record<string, Record<string, Figures[]>>;
  connecting: Record<string, Connecting[]>;
  reading?: Reading;
  curves: Partial<Record<CurveName, Point[]>>;
}

export function noResults(): Results {
  return { measured: {}, loads: {}, connecting: {}, curves: {} };
}

const fileIn = (dir: string): string => join(dir, 'figures.json');

/** What earlier runs left there; what is measured anew takes the place of what was. */
export async function readResults(dir: string): Promise<Results> {
  try {
    // JSON has no NaN: a figure that could not be taken is null there.
    const revive = (_key: string, value: unknown): unknown => (value === null ? NaN : value);
    return { ...noResults(), ...(JSON.parse(await readFile(fileIn(dir), 'utf8'), revive) as Partial<Results>) };
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return noResults();
    throw error;
  }
}

export async function writeResults(dir: string, results: Results): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeFile(fileIn(dir), `${JSON.stringify(results, null, 1)}\n`);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = NaN, high = NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
}
