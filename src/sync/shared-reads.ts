import { BatchedRead } from '../database/batched-read.js';
import { limits } from '../protocol/index.js';
import type { ChangeLog, ChangeRange, ChangeSlice } from '../realtime/change-log.js';

/** How long a slice is given out again, in ms. It stays right: what changed since is a later change. */
const KEPT = 1_000;
const KEPT_SLICES = 2_000;
/** The most changes that one query may bring. */
const CHANGES = 2 * limits.syncTotal;

/**
 * When an instance goes, its clients come back together and have missed the same changes of the same rooms: they are read
 * once for all of them.
 */
export class SharedReads {
  private readonly slices = new Map<string, Promise<ChangeSlice>>();
  private readonly reads: BatchedRead<Wanted, ChangeSlice>;

  constructor(log: ChangeLog) {
    this.reads = new BatchedRead(
      (wanted) => readAll(log, wanted),
      (wanted) => wanted.limit,
      CHANGES,
    );
  }

  /** A slice a range, in their order; what nobody asked for lately is read, with what others ask for at the same time. @throws what the database says */
  readMany(ranges: readonly ChangeRange[], limit: number): Promise<ChangeSlice[]> {
    const keys = ranges.map((range) => keyOf(range, limit));
    return Promise.all(ranges.map((range, i) => this.slices.get(keys[i] ?? '') ?? this.readAndKeep(range, limit)));
  }

  private readAndKeep(range: ChangeRange, limit: number): Promise<ChangeSlice> {
    const key = keyOf(range, limit);
    const slice = this.reads.get({ range, limit });
    this.slices.set(key, slice);
    const forget = (): void => {
      if (this.slices.get(key) === slice) this.slices.delete(key);
    };
    slice.catch(forget);
    setTimeout(forget, KEPT).unref();
    for (const key of this.slices.keys()) {
      if (this.slices.size <= KEPT_SLICES) break;
      // The oldest go first: whoever asked for one has it in hand.
      this.slices.delete(key);
    }
    return slice;
  }
}

interface Wanted {
  range: ChangeRange;
  limit: number;
}

function keyOf({ roomId, after, upTo }: ChangeRange, limit: number): string {
  return `${roomId} ${after} ${upTo} ${limit}`;
}

/** Those of one limit together. */
async function readAll(log: ChangeLog, wanted: readonly Wanted[]): Promise<ChangeSlice[]> {
  const slices: ChangeSlice[] = [];
  for (const limit of new Set(wanted.map((each) => each.limit))) {
    const places = [...wanted.keys()].filter((i) => wanted[i]?.limit === limit);
    const ranges = places.flatMap((i) => wanted[i]?.range ?? []);
    for (const [j, slice] of (await log.readMany(ranges, limit)).entries()) slices[places[j] ?? 0] = slice;
  }
  return slices;
}
