import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The number of a case. */
export const CASE = /\bS-\d\d\b/g;

/** The test files that have numbers of cases in the names of their tests. */
export function testsOfCases(): string[] {
  return readdirSync('test', { recursive: true, encoding: 'utf8' })
    .map((path) => join('test', path))
    .filter((path) => /\.(test|heavy)\.ts$/.test(path) && !path.endsWith('cases.test.ts') && idsIn(path).size > 0)
    .sort();
}

export function idsIn(path: string): Set<string> {
  return new Set(readFileSync(path, 'utf8').match(CASE) ?? []);
}
