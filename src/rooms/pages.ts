import { ChatError } from '../chat-error.js';
import { Id, type User } from '../protocol/index.js';

/** Of rows that were asked for with one more than the limit. */
export function pageOf<T>(
  found: T[],
  limit: number,
  idOf: (item: T) => string,
): { items: T[]; nextCursor: string | null } {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: found.length > limit && last !== undefined ? idOf(last) : null };
}

export function pageOfUsers<T extends { user: User }>(
  found: T[],
  limit: number,
): { items: T[]; nextCursor: string | null } {
  return pageOf(found, limit, ({ user }) => user.id);
}

/** Where such a page ended. @throws ChatError `invalid_argument` */
export function userIdOf(cursor: string): string {
  const id = Id.safeParse(cursor);
  if (id.success) return id.data;
  throw new ChatError('invalid_argument', 'The cursor is not one that a page gave', { details: ['cursor: Unknown'] });
}

/** Before every id there is. */
export const FIRST_ID = '00000000-0000-0000-0000-000000000000';
