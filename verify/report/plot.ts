import type { Second, Timeline } from '../checks/index.js';

const width = 960;
const left = 62;
const right = 16;
const latencyTop = 78;
const latencyHeight = 190;
const rateTop = latencyTop + latencyHeight + 46;
const rateHeight = 96;
const height = rateTop + rateHeight + 40;

/** Colours of both schemes come by class, so that the same file is readable on a light and on a dark page. */
const style = `
  text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328; }
  .page { fill: #ffffff; }
  .title { font-size: 15px; font-weight: 600; }
  .quiet { fill: #59636e; }
  .grid { stroke: #d1d9e0; stroke-width: 1; }
  .axis { stroke: #818b98; stroke-width: 1; }
  .fault { fill: #cf222e; fill-opacity: 0.11; }
  .edge { stroke: #cf222e; stroke-opacity: 0.55; stroke-width: 1; }
  .name { fill: #a40e26; font-weight: 600; }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
  .median { stroke-width: 1.25; stroke-dasharray: 2 4; }
  .ack { stroke: #0969da; }
  .delivery { stroke: #bc4c00; }
  .dot { stroke: none; }
  .dot.ack { fill: #0969da; }
  .dot.delivery { fill: #bc4c00; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .page { fill: #0d1117; }
    .quiet { fill: #9198a1; }
    .grid { stroke: #2a313c; }
    .axis { stroke: #656c76; }
    .fault { fill: #f85149; fill-opacity: 0.16; }
    .edge { stroke: #f85149; }
    .name { fill: #ff9a92; }
    .ack { stroke: #58a6ff; }
    .delivery { stroke: #f0883e; }
    .dot.ack { fill: #58a6ff; }
    .dot.delivery { fill: #f0883e; }
  }`;

interface Axis {
  (value: number): number;
  ticks: number[];
}

/** Latency (p50 and p99 of each second, logarithmic) and throughput over time, the faults as bands. A whole SVG file. */
export function plot(title: string, timeline: Timeline): string {
  const { load } = timeline;
  const from = Math.max(0, Math.floor(load.from));
  const seconds = timeline.seconds.slice(from, Math.max(from + 1, Math.ceil(load.to) + 1));
  const duration = Math.max(1, seconds.length);
  const x = linear(0, duration, left, width - right);
  const latency = logarithmic(
    seconds
      .flatMap(({ ack, delivery }) => [ack, delivery].flatMap((of) => [of.quantile(0.5), of.quantile(0.99)]))
      .map((us) => us / 1e3),
  );
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

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">${escape(title)}: latency and throughput over time</title>
<style>${style}
</style>
<rect class="page" width="${width}" height="${height}"/>
<text class="title" x="${left}" y="24">${escape(title)}</text>
${legend()}
${bands.map(({ shape }) => shape).join('')}
${latency.ticks.map((tick) => grid(latency(tick), milliseconds(tick))).join('')}
${rate.ticks.map((tick) => grid(rate(tick), short(tick))).join('')}
${x.ticks
  .filter(within)
  .map(
    (tick) =>
      `<line class="axis" x1="${at(x(tick))}" x2="${at(x(tick))}" y1="${rateTop + rateHeight}" y2="${rateTop + rateHeight + 4}"/><text class="quiet" x="${at(x(tick))}" y="${rateTop + rateHeight + 18}" text-anchor="middle">${tick} s</text>`,
  )
  .join('')}
<line class="axis" x1="${left}" x2="${width - right}" y1="${rateTop + rateHeight}" y2="${rateTop + rateHeight}"/>
<text class="quiet" x="${left}" y="${latencyTop - 8}">latency of each second</text>
<text class="quiet" x="${left}" y="${rateTop - 8}">acknowledged and delivered a second</text>
${line('ack median', latency, quantile('ack', 0.5))}
${line('delivery median', latency, quantile('delivery', 0.5))}
${line('ack', latency, quantile('ack', 0.99))}
${line('delivery', latency, quantile('delivery', 0.99))}
${line('delivery', rate, ({ delivered }) => delivered)}
${line('ack', rate, ({ acked }) => acked)}
${bands.map(({ label }) => label).join('')}
</svg>
`;
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

function legend(): string {
  const entries = [
    ['ack', 'acknowledged p99'],
    ['ack median', 'p50'],
    ['delivery', 'delivered p99'],
    ['delivery median', 'p50'],
  ] as const;
  let x = left;
  return entries
    .map(([classes, name]) => {
      const entry = `<line class="line ${classes}" x1="${x}" x2="${x + 24}" y1="44" y2="44"/><text x="${x + 30}" y="48">${name}</text>`;
      x += 30 + name.length * 7 + 18;
      return entry;
    })
    .join('');
}

function grid(y: number, label: string): string {
  return `<line class="grid" x1="${left}" x2="${width - right}" y1="${at(y)}" y2="${at(y)}"/><text class="quiet" x="${left - 8}" y="${at(y + 4)}" text-anchor="end">${label}</text>`;
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

function linear(low: number, high: number, start: number, end: number): Axis {
  const step = nice((high - low) / (end > start ? 12 : 3));
  const ticks: number[] = [];
  for (let tick = low; tick <= high + step * 1e-9; tick += step) ticks.push(Number(tick.toPrecision(12)));
  // An axis of values reaches to its last tick, so that nothing ends above it.
  const top = end > start ? high : Math.ceil(high / step) * step;
  if (end < start && !ticks.includes(top)) ticks.push(top);
  return Object.assign((value: number) => start + ((value - low) / (top - low)) * (end - start), { ticks });
}

function logarithmic(values: number[]): Axis {
  const real = values.filter((value) => Number.isFinite(value) && value > 0);
  const low = Math.floor(Math.log10(Math.min(...real, 1)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...real, 10))));
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => Number((10 ** (low + i)).toPrecision(3)));
  const scale = (value: number) =>
    latencyTop + latencyHeight * (1 - (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low));
  return Object.assign(scale, { ticks });
}

/** 1, 2 or 5 times a power of ten, not below `rough`. */
function nice(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
}

function milliseconds(ms: number): string {
  return ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`;
}

function short(value: number): string {
  return value >= 10_000 ? `${value / 1_000}k` : String(value);
}

function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escape(text: string): string {
  return text.replaceAll(
    /[&<>"]/g,
    (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[character] ?? '',
  );
}
