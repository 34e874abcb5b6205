/** What all plots share: one look, readable on a light and on a dark page, and their axes. */

/** Colours of both schemes come by class, so that the same file is readable on a light and on a dark page. */
const style = `
  text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328; }
  .page { fill: #ffffff; }
  .title { font-size: 15px; font-weight: 600; }
  .quiet { fill: #59636e; }
  .grid { stroke: #d1d9e0; stroke-width: 1; }
  .axis { stroke: #818b98; stroke-width: 1; }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
  .dashed { stroke-width: 1.25; stroke-dasharray: 2 4; }
  .first { stroke: #0969da; }
  .second { stroke: #bc4c00; }
  .dot { stroke: none; }
  .dot.first { fill: #0969da; }
  .dot.second { fill: #bc4c00; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .page { fill: #0d1117; }
    .quiet { fill: #9198a1; }
    .grid { stroke: #2a313c; }
    .axis { stroke: #656c76; }
    .first { stroke: #58a6ff; }
    .second { stroke: #f0883e; }
    .dot.first { fill: #58a6ff; }
    .dot.second { fill: #f0883e; }
  }`;

export interface Frame {
  width: number;
  height: number;
  title: string;
  /** What the title says, for those who do not see it. */
  label: string;
  /** Where the title begins. */
  left: number;
  /** Of its own, beside the common one. */
  ownStyle?: string;
}

/** A whole SVG file. */
export function svg({ width, height, title, label, left, ownStyle = '' }: Frame, content: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">${escape(label)}</title>
<style>${style}${ownStyle}
</style>
<rect class="page" width="${width}" height="${height}"/>
<text class="title" x="${left}" y="24">${escape(title)}</text>
${content.join('\n')}
</svg>
`;
}

/** From a value to its place. */
export interface Axis {
  (value: number): number;
  ticks: number[];
}

/** From the bottom up when `end` is less than `start`: such an axis reaches to its last tick, so that nothing ends above it. */
export function linear(low: number, high: number, start: number, end: number): Axis {
  const step = nice((high - low) / (end > start ? 12 : 3));
  const ticks: number[] = [];
  for (let tick = low; tick <= high + step * 1e-9; tick += step) ticks.push(Number(tick.toPrecision(12)));
  const top = end > start ? high : Math.ceil(high / step) * step;
  if (end < start && !ticks.includes(top)) ticks.push(top);
  return Object.assign((value: number) => start + ((value - low) / (top - low)) * (end - start), { ticks });
}

/** Whole powers of ten around all of the values. */
export function logarithmic(values: readonly number[], start: number, end: number): Axis {
  const real = values.filter((value) => Number.isFinite(value) && value > 0);
  const low = Math.floor(Math.log10(Math.min(...real)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...real))));
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => Number((10 ** (low + i)).toPrecision(3)));
  const scale = (value: number) =>
    start + ((Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)) * (end - start);
  return Object.assign(scale, { ticks });
}

/** 1, 2 or 5 times a power of ten, not below `rough`. */
function nice(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
}

/** Lines of a legend, side by side from `left` on. */
export function legend(left: number, entries: readonly (readonly [classes: string, name: string])[]): string {
  let x = left;
  return entries
    .map(([classes, name]) => {
      const entry = `<line class="line ${classes}" x1="${x}" x2="${x + 24}" y1="44" y2="44"/><text x="${x + 30}" y="48">${escape(name)}</text>`;
      x += 30 + name.length * 7 + 18;
      return entry;
    })
    .join('');
}

/** A line across at the height of a tick. */
export function grid(from: number, to: number, y: number, label: string): string {
  return `<line class="grid" x1="${at(from)}" x2="${at(to)}" y1="${at(y)}" y2="${at(y)}"/><text class="quiet" x="${at(from - 8)}" y="${at(y + 4)}" text-anchor="end">${label}</text>`;
}

/** A mark below the plot. */
export function mark(x: number, bottom: number, label: string): string {
  return `<line class="axis" x1="${at(x)}" x2="${at(x)}" y1="${bottom}" y2="${bottom + 4}"/><text class="quiet" x="${at(x)}" y="${bottom + 18}" text-anchor="middle">${label}</text>`;
}

export function milliseconds(ms: number): string {
  return ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`;
}

export function short(value: number): string {
  return value >= 1_000_000 ? `${value / 1_000_000}M` : value >= 10_000 ? `${value / 1_000}k` : String(value);
}

export function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}

export function escape(text: string): string {
  return text.replaceAll(
    /[&<>"]/g,
    (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[character] ?? '',
  );
}
