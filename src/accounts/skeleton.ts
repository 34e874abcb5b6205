/** What looks alike in a line of lower-case letters, after Unicode’s confusables (UTS 39). */
const LOOKS: readonly (readonly [string | RegExp, string])[] = [
  [/[._-]/g, ''],
  ['0', 'o'],
  ['1', 'l'],
  ['vv', 'w'],
  ['rn', 'm'],
];

/** Of handles with the same skeleton there is one, so that nobody takes `a1ice` beside `alice`. */
export function skeletonOf(handle: string): string {
  return LOOKS.reduce((text, [looks, like]) => text.replaceAll(looks, like), handle);
}
