import type { Second, Timeline } from '../checks/index.js';
import { at, escape, grid, legend, linear, logarithmic, mark, milliseconds, short, svg, type Axis } from './svg.js';

const width = 960;
const left = 62;
const right = 16;
const latencyTop = 78;
const latencyHeight = 190;
const rateTop = latencyTop + latencyHeight + 46;
const rateHeight = 96;
const height = rateTop + rateHeight + 40;

const faultStyle = `
  .fault { fill: #cf222e; fill-opacity: 0.11; }
  .edge { stroke: #cf222e; stroke-opacity: 0.55; stroke-width: 1; }
  .name { fill: #a40e26; font-weight: 600; }
  @media (prefers-color-scheme: dark) {
    .fault { fill: #f85149; fill-opacity: 0.16; }
    .edge { stroke: #f85149; }
    .name { fill: #ff9a92; }
  }`;

/** Latency (p50 and p99 of each second, logarithmic) and throughput over time, the faults as bands. A whole SVG file. */
export function plot(title: string, timeline: Timeline): string {
  const { load } = timeline;
  const from = Math.max(0, Math.floor(load.from));
  const seconds = timeline.seconds.slice(from, Math.max(from + 1, Math.ceil(load.to) + 1));
  const duration = Math.max(1, seconds.length);
  const x = linear(0, duration, left, width - right);
  const latencies = seconds.flatMap(({ ack, delivery }) =>
    [ack, delivery].flatMap((of) => [of.quantile(0.5), of.quantile(0.99)]),
  );
  const latency = logarithmic([1, 10, ...latencies.map((us) => us / 1e3)], latencyTop + latencyHeight, latencyTop);
  const rate = linear(
    0,
    Math.max(1, ...seconds.flatMap(({ acked, delivered }) => [acked, delivered])),
    rateTop + rateHeight,
    rateTop,
  );

  let labelled = -Infinity;
  const bands = timeline.faults.map((fault) => {
    const drawn = band(fault, from, duration, x);
    // One name may stand for several faults in a row; two names never lie over each other.
    if (drawn.labelFrom < labelled) return { ...drawn, label: '' };
    labelled = drawn.labelTo;
    return drawn;
  });
  const line = (classes: string, y: Axis, value: (second: Second) => number) =>
    runs(seconds, value)
      .map((run) =>
        run.length === 1
          ? `<circle class="dot ${classes}" cx="${at(x((run[0]?.second ?? 0) + 0.5))}" cy="${at(y(run[0]?.value ?? 0))}" r="2"/>`
          : `<polyline class="line ${classes}" points="${run.map((point) => `${at(x(point.second + 0.5))},${at(y(point.value))}`).join(' ')}"/>`,
      )
      .join('');
  const quantile = (kind: 'ack' | 'delivery', share: number) => (second: Second) => second[kind].quantile(share) / 1e3;
  const within = (value: number) => value >= 0 && value <= duration;

  const bottom = rateTop + rateHeight;
  const frame = {
    width,
    height,
    title,
    label: `${title}: latency and throughput over time`,
    left,
    ownStyle: faultStyle,
  };
  return svg(frame, [
    legend(left, [
      ['first', 'acknowledged p99'],
      ['first dashed', 'p50'],
      ['second', 'delivered p99'],
      ['second dashed', 'p50'],
    ]),
    bands.map(({ shape }) => shape).join(''),
    latency.ticks.map((tick) => grid(left, width - right, latency(tick), milliseconds(tick))).join(''),
    rate.ticks.map((tick) => grid(left, width - right, rate(tick), short(tick))).join(''),
    x.ticks
      .filter(within)
      .map((tick) => mark(x(tick), bottom, `${tick} s`))
      .join(''),
    `<line class="axis" x1="${left}" x2="${width - right}" y1="${bottom}" y2="${bottom}"/>`,
    `<text class="quiet" x="${left}" y="${latencyTop - 8}">latency of each second</text>`,
    `<text class="quiet" x="${left}" y="${rateTop - 8}">acknowledged and delivered a second</text>`,
    line('first dashed', latency, quantile('ack', 0.5)),
    line('second dashed', latency, quantile('delivery', 0.5)),
    line('first', latency, quantile('ack', 0.99)),
    line('second', latency, quantile('delivery', 0.99)),
    line('second', rate, ({ delivered }) => delivered),
    line('first', rate, ({ acked }) => acked),
    bands.map(({ label }) => label).join(''),
  ]);
}

function band({ name, from, to }: Timeline['faults'][number], start: number, duration: number, x: Axis) {
  const begin = x(Math.max(0, from - start));
  const end = x(Math.min(duration, Math.max(0, to - start)));
  const size = Math.max(1.5, end - begin);
  const edges = [begin, begin + size].map(
    (edge) => `<line class="edge" x1="${at(edge)}" x2="${at(edge)}" y1="${latencyTop}" y2="${rateTop + rateHeight}"/>`,
  );
  const shape = `<rect class="fault" x="${at(begin)}" y="${latencyTop}" width="${at(size)}" height="${rateTop + rateHeight - latencyTop}"/>${edges.join('')}`;
  // Beside a band that is too narrow for its name; left of one at the right end.
  const roomy = size > name.length * 7;
  const outside = begin + name.length * 7 > width - right;
  const room = name.length * 7;
  const labelFrom = roomy ? begin + 5 : outside ? begin - 4 - room : begin + size + 4;
  const label = `<text class="name" x="${at(labelFrom)}" y="${latencyTop + 14}">${escape(name)}</text>`;
  return { shape, label, labelFrom, labelTo: labelFrom + room };
}

/** Stretches of seconds that have a value: a second without one is a gap in the line, not a zero. */
function runs(seconds: readonly Second[], value: (second: Second) => number): { second: number; value: number }[][] {
  const all: { second: number; value: number }[][] = [];
  let run: { second: number; value: number }[] = [];
  seconds.forEach((each, second) => {
    const here = value(each);
    if (Number.isFinite(here)) {
      if (run.length === 0) all.push(run);
      run.push({ second, value: here });
    } else run = [];
  });
  return all;
}
