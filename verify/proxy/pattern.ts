/** Finds every occurrence of a byte pattern in a stream that comes in chunks, also one that is split over several. */
export class PatternMatcher {
  /** The last bytes of the stream so far: at most one less than the pattern is long. */
  private tail: Buffer = Buffer.alloc(0);

  constructor(private readonly pattern: Buffer) {
    if (pattern.length === 0) throw new RangeError('The pattern is empty');
  }

  /** Where in `chunk` the occurrences start that end in it; a negative place lies in an earlier chunk. */
  feed(chunk: Buffer): number[] {
    const reach = this.pattern.length - 1;
    const seam = Buffer.concat([this.tail, chunk.subarray(0, reach)]);
    const starts: number[] = [];
    for (
      let at = seam.indexOf(this.pattern);
      at >= 0 && at < this.tail.length;
      at = seam.indexOf(this.pattern, at + 1)
    ) {
      starts.push(at - this.tail.length);
    }
    for (let at = chunk.indexOf(this.pattern); at >= 0; at = chunk.indexOf(this.pattern, at + 1)) starts.push(at);
    const rest = chunk.length >= reach ? chunk.subarray(chunk.length - reach) : Buffer.concat([this.tail, chunk]);
    this.tail = Buffer.from(rest.subarray(Math.max(0, rest.length - reach)));
    return starts;
  }
}
