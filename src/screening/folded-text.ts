/** Of scripts that put no spaces between words: a letter of theirs is the end of no word, and the beginning of none. */
const SPACELESS =
  /^[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}\p{scx=Tibetan}]$/u;
const WORD = /^[\p{L}\p{N}\p{M}_]$/u;
/** What follows a letter and is part of it; the halfwidth voicing marks of Katakana are letters to Unicode. */
const ATTACHED = /^[\p{M}\uff9e\uff9f]$/u;
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cc}]/gu;
/** Tables of what was asked of a character; of so many at most, that is of all that are in use. */
const MOST_KNOWN = 20_000;

/** A text as filters read it, and where each part of it stood. */
export interface FoldedText {
  readonly folded: string;
  /** Of the code unit at `i` of `folded`: where what it came from begins in the text, and where that ends. */
  readonly begins: Uint32Array;
  readonly ends: Uint32Array;
}

/**
 * In one case, one width (NFKC) and without what cannot be seen. Letter by letter, so that what is found can be found again in
 * the text; words are folded alike.
 */
export function fold(text: string): FoldedText {
  const parts: string[] = [];
  const begins: number[] = [];
  const ends: number[] = [];
  for (let at = 0; at < text.length;) {
    const begin = at;
    at += widthAt(text, at);
    while (at < text.length && isAttached(text, at)) at += widthAt(text, at);
    const part = foldedOf(text.slice(begin, at));
    parts.push(part);
    for (let i = 0; i < part.length; i++) {
      begins.push(begin);
      ends.push(at);
    }
  }
  return { folded: parts.join(''), begins: Uint32Array.from(begins), ends: Uint32Array.from(ends) };
}

/** Whether the code point that begins at `at` can go on a word that its neighbour is part of. */
export const isInWord = remembering((codePoint: number) => {
  const character = String.fromCodePoint(codePoint);
  return WORD.test(character) && !SPACELESS.test(character);
});

const attaches = remembering((codePoint: number) => ATTACHED.test(String.fromCodePoint(codePoint)));

const foldedOf = remembering((letter: string) =>
  // Upper case first: what has several small letters (ß, ς, ı) has one of them then.
  letter.normalize('NFKC').replaceAll(INVISIBLE, '').replaceAll('。', '.').toUpperCase().toLowerCase(),
);

function isAttached(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0x300 && attaches(text.codePointAt(at) ?? 0);
}

function widthAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

function remembering<K, V>(find: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    let value = known.get(key);
    if (value === undefined) {
      if (known.size >= MOST_KNOWN) known.clear();
      value = find(key);
      known.set(key, value);
    }
    return value;
  };
}
