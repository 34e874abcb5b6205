import type { HistoryRecord } from '../history.js';
import { entry } from './numbers.js';

interface Life {
  instance: string;
  /** Seconds of the run. */
  times: number[];
  rss: number[];
}

/** How fast processes grow: over the last three quarters of the load, of those that lived through at least half of it. */
export class Growth {
  private readonly lives = new Map<number, Life>();
  private from = NaN;
  private to = NaN;

  see(record: HistoryRecord): void {
    const at = record.t / 1e9;
    if (record.type === 'phase' && record.phase === 'load') this.from = at;
    if (record.type === 'phase' && record.phase === 'settle') this.to = at;
    const rss = record.type === 'sample' ? record.values['rss'] : undefined;
    if (record.type !== 'sample' || rss === undefined || !(at >= this.from) || at > this.to) return;
    const { instance, pid } = record;
    const { times, rss: sizes } = entry(this.lives, pid, () => ({ instance, times: [], rss: [] }));
    times.push(at);
    sizes.push(rss);
  }

  /** By instance: the slope of a straight line through its resident memory, in % of its mean an hour. */
  perHour(): Map<string, number> {
    const length = this.to - this.from;
    const slopes = new Map<string, number>();
    for (const { instance, times, rss } of this.lives.values()) {
      const lived = (times.at(-1) ?? 0) - (times[0] ?? 0);
      if (!(lived >= length / 2)) continue;
      const warm = times.findIndex((time) => time >= this.from + length / 4);
      if (warm >= 0) slopes.set(instance, slopeOf(times.slice(warm), rss.slice(warm)) * 3_600 * 100);
    }
    return slopes;
  }
}

/** Least squares; relative to the mean of `values`, a unit of `times`. */
function slopeOf(times: number[], values: number[]): number {
  const mean = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const [time, value] = [mean(times), mean(values)];
  const spread = times.reduce((sum, t) => sum + (t - time) ** 2, 0);
  const together = times.reduce((sum, t, i) => sum + (t - time) * ((values[i] ?? value) - value), 0);
  return together / spread / value;
}
