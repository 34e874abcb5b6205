import type { User } from '../../sdk/index.js';

const hues = 8;

/** A colour of its own for each person, the same on every page: 0 to 7. */
export function hueOf(userId: string): number {
  let sum = 0;
  for (const letter of userId) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return sum % hues;
}

const letters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const first = (word: string): string => letters.segment(word)[Symbol.iterator]().next().value?.segment ?? '';

function initials(name: string): string {
  const words = name.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const [start, ...rest] = words.length > 0 ? words : [name];
  return (first(start ?? '') + (rest.length > 0 ? first(rest[rest.length - 1] ?? '') : '')).toUpperCase();
}

/** Decoration beside a name that is written out: silent to screen readers. */
export function Avatar({ user, small = false }: { user: User; small?: boolean }) {
  return (
    <span className={`avatar hue-${hueOf(user.id)}${small ? ' small' : ''}`} aria-hidden="true">
      {initials(user.name)}
    </span>
  );
}
