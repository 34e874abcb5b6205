import type { Figures } from '../../bench/measure.js';
import { plotOf } from '../../bench/plots.js';
import { reportOf } from '../../bench/report.js';
import { noResults, type Results } from '../../bench/results.js';
import { figuresOf } from './figures.js';

const results = (parley: Partial<Figures>[]): Results => ({
  ...noResults(),
  loads: {
    'W1-10-max': {
      Parley: parley.map(figuresOf),
      P1: [figuresOf({}), figuresOf({ deliveriesPerSecond: 2_000 }), figuresOf({})],
    },
  },
});

describe('the report of a benchmark', () => {
  it('sets each round against the first server of the same round, and tells how far the rounds lie apart', () => {
    const report = reportOf(
      results([{ deliveriesPerSecond: 3_000 }, { deliveriesPerSecond: 3_000 }, { deliveriesPerSecond: 2_000 }]),
    );
    expect(report).toContain('| Parley | 3,000 | 2.00 | 1.50 – 3.00 |');
    expect(report.indexOf('| P1 |')).toBeLessThan(report.indexOf('| Parley |'));
  });

  it('marks what the generator and the databases had no more room for', () => {
    expect(reportOf(results([{}]))).not.toContain('\\*');
    const report = reportOf(results([{ generatorCpu: 0.96 }]));
    expect(report).toMatch(/\| Parley \| [\d,]+ \\\* \|/);
    expect(report).toContain('\\* The second processor');
    expect(reportOf(results([{ generatorCpu: 0.6, postgresCpu: 0.36 }]))).toContain('\\* The second processor');
  });

  it('leaves out what was not measured', () => {
    expect(reportOf(noResults())).not.toMatch(/W[1-5]|NaN|undefined/);
  });

  it('draws a line for each server of a curve, and names them', () => {
    const full = figuresOf({});
    const plot = plotOf('members', [
      { x: 2, server: 'P1', full, light: full },
      { x: 5_000, server: 'P1', full, light: full },
      { x: 2, server: 'Parley', full: figuresOf({ microsPerDelivery: 100 }), light: full },
    ]);
    expect(plot).toContain('prefers-color-scheme: dark');
    expect(plot).toContain('>Parley</text>');
    // Each panel has one of each.
    for (const server of ['first', 'second'])
      expect(plot.split(`<polyline class="line ${server}"`)).toHaveLength(1 + 2);
    expect(plot).not.toMatch(/NaN|undefined|Infinity/);
  });
});
