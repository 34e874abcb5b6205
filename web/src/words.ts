import { ParleyError, type ErrorCode } from '../../sdk/index.js';

const sentences: Record<ErrorCode, string> = {
  unauthenticated: 'Your session has ended. Pick a name to carry on.',
  token_expired: 'Your session has ended. Pick a name to carry on.',
  forbidden: 'You are not allowed to do that.',
  not_member: 'You are not in this room any more.',
  banned: 'You are banned from this room.',
  muted: 'You cannot write here at the moment.',
  not_found: 'That is not there (any more), or not for you.',
  invalid_argument: 'The server did not accept that.',
  unknown_event: 'This page and the server do not fit together. Reload the page.',
  payload_too_large: 'That is too long.',
  rate_limited: 'That was a bit fast. Wait a moment and try again.',
  overloaded: 'The server is busy. Try again in a moment.',
  held: 'A moderator has to approve this first. It appears when that is done.',
  rejected: 'That cannot be said here.',
  slow_mode: 'This room is in slow mode. Wait a moment before you write again.',
  conflict: 'Someone else changed that at the same time. Try again.',
  version_mismatch: 'This was changed on another device in the meantime. Save again to write over it.',
  idempotency_mismatch: 'This message was sent before with another text.',
  room_archived: 'This room is archived: it can be read, but not written to.',
  room_full: 'This room is full.',
  slow_consumer: 'Your connection is too slow to keep up. It is being renewed.',
  too_many_connections: 'Too many windows are open for this person. Close one and try again.',
  draining: 'The server is restarting. Try again in a moment.',
  unavailable: 'The server cannot be reached right now. Try again in a moment.',
  internal: 'Something went wrong on the server. Try again; if it stays, tell whoever runs it.',
};

/** What went wrong, for the person in front of the page. */
export function inWords(error: unknown): string {
  if (error instanceof ParleyError) {
    const details = error.code === 'invalid_argument' && error.details?.length ? ` (${error.details.join('; ')})` : '';
    return sentences[error.code] + details;
  }
  return 'Something went wrong on this page. Reload it and try again.';
}

/** `1 message`, `2 messages`. */
export const count = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString()} ${n === 1 ? one : many}`;

/** `Ann`, `Ann and Bo`, `Ann, Bo and Cy`, `Ann, Bo and 7 others`. */
export function listing(names: readonly string[], most = 3): string {
  if (names.length <= 1) return names[0] ?? '';
  const shown = names.length > most ? names.slice(0, most - 1) : names.slice(0, -1);
  const last = names.length > most ? `${names.length - shown.length} others` : names[names.length - 1];
  return `${shown.join(', ')} and ${last ?? ''}`;
}
