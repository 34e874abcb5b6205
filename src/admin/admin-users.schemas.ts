import { z } from 'zod';
import { Id, Purged, PurgeSpan, Timestamp, limits } from '../protocol/index.js';
import { queryOf } from '../rest/query.js';
import { Moment } from './admin.schemas.js';

const REASON_LENGTH = 500;

export const AdminUser = z.object({
  id: Id,
  name: z.string(),
  kind: z.enum(['app', 'guest', 'bot', 'account']),
  /** The app's own id of the user; null for all others. */
  subject: z.string().nullable(),
  createdAt: Timestamp,
  /** Tokens that were made before are refused; null where that was never asked for. */
  tokensFrom: Timestamp.nullable(),
  /** Null where there is none, or it is over; `until` is null where it is for good. */
  ban: z.object({ since: Timestamp, until: Timestamp.nullable(), reason: z.string() }).nullable(),
});
export type AdminUser = z.output<typeof AdminUser>;

export const AdminUserPage = z.object({ items: z.array(AdminUser), nextCursor: z.string().nullable() });
export type AdminUserPage = z.output<typeof AdminUserPage>;

const UsersQuery = z.strictObject({
  /** The app's own id of a user. */
  subject: z
    .string()
    .min(1)
    .max(200)
    .refine((value) => value.isWellFormed() && !value.includes('\0'), 'Is not well-formed text')
    .optional(),
  cursor: Id.optional(),
  limit: z.int().min(1).max(limits.listPage).default(limits.listPageDefault),
});
export const AdminUsersQuery = queryOf(UsersQuery);
export type AdminUsersQuery = z.output<typeof UsersQuery>;

export const BanUser = z.strictObject({
  /** For good where it is left out. */
  until: Moment.optional(),
  /** For those who read it later; the user is not told. */
  reason: z
    .string()
    .max(REASON_LENGTH)
    .refine((value) => value.isWellFormed() && !value.includes('\0'), 'Is not well-formed text')
    .default(''),
});
export type BanUser = z.output<typeof BanUser>;

export const PurgeUser = z.strictObject({
  /** Only what was sent in so many seconds until now. */
  lastS: PurgeSpan.optional(),
});
export type PurgeUser = z.output<typeof PurgeUser>;

/** `rooms`: in how many some were deleted. */
export const PurgedUser = Purged.extend({ rooms: z.int().nonnegative() });
export type PurgedUser = z.output<typeof PurgedUser>;
