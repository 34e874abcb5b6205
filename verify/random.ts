/**
 * A seeded stream of random numbers: the same seed gives the same run. Every part of a run takes its own `fork`, so that
 * one part drawing a number more does not move all the others.
 */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  constructor(readonly seed: string | number) {
    const word = splitmix32(fnv1a(String(seed)));
    [this.a, this.b, this.c] = [word(), word(), word()];
    for (let i = 0; i < 12; i++) this.uint32();
  }

  /** A stream of its own: depends on this one's seed and on `name`, not on what was drawn so far. */
  fork(name: string): Random {
    return new Random(`${this.seed}/${name}`);
  }

  /** sfc32, “Small Fast Counting” of Chris Doty-Humphrey's PractRand (public domain): 96 bits of state and a counter. */
  uint32(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** 0 <= x < 1 */
  next(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A whole number, 0 <= x < `below`. */
  int(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** A number, `from` <= x < `to`. */
  between(from: number, to: number): number {
    return from + this.next() * (to - from);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Throws on an empty list: there is nothing to pick. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.int(items.length)];
    if (item === undefined) throw new RangeError('Nothing to pick from');
    return item;
  }

  /** Time to the next event of a Poisson process, in the unit of `mean`. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }

  shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, order: this.uint32() }))
      .sort((left, right) => left.order - right.order)
      .map(({ item }) => item);
  }
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Spreads one word of seed over the whole state; Steele, Lea and Flood's SplitMix in its 32-bit form. */
function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let word = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    return (word ^ (word >>> 15)) | 0;
  };
}
