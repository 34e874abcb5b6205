import { ChatError } from '../chat-error.js';

/** What keeps a user out, all in ms since 1970. */
export interface Access {
  /** Tokens that were made before are refused; 0 where none are. */
  readonly validFrom: number;
  /** 0 where he is not banned, `Infinity` where he is for good. */
  readonly bannedUntil: number;
  /** Set of what was taken back: a key, or a session of an account. */
  readonly revoked?: 'key' | 'session' | null;
}

/** The columns of `user_access` as `Access`; of a user without a row, everything is open. */
export const accessColumns = `
  coalesce(extract(epoch from access.valid_from) * 1000, 0)::float8 as "validFrom",
  case when access.banned_at is null then 0
       else coalesce(extract(epoch from access.banned_until) * 1000, 'Infinity') end::float8 as "bannedUntil"`;

/**
 * Why a token is refused, if it is.
 * @param issuedAt when the token was made; one that does not say is taken for older than any that was refused
 */
export function refusalOf(
  { validFrom, bannedUntil, revoked }: Access,
  issuedAt: number | undefined,
  now = Date.now(),
): ChatError | undefined {
  if (revoked === 'key') return new ChatError('unauthenticated', 'The key was revoked');
  if (revoked === 'session') return new ChatError('unauthenticated', 'The session was ended; log in again');
  if (bannedUntil > now) return new ChatError('banned', 'You are not let in here any more');
  if (validFrom > (issuedAt ?? -Infinity) && validFrom > 0)
    return new ChatError('token_expired', 'The sessions of before were ended; connect with another token');
  return undefined;
}
