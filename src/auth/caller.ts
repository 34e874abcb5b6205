import { ChatError } from '../chat-error.js';
import type { Scope, User } from '../protocol/index.js';

/**
 * What someone is in the whole service, apart from his roles in rooms: an admin may do all that the admin REST offers, an auditor
 * may only read there.
 */
export const serviceRoles = ['user', 'auditor', 'admin'] as const;
export type ServiceRole = (typeof serviceRoles)[number];

/** Who asks. Made once a connection (or REST request) by the token check; services trust it. */
export interface Caller extends User {
  /** The Socket.IO connection that asks; undefined for REST. */
  readonly sessionId?: string;
  /** Where the connection or request came from, as it was seen here. */
  readonly address?: string;
  /** Of a request over REST. */
  readonly requestId?: string;
  /** By the app's word; where it is undefined, a user like any other. */
  readonly role?: ServiceRole;
  /** The key that it was asked with, and what that is good for; undefined for a token, which is good for all. */
  readonly key?: { readonly id: string; readonly scopes: readonly Scope[] };
  /** Of one who logged in with an account. */
  readonly accountSessionId?: string;
  /** When the token was made, or the session of an account began, in ms since 1970; undefined where it does not say. */
  readonly issuedAt?: number | undefined;
  /** ms since 1970. */
  readonly tokenExpiresAt: number;
}

/** What can be taken back without shutting out its user: the key or the session of an account that he came in with. */
export function credentialOf({ key, accountSessionId }: Caller): string | undefined {
  return key?.id ?? accountSessionId;
}

/** @throws ChatError `forbidden` where it is asked with a key that is not for this */
export function checkScope({ key }: Caller, scope: Scope): void {
  if (key !== undefined && !key.scopes.includes(scope)) throw new ChatError('forbidden', 'The key is not for this');
}
