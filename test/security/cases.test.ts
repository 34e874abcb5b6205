import { cases } from './cases.js';
import { isPassed, tableOf } from './table.js';
import { idsIn, testsOfCases } from './tests-of-cases.js';

describe('the cases of the security suite', () => {
  it('are sixty, and each has a test or the reason why there is none', () => {
    expect(Object.keys(cases)).toEqual(Array.from({ length: 60 }, (_, i) => `S-${String(i + 1).padStart(2, '0')}`));
    const tried = new Set(testsOfCases().flatMap((path) => [...idsIn(path)]));
    const untried = Object.keys(cases).filter((id) => !tried.has(id));
    expect(untried).toEqual(Object.keys(cases).filter((id) => cases[id]?.absent === true));
    for (const id of untried) expect(cases[id]?.reason).toMatch(/\w+ \w+/);
    expect([...tried].filter((id) => !(id in cases))).toEqual([]);
  });

  it('fail the run where one has no test, or one that fails', () => {
    const two = {
      'S-01': { attack: 'a', answer: 'b' },
      'S-02': { attack: 'c', answer: 'd', absent: true, reason: 'e' },
    };
    const test = { name: 'a test (S-01)', passed: true };
    expect(isPassed(two, [test])).toBe(true);
    expect(isPassed(two, [])).toBe(false);
    expect(isPassed(two, [test, { ...test, passed: false }])).toBe(false);
    expect(isPassed(two, [test, { name: 'Jest ended', passed: false }])).toBe(false);
    expect(tableOf(two, [{ ...test, passed: false }])).toContain('✗ S-01 a → b: 1 of 1 failed');
  });
});
