import { uuidv7 } from 'uuidv7';
import { countOf, isSample, SAMPLE, sampleOf } from '../../src/realtime/distinct-count.js';

const some = (n: number) => Array.from({ length: n }, uuidv7);
const numbered = (n: number) =>
  Array.from({ length: n }, (_, i) => `00000000-0000-7000-8000-${i.toString(16).padStart(12, '0')}`);

describe('users at several instances', () => {
  it('are each counted once, exactly as long as they are few', () => {
    const [here, both, there] = [some(300), some(400), some(323)];
    expect(countOf([sampleOf([...here, ...both]), sampleOf([...both, ...there])])).toBe(1_023);
    expect(countOf([sampleOf([]), sampleOf([])])).toBe(0);
    expect(countOf([])).toBe(0);
  });

  it.each([
    ['random ids', some],
    ['ids that count up', numbered],
  ])('are counted within a tenth when they are many: %s', (_, make) => {
    for (const n of [1_025, 5_000, 100_000]) {
      const all = make(n);
      // Three instances, and a third of all at two of them.
      const samples = [all.slice(0, n / 3), all.slice(n / 3), all.slice(0, (2 * n) / 3)].map(sampleOf);
      expect(samples.every(isSample)).toBe(true);
      expect(Math.abs(countOf(samples) / n - 1)).toBeLessThan(0.1);
    }
  });
});

it('what is no sample is not taken for one', () => {
  const forged = [[-1], [0.5], [2 ** 32], ['1'], [null], [{}], 'x', {}, null, Array(SAMPLE + 1).fill(1), [NaN]];
  for (const value of forged) expect(isSample(value)).toBe(false);
  expect(isSample([0, 2 ** 32 - 1])).toBe(true);
});
