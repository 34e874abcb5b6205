const SUB = 5;
const SUB_BUCKETS = 2 ** SUB;

/**
 * Counts durations in buckets, each about 3 % wide; any number of them in a few kilobytes. Made for hundreds of thousands of
 * durations a second, for which `perf_hooks` costs too much.
 */
export class Histogram {
  private readonly counts = new Uint32Array(SUB_BUCKETS * 34);
  private total = 0;

  add(ms: number): void {
    const bucket = bucketOf(Math.max(0, Math.round(ms * 1_000)));
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.total += 1;
  }

  /** In ms; NaN while it is empty. */
  quantile(share: number): number {
    if (this.total === 0) return NaN;
    let left = Math.ceil(this.total * share);
    for (const [bucket, count] of this.counts.entries()) {
      left -= count;
      if (left <= 0) return middleOf(bucket) / 1_000;
    }
    return NaN;
  }
}

function bucketOf(micros: number): number {
  if (micros < SUB_BUCKETS) return micros;
  const octave = 31 - Math.clz32(micros) - SUB;
  return Math.min((octave + 1) * SUB_BUCKETS + (micros >>> octave) - SUB_BUCKETS, SUB_BUCKETS * 34 - 1);
}

function middleOf(bucket: number): number {
  if (bucket < SUB_BUCKETS) return bucket;
  const octave = Math.floor(bucket / SUB_BUCKETS) - 1;
  return (SUB_BUCKETS + (bucket % SUB_BUCKETS) + 0.5) * 2 ** octave;
}
