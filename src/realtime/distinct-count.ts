/**
 * How many users several instances have together, each counted once, without telling each other who they are: by the smallest
 * marks of each ("K minimum values", Bar-Yossef et al., 2002). A user's mark is a number drawn from his id, the same everywhere;
 * the more users there are, the nearer the smallest marks lie to zero.
 */

/** Up to so many users the count is exact; above it errs by about 3 %, 1/√k. */
export const SAMPLE = 1_024;
const MARKS = 2 ** 32;

/** The smallest marks of these users, ascending; all of them where there are no more than `SAMPLE`. */
export function sampleOf(userIds: Iterable<string>): number[] {
  return smallest(Array.from(userIds, markOf));
}

/** How many users are behind samples of one or more instances. */
export function countOf(samples: Iterable<readonly number[]>): number {
  const marks = smallest([...samples].flat());
  const last = marks[SAMPLE - 1];
  return last === undefined ? marks.length : Math.round(((SAMPLE - 1) * MARKS) / (last + 1));
}

export function isSample(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= SAMPLE && value.every(isMark);
}

function isMark(value: unknown): boolean {
  return typeof value === 'number' && value >>> 0 === value;
}

function smallest(marks: number[]): number[] {
  return [...new Set(Uint32Array.from(marks).sort())].slice(0, SAMPLE);
}

/** The random end of a UUID, mixed once more (the finalizer of MurmurHash3), for whoever made ids that count up. */
function markOf(userId: string): number {
  let mark = Number.parseInt(userId.slice(-8), 16);
  mark = Math.imul(mark ^ (mark >>> 16), 0x85ebca6b);
  mark = Math.imul(mark ^ (mark >>> 13), 0xc2b2ae35);
  return (mark ^ (mark >>> 16)) >>> 0;
}
