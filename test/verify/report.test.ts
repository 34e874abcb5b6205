import type { CheckResult, Timeline } from '../../verify/checks/index.js';
import { Histogram } from '../../verify/checks/histogram.js';
import { plot } from '../../verify/report/plot.js';
import { figurePasses, markdown, rowPasses, table, verdictOf, type RowReport } from '../../verify/report/report.js';
import { Random } from '../../verify/random.js';

/** 90 s, a fault from 30 to 50 in which nothing is delivered for ten seconds. */
function timeline(): Timeline {
  const random = new Random('plot');
  const seconds = Array.from({ length: 92 }, (_, second) => {
    const [ack, delivery] = [new Histogram(), new Histogram()];
    const slow = second >= 30 && second < 50 ? 12 : 1;
    const silent = second >= 32 && second < 42;
    for (let i = 0; i < 100; i++) ack.add(slow * (2_000 + random.exponential(2_000)));
    for (let i = 0; i < (silent ? 0 : 1_200); i++) delivery.add(slow * (4_000 + random.exponential(5_000)));
    return { sent: 100, acked: ack.count, delivered: delivery.count, ack, delivery };
  });
  return {
    seconds,
    faults: [
      { name: 'Redis killed <20 s>', from: 30.2, to: 50.1 },
      { name: 'again', from: 85, to: 86 },
    ],
    load: { from: 0, to: 90 },
  };
}

const good: CheckResult = {
  check: 'C1',
  title: 'Acknowledged messages are stored',
  ok: true,
  violated: 0,
  violations: [],
  counts: { acknowledged: 5 },
  figures: {},
};
const bad: CheckResult = {
  ...good,
  check: 'C5',
  ok: false,
  violated: 1_234,
  violations: [{ t: 2.5e9, what: 'skipped', where: { client: 'c1' } }],
};
const row = (results: CheckResult[], limit?: number): RowReport => ({
  row: 'F-R1',
  title: 'Redis killed',
  load: 'L2',
  seconds: 90,
  acknowledged: 9_000,
  delivered: 108_000,
  results,
  figures: [{ name: 'ack p99', value: 12.34, unit: 'ms', ...(limit === undefined ? {} : { limit }) }],
  run: {
    startedAt: '2026-01-01T00:00:00.000Z',
    seed: '42',
    quick: false,
    versions: { node: 'v20', redis: '7.0.15' },
  },
  notes: ['Seen on one machine.'],
  plot: 'f-r1.svg',
});

describe('the plot', () => {
  const svg = plot('F-R1 “kill -9” & back', timeline());

  it('is well-formed and shows every fault as a band with its name', () => {
    const open: string[] = [];
    for (const [, close, name = '', self] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/gi)) {
      if (close === '/') expect(open.pop()).toBe(name);
      else if (self !== '/') open.push(name);
    }
    expect(open).toEqual([]);
    expect(svg.match(/class="fault"/g)).toHaveLength(2);
    expect(svg).toContain('Redis killed &lt;20 s&gt;');
    expect(svg).toContain('&amp; back');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('breaks the line where a second has nothing, and draws no zero', () => {
    // Of the four latency lines the two of delivery are in two pieces; the two of throughput are whole.
    expect(svg.match(/<polyline/g)).toHaveLength(8);
  });

  it('keeps everything inside its frame', () => {
    const points = [...svg.matchAll(/points="([^"]*)"/g)].flatMap(([, list = '']) =>
      list.split(' ').map((point) => point.split(',').map(Number)),
    );
    const [, width = 0, height = 0] = (/viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? []).map(Number);
    expect(points.length).toBeGreaterThan(400);
    for (const [x = NaN, y = NaN] of points) {
      expect(x >= 0 && x <= width && y >= 0 && y <= height).toBe(true);
    }
  });

  it('names faults that follow closely once', () => {
    const faults = [10, 12, 14, 60].map((from) => ({ name: 'instance killed', from, to: from + 1 }));
    const drawn = plot('x', { ...timeline(), faults });
    expect(drawn.match(/class="fault"/g)).toHaveLength(4);
    expect(drawn.match(/>instance killed</g)).toHaveLength(2);
  });

  it('has colours for a dark page', () => {
    expect(svg).toContain('prefers-color-scheme: dark');
  });

  it('draws a run without a single send', () => {
    expect(plot('nothing', { seconds: [], faults: [], load: { from: 0, to: 0 } })).not.toMatch(/NaN|Infinity/);
  });
});

describe('the report', () => {
  it('passes a row only with checks that pass and figures within their limits', () => {
    expect(rowPasses(row([good]))).toBe(true);
    expect(rowPasses(row([good, bad]))).toBe(false);
    expect(rowPasses(row([good], 12.34))).toBe(true);
    expect(rowPasses(row([good], 12))).toBe(false);
    expect(rowPasses(row([]))).toBe(false);
  });

  it('counts a figure that could not be taken as missed', () => {
    expect(figurePasses({ name: 'x', value: NaN, unit: 'ms', limit: 5 })).toBe(false);
    expect(figurePasses({ name: 'x', value: NaN, unit: 'ms', limit: 5, atLeast: true })).toBe(false);
    expect(figurePasses({ name: 'x', value: 6, unit: '', limit: 5, atLeast: true })).toBe(true);
  });

  it('counts a row that could not run neither as passed nor as failed, and says why', () => {
    const idle: RowReport = { ...row([]), row: 'F-A8', notRun: 'it needs another version' };
    expect(verdictOf(idle)).toBe('did not run');
    expect(rowPasses(idle)).toBe(false);
    expect(table([idle])).toMatch(/F-A8 .* did not run\n/);
    const text = markdown({ machine: {}, rows: [row([good]), idle] });
    expect(text).toContain('1 of 2 rows pass. F-A8 did not run.');
    expect(text).toContain('It did not run: it needs another version');
  });

  it('names in the table which check was violated, how often and where', () => {
    const text = table([row([good]), row([good, bad])]);
    expect(text).toMatch(/F-R1 {2}L2 +9,000 +108,000 {2}none +passes/);
    expect(text).toMatch(/F-R1 {2}L2 +9,000 +108,000 {2}C5 +FAILS/);
    expect(text).toContain('violated 1,234 ×');
    expect(text).toContain('2.500 s  skipped  {"client":"c1"}');
  });

  it('writes seed, machine, versions, figures and limits into the report', () => {
    const text = markdown({
      machine: { processor: '2 cores' },
      rows: [row([good], 10), row([good])],
    });
    for (const part of [
      '1 of 2 rows pass',
      '2026-01-01 00:00 UTC: `npm run verify -- --all --seed 42`',
      '| processor | 2 cores |',
      'redis 7.0.15',
      '✗ ack p99 12.3 ms (≤ 10 ms)',
      '![Latency and throughput over time](f-r1.svg)',
      'Seen on one machine.',
    ]) {
      expect(text).toContain(part);
    }
  });
});
