/** Keeps the order of steps that each wait for something of their own first. What has no steps left takes no room. */
export class Turns {
  private readonly last = new Map<string, Promise<void>>();

  get size(): number {
    return this.last.size;
  }

  /** Whether a step under the key has not begun yet. */
  isWaiting(key: string): boolean {
    return this.last.has(key);
  }

  /** Begins `step` when `ready` is there and the steps that came before under the key have begun, or will not begin. */
  take<T, R>(key: string, ready: T | Promise<T>, step: (value: T) => Promise<R>): Promise<R> {
    const value = Promise.resolve(ready);
    // It may fail while its turn is still to come; it is told then.
    value.catch(() => undefined);
    const begun = (this.last.get(key) ?? Promise.resolve())
      .then(() => value)
      .then((value) => ({ result: step(value) }));
    const over: Promise<void> = begun.then(
      () => this.end(key, over),
      () => this.end(key, over),
    );
    this.last.set(key, over);
    return begun.then(({ result }) => result);
  }

  private end(key: string, step: Promise<void>): void {
    if (this.last.get(key) === step) this.last.delete(key);
  }
}
