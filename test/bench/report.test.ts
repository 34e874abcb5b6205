import type { Figures } from '../../bench/measure.js';
import { plotOf } from '../../bench/plots.js';
import { reportOf } from '../../bench/report.js';
import { noResults, type Results } from '../../bench/results.js';

const figures = (changes: Partial<Figures>): Figures => ({
  sendsPerSecond: 100,
  deliveriesPerSecond: 1_000,
  framesPerSecond: 1_000,
  bytesPerSecond: 500_000,
  ackP50: 1,
  ackP99: 2,
  deliveryP50: 3,
  deliveryP99: 40,
  lost: 0,
  doubled: 0,
  refused: 0,
  unanswered: 0,
  behindMs: 0,
  generatorCpu: 0.5,
  serverCpu: 1,
  postgresCpu: 0.1,
  redisCpu: 0,
  microsPerDelivery: 10,
  commitsPerSecond: 50,
  publishesPerSecond: 0,
  redisBytesPerSecond: 0,
  ...changes,
});

const results = (parley: Partial<Figures>[]): Results => ({
  ...noResults(),
  loads: {
    'W1-10-max': {
      Parley: parley.map(figures),
      P1: [figures({}), figures({ deliveriesPerSecond: 2_000 }), figures({})],
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
    const full = figures({});
    const plot = plotOf('members', [
      { x: 2, server: 'P1', full, light: full },
      { x: 5_000, server: 'P1', full, light: full },
      { x: 2, server: 'Parley', full: figures({ microsPerDelivery: 100 }), light: full },
    ]);
    expect(plot).toContain('prefers-color-scheme: dark');
    expect(plot).toContain('>Parley</text>');
    expect(plot).not.toMatch(/NaN|undefined|Infinity/);
  });
});
