import { z } from 'zod';
import { Id, scopes, Timestamp, UserName } from '../protocol/index.js';
import { Moment } from './admin.schemas.js';

export const MakeKey = z.strictObject({
  /** Of the key; of its bot, too, where that is new. */
  name: UserName,
  scopes: z.array(z.enum(scopes)).min(1).max(scopes.length),
  /** The bot that it acts as; left out, a new one. */
  userId: Id.optional(),
  /** Left out, it is good until it is revoked. */
  expiresAt: Moment.optional(),
});
export type MakeKey = z.output<typeof MakeKey>;

export const AdminKey = z.object({
  id: Id,
  name: z.string(),
  scopes: z.array(z.enum(scopes)),
  userId: Id,
  createdAt: Timestamp,
  expiresAt: Timestamp.nullable(),
  revokedAt: Timestamp.nullable(),
  /** To the hour; null where it was never used. */
  lastUsedAt: Timestamp.nullable(),
});
export type AdminKey = z.output<typeof AdminKey>;

/** `token` is the key itself, told this once. */
export const MadeKey = z.object({ key: AdminKey, token: z.string() });
export type MadeKey = z.output<typeof MadeKey>;

export const AdminKeys = z.object({ items: z.array(AdminKey) });
export type AdminKeys = z.output<typeof AdminKeys>;
