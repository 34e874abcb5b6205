/** A list of numbers that grows: 8 bytes an entry, so that a check can hold millions. */
export class Numbers {
  private values = new Float64Array(64);
  length = 0;

  push(value: number): void {
    this.grow(this.length + 1);
    this.values[this.length++] = value;
  }

  /** NaN where nothing was set. */
  at(index: number): number {
    return index < this.length ? (this.values[index] ?? NaN) : NaN;
  }

  /** Fills up to `index` with NaN. */
  set(index: number, value: number): void {
    this.grow(index + 1);
    if (index >= this.length) {
      this.values.fill(NaN, this.length, index);
      this.length = index + 1;
    }
    this.values[index] = value;
  }

  sorted(): Float64Array {
    return this.values.slice(0, this.length).sort();
  }

  private grow(length: number): void {
    if (length <= this.values.length) return;
    const larger = new Float64Array(Math.max(length, this.values.length * 2));
    larger.set(this.values);
    this.values = larger;
  }
}

/** Gives each name a number, from 0, in the order in which they come. */
export class Names {
  private readonly numbers = new Map<string, number>();
  private readonly names: string[] = [];

  of(name: string): number {
    let number = this.numbers.get(name);
    if (number === undefined) {
      number = this.names.length;
      this.numbers.set(name, number);
      this.names.push(name);
    }
    return number;
  }

  name(number: number): string {
    return this.names[number] ?? `#${number}`;
  }

  get size(): number {
    return this.names.length;
  }
}

/** The map of maps' inner value, made when it is first asked for. */
export function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

/** The value that a share of the sorted values does not exceed; NaN if there are none. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))] ?? NaN;
}
