import { Histogram as Counts } from '../../verify/checks/histogram.js';

/** Counts durations to the microsecond, each right to about 2 %. For hundreds of thousands a second `perf_hooks` costs too much. */
export class Histogram {
  private readonly micros = new Counts();

  /** @param ms less than a microsecond counts as one */
  add(ms: number): void {
    this.micros.add(ms * 1_000);
  }

  /** In ms; NaN while it is empty. */
  quantile(share: number): number {
    return this.micros.quantile(share) / 1_000;
  }
}
