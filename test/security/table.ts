import type { Case } from './cases.js';
import { CASE } from './tests-of-cases.js';

export interface Outcome {
  /** With the numbers of the cases that it tries. */
  readonly name: string;
  readonly passed: boolean;
}

type Cases = Readonly<Record<string, Case>>;

/** Nothing failed, and each case has a test or a reason for none. */
export function isPassed(cases: Cases, outcomes: readonly Outcome[]): boolean {
  return outcomes.every(({ passed }) => passed) && Object.keys(cases).every((id) => resultOf(id, cases, outcomes).good);
}

/** One paragraph a case: what is tried, what has to come of it, by which tests, with what result. */
export function tableOf(cases: Cases, outcomes: readonly Outcome[]): string {
  const rows = Object.entries(cases).map(([id, { attack, answer, reason }]) => {
    const { good, result } = resultOf(id, cases, outcomes);
    const tests = of(id, outcomes).map(({ name, passed }) => `       ${passed ? '·' : '✗'} ${withoutIds(name)}`);
    const lines = [`${good ? '✓' : '✗'} ${id} ${attack}${answer === '' ? '' : ` → ${answer}`}: ${result}`];
    if (reason !== undefined) lines.push(`       (${reason})`);
    return [...lines, ...shortened(tests)].join('\n');
  });
  const strangers = outcomes.filter(({ name, passed }) => !passed && (name.match(CASE) ?? []).length === 0);
  const good = Object.keys(cases).filter((id) => resultOf(id, cases, outcomes).good).length;
  const end = `${good} of ${rows.length} cases hold, by ${outcomes.length} tests`;
  return [...rows, ...strangers.map(({ name }) => `✗ ${name}`), end].join('\n');
}

function resultOf(id: string, cases: Cases, outcomes: readonly Outcome[]): { good: boolean; result: string } {
  const tests = of(id, outcomes);
  const failed = tests.filter(({ passed }) => !passed).length;
  if (failed > 0) return { good: false, result: `${failed} of ${tests.length} failed` };
  if (tests.length > 0) return { good: true, result: `${tests.length} passed` };
  if (cases[id]?.absent === true) return { good: true, result: 'does not apply' };
  return { good: false, result: 'NO TEST' };
}

function of(id: string, outcomes: readonly Outcome[]): Outcome[] {
  return outcomes.filter(({ name }) => name.match(CASE)?.includes(id));
}

function withoutIds(name: string): string {
  return name.replace(/ \((?:S-\d\d(?:, )?)+\)/g, '');
}

/** Of tests that there are for every request, the first ones and those that failed. */
function shortened(lines: string[]): string[] {
  const shown = lines.filter((line, i) => i < 6 || line.includes('✗'));
  return shown.length === lines.length ? lines : [...shown, `       … and ${lines.length - shown.length} more`];
}
