/** What the questions of one query may weigh together, where each weighs one. */
const AT_MOST = 50;
/** Queries on their way at the same time; one that hangs does not hold up all the others. */
const AT_ONCE = 2;

interface Waiting<K, V> {
  key: K;
  resolve: (value: V) => void;
  reject: (error: unknown) => void;
}

/**
 * Makes one query of what many ask at the same time: what comes while queries are under way goes into the next one, so an
 * idle server answers at once and a busy one does not ask once a client. There is no timer. An answer is never older than
 * its question.
 */
export class BatchedRead<K, V> {
  private readonly waiting: Waiting<K, V>[] = [];
  private underWay = 0;

  /**
   * @param read answers in the order of the keys, among which there may be equal ones
   * @param weigh how much of `atMost`, which bounds one query, a key takes; one that weighs more goes alone
   */
  constructor(
    private readonly read: (keys: readonly K[]) => Promise<readonly V[]>,
    private readonly weigh: (key: K) => number = () => 1,
    private readonly atMost = AT_MOST,
  ) {}

  /** @throws what `read` does, together with all that was asked with it */
  get(key: K): Promise<V> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ key, resolve, reject });
      this.next();
    });
  }

  private next(): void {
    if (this.underWay >= AT_ONCE || this.waiting.length === 0) return;
    this.underWay += 1;
    void this.answer(this.take()).finally(() => {
      this.underWay -= 1;
      this.next();
    });
  }

  private take(): Waiting<K, V>[] {
    let weight = 0;
    const end = this.waiting.findIndex(({ key }, i) => (weight += this.weigh(key)) > this.atMost && i > 0);
    return this.waiting.splice(0, end < 0 ? this.waiting.length : end);
  }

  private async answer(batch: Waiting<K, V>[]): Promise<void> {
    try {
      const values = await this.read(batch.map(({ key }) => key));
      batch.forEach(({ resolve }, i) => resolve(values[i] as V));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
