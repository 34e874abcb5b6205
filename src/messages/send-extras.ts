import { hash } from 'node:crypto';
import { may, Role, type Message, type SendMessage } from '../protocol/index.js';

/** What most messages do not have. */
export type Extras = Pick<Message, 'replyTo' | 'threadRoot' | 'mentions' | 'meta'>;

/** Undefined where there are none: a plain message costs nothing of all this. */
export function extrasOf({ replyTo, threadRoot, mentions, meta }: SendMessage): Extras | undefined {
  if (replyTo === undefined && threadRoot === undefined && mentions === undefined && meta === undefined)
    return undefined;
  return {
    ...(replyTo !== undefined && { replyTo }),
    ...(threadRoot !== undefined && { threadRoot }),
    ...(mentions !== undefined && { mentions }),
    ...(meta !== undefined && { meta }),
  };
}

/** As `send_messages` takes them; null where none of the sends has any. */
export function extrasParameter(sends: readonly { readonly request: SendMessage }[]): string | null {
  let items: object[] | undefined;
  for (const [i, { request }] of sends.entries()) {
    const extras = extrasOf(request);
    if (extras === undefined) continue;
    const { replyTo: reply_to, threadRoot: thread_root, mentions, meta } = extras;
    (items ??= []).push({ place: i + 1, reply_to, thread_root, mentions, meta });
  }
  if (items === undefined) return null;
  return JSON.stringify({ items, room_callers: Role.options.filter((role) => may(role, 'message:mentionRoom')) });
}

/** Of what a retry must repeat, in hex. Half of a SHA-256 is plenty to tell two messages of one sender apart. */
export function fingerprintOf(request: SendMessage): string {
  const extras = extrasOf(request);
  // No text has a NUL, so none can look like another with extras.
  const content = extras === undefined ? request.text : `${request.text}\0${JSON.stringify(inOrder(extras))}`;
  return hash('sha256', content).slice(0, 32);
}

/** Objects with their keys in order, so that equal ones are written equally. */
function inOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(inOrder);
  const entries = Object.entries(value).map(([key, each]): [string, unknown] => [key, inOrder(each)]);
  return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}
