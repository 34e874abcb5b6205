import { z } from 'zod';
import { limits } from './limits.js';

const parts =
  /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|[0-9#*]\ufe0f?\u20e3|[\u200d\ufe0f\u{e0020}-\u{e007f}])+$/u;
const custom = /^:[a-z0-9_+-]+:$/;
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** One emoji as a person sees it, or the `:name:` of one of the app's own. What looks the same is the same. */
export const Emoji = z
  .string()
  .max(limits.emojiBytes)
  .overwrite(spelt)
  .refine((emoji) => new TextEncoder().encode(emoji).length <= limits.emojiBytes, 'Is too long')
  .refine((emoji) => custom.test(emoji) || (parts.test(emoji) && isOne(emoji)), 'Is not one emoji');

function isOne(emoji: string): boolean {
  return (
    [...graphemes.segment(emoji)].length === 1 &&
    /\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|\u20e3/u.test(emoji)
  );
}

/** Characters that are shown as text or as an emoji, with and without the selector that says which. */
function spelt(emoji: string): string {
  const [, plain] = /^(\p{Extended_Pictographic})\ufe0f?$/u.exec(emoji) ?? [];
  if (plain === undefined) return emoji;
  return /\p{Emoji_Presentation}/u.test(plain) ? plain : `${plain}\ufe0f`;
}
