import { domainToASCII, domainToUnicode } from 'node:url';
import type { FilterAction, FilterRule } from '../protocol/index.js';
import { fold, type FoldedText } from './folded-text.js';
import { linkEdges, Phrases, severity, wordEdges, type Span } from './phrases.js';

/** The filters of the deployment, or of a room, ready to be looked for. */
export class FilterSet {
  private readonly words = new Phrases(wordEdges);
  private readonly links = new Phrases(linkEdges);

  constructor(rules: readonly FilterRule[]) {
    for (const { kind, pattern, action } of rules) {
      if (kind === 'word') this.words.add(fold(pattern).folded, action);
      else for (const written of spellings(pattern)) this.links.add(fold(written).folded, action);
    }
  }

  /** What it takes to keep it, in nodes of some thirty bytes. */
  get size(): number {
    return this.words.size + this.links.size;
  }

  /** As `Phrases.scan`. */
  scan(folded: string, masked: Span[]): FilterAction | undefined {
    return severer(this.words.scan(folded, masked), this.links.scan(folded, masked));
  }
}

/** What filters make of a text: the severest action that is asked for, and the text with what is masked in it. */
export function screened(text: string, sets: readonly FilterSet[]): { action: FilterAction | undefined; text: string } {
  if (sets.length === 0) return { action: undefined, text };
  const whole = fold(text);
  const masked: Span[] = [];
  let action: FilterAction | undefined;
  for (const set of sets) action = severer(action, set.scan(whole.folded, masked));
  return { action, text: masked.length === 0 ? text : mask(text, whole, masked) };
}

function severer(one: FilterAction | undefined, other: FilterAction | undefined): FilterAction | undefined {
  return severity(one) >= severity(other) ? one : other;
}

/** An asterisk for each character, so that the text grows no longer. */
function mask(text: string, { begins, ends }: FoldedText, masked: Span[]): string {
  masked.sort((a, b) => a.begin - b.begin);
  let result = '';
  let at = 0;
  for (const { begin, end } of masked) {
    const from = Math.max(at, begins[begin] ?? at);
    const to = ends[end - 1] ?? from;
    if (to <= from) continue;
    result += text.slice(at, from) + '*'.repeat([...text.slice(from, to)].length);
    at = to;
  }
  return result + text.slice(at);
}

/** A domain of another script has two; the one in Latin letters begins with `xn--`. */
function spellings(domain: string): Set<string> {
  return new Set([domain, domainToASCII(domain), domainToUnicode(domain)]);
}
