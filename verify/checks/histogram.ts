/** Buckets an octave: what is read from a histogram is right to about 2 %. */
const perOctave = 32;
const buckets = perOctave * 40;

/** Counts of values (1 to 2^40, of any unit) in buckets that grow with the value. A few kB, whatever it counts. */
export class Histogram {
  private readonly counts = new Uint32Array(buckets);
  count = 0;
  max = 0;

  add(value: number): void {
    const bucket = Math.floor(Math.log2(Math.max(1, value)) * perOctave);
    const index = Math.min(buckets - 1, bucket);
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    this.count += 1;
    this.max = Math.max(this.max, value);
  }

  /** NaN when empty. */
  quantile(share: number): number {
    if (this.count === 0) return NaN;
    let left = Math.max(1, Math.ceil(this.count * share));
    for (let bucket = 0; bucket < buckets; bucket++) {
      left -= this.counts[bucket] ?? 0;
      if (left <= 0) return Math.min(this.max, 2 ** ((bucket + 0.5) / perOctave));
    }
    return this.max;
  }
}
