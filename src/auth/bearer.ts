import { ChatError } from '../chat-error.js';

/** The credential of an `Authorization: Bearer …` header. @throws ChatError `unauthenticated` */
export function bearer(header: string | undefined): string {
  const match = /^Bearer ([\x21-\x7e]{1,8192})$/i.exec(header ?? '');
  if (match?.[1] === undefined) throw new ChatError('unauthenticated', 'Send the header Authorization: Bearer <token>');
  return match[1];
}
