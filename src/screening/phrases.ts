import type { FilterAction } from '../protocol/index.js';
import { isInWord } from './folded-text.js';

/** Whether what was found from `begin` to `end` stands for itself there. */
export interface Edges {
  begin(folded: string, at: number): boolean;
  end(folded: string, at: number): boolean;
}

/** Code units from here on in the folded text, `end` not included. */
export interface Span {
  begin: number;
  end: number;
}

/**
 * Phrases as a tree of their code units. A text is walked from each of its places as far as the tree goes, which is no further
 * than the longest phrase: the time is that of the text, however many phrases there are.
 */
export class Phrases {
  /** By node and unit; one map for all costs a tenth of one a node. */
  private readonly next = new Map<number, number>();
  private readonly actions = new Map<number, FilterAction>();
  private nodes = 1;

  constructor(private readonly edges: Edges) {}

  get size(): number {
    return this.nodes;
  }

  /** Of two actions for one phrase the severer one holds. */
  add(folded: string, action: FilterAction): void {
    if (folded === '') return;
    let node = 0;
    for (let i = 0; i < folded.length; i++) {
      const step = node * 0x1_0000 + folded.charCodeAt(i);
      let next = this.next.get(step);
      if (next === undefined) this.next.set(step, (next = this.nodes++));
      node = next;
    }
    const known = this.actions.get(node);
    if (known === undefined || severity(action) > severity(known)) this.actions.set(node, action);
  }

  /** Adds to `masked` what is to be masked. The severest of what is found; where that is `reject`, not everything is looked for. */
  scan(folded: string, masked: Span[]): FilterAction | undefined {
    if (this.actions.size === 0) return undefined;
    let severest: FilterAction | undefined;
    for (let begin = 0; begin < folded.length; begin++) {
      let node = this.next.get(folded.charCodeAt(begin));
      if (node === undefined || !this.edges.begin(folded, begin)) continue;
      let longest = 0;
      for (let end = begin + 1; node !== undefined; end++) {
        const action = this.actions.get(node);
        if (action !== undefined && this.edges.end(folded, end)) {
          if (action === 'reject') return action;
          if (action === 'hold') severest = action;
          else {
            severest ??= action;
            longest = end;
          }
        }
        node = end < folded.length ? this.next.get(node * 0x1_0000 + folded.charCodeAt(end)) : undefined;
      }
      if (longest > 0) masked.push({ begin, end: longest });
    }
    return severest;
  }
}

/** How much it takes from who said it. */
export const severity = (action: FilterAction | undefined): number =>
  action === undefined ? -1 : ['mask', 'hold', 'reject'].indexOf(action);

export const wordEdges: Edges = {
  begin: (folded, at) => !(goesOn(folded, at) && goesOnBefore(folded, at)),
  end: (folded, at) => !(goesOn(folded, at) && goesOnBefore(folded, at)),
};

/** What stands before a dot is below the domain. What comes after it makes another one of it. */
export const linkEdges: Edges = {
  begin: (folded, at) => at === 0 || !(folded[at - 1] === '-' || goesOnBefore(folded, at)),
  end: (folded, at) =>
    at >= folded.length ||
    !(goesOn(folded, at) || ((folded[at] === '.' || folded[at] === '-') && goesOn(folded, at + 1))),
};

function goesOn(folded: string, at: number): boolean {
  return at < folded.length && isInWord(folded.codePointAt(at) ?? 0);
}

function goesOnBefore(folded: string, at: number): boolean {
  if (at === 0) return false;
  const unit = folded.charCodeAt(at - 1);
  const isSecond = unit >= 0xdc00 && unit <= 0xdfff && at > 1;
  return isInWord((isSecond ? folded.codePointAt(at - 2) : unit) ?? 0);
}
