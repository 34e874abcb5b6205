import type { ChangeLog, ChangeRange, ChangeSlice } from '../realtime/change-log.js';

/** How long a slice is given out again, in ms. It stays right: what changed since is a later change. */
const KEPT = 1_000;
const KEPT_SLICES = 2_000;

/**
 * When an instance goes, its clients come back together and have missed the same changes of the same rooms: they are read
 * once for all of them.
 */
export class SharedReads {
  private readonly slices = new Map<string, Promise<ChangeSlice>>();

  constructor(private readonly log: ChangeLog) {}

  /** A slice a range, in their order; those nobody asked for lately are read together. @throws what the database says */
  readMany(ranges: readonly ChangeRange[], limit: number): Promise<ChangeSlice[]> {
    const keys = ranges.map(({ roomId, after, upTo }) => `${roomId} ${after} ${upTo} ${limit}`);
    const missing = ranges.filter((_, i) => !this.slices.has(keys[i] ?? ''));
    if (missing.length > 0) this.readAndKeep(missing, limit);
    return Promise.all(
      keys.map((key, i) => this.slices.get(key) ?? Promise.resolve({ changes: [], upTo: ranges[i]?.after ?? 0 })),
    );
  }

  private readAndKeep(ranges: ChangeRange[], limit: number): void {
    const read = this.log.readMany(ranges, limit);
    ranges.forEach(({ roomId, after, upTo }, i) => {
      const key = `${roomId} ${after} ${upTo} ${limit}`;
      const slice = read.then((slices) => slices[i] ?? { changes: [], upTo: after });
      this.slices.set(key, slice);
      const forget = (): void => {
        if (this.slices.get(key) === slice) this.slices.delete(key);
      };
      slice.catch(forget);
      setTimeout(forget, KEPT).unref();
    });
    for (const key of this.slices.keys()) {
      if (this.slices.size <= KEPT_SLICES) break;
      // The oldest go first. Those just asked for are the newest, and fewer than the bound.
      this.slices.delete(key);
    }
  }
}
