import type { Said } from './conversation.js';

/** A message as somebody has it. */
export interface Found {
  clientMsgId: string;
  text: string;
}

/** What is wrong with a copy of a room; all zero where nothing is. */
export interface Differences {
  lost: number;
  doubled: number;
  outOfOrder: number;
  altered: number;
  /** Messages that nobody sent. */
  foreign: number;
}

export const none: Differences = { lost: 0, doubled: 0, outOfOrder: 0, altered: 0, foreign: 0 };

/** Holds a copy of a room, in the order in which it is told, against what was said in it, in the order of the file. */
export function compare(said: readonly Said[], found: readonly Found[]): Differences {
  const place = new Map(said.map(({ id }, i) => [String(id), i]));
  const seen = new Set<number>();
  const differences = { ...none };
  let last = -1;
  for (const { clientMsgId, text } of found) {
    const i = place.get(clientMsgId);
    if (i === undefined) differences.foreign += 1;
    else if (seen.has(i)) differences.doubled += 1;
    else {
      seen.add(i);
      if (i < last) differences.outOfOrder += 1;
      if (said[i]?.text !== text) differences.altered += 1;
      last = Math.max(last, i);
    }
  }
  differences.lost = said.length - seen.size;
  return differences;
}

export function add(a: Differences, b: Differences): Differences {
  return {
    lost: a.lost + b.lost,
    doubled: a.doubled + b.doubled,
    outOfOrder: a.outOfOrder + b.outOfOrder,
    altered: a.altered + b.altered,
    foreign: a.foreign + b.foreign,
  };
}

export function isClean(differences: Differences): boolean {
  return Object.values(differences).every((count) => count === 0);
}
