import { z } from 'zod';
import { auditActions } from '../audit/audit-log.js';
import { Id, limits, Timestamp } from '../protocol/index.js';
import { queryOf } from '../rest/query.js';

/** One act, as it stands in the log. */
export const AuditEntry = z.object({
  seq: z.int().positive(),
  at: Timestamp,
  action: z.enum(auditActions),
  /** Who did it; `id` is that of the user or the key, null for the admin key and for who did not prove who he is. */
  actor: z.object({ kind: z.enum(['admin key', 'user', 'api key']), id: Id.nullable() }),
  /** The id of whom or what it was done to, or the seq of a message; empty where the action says it all. */
  target: z.string(),
  roomId: Id.nullable(),
  address: z.string().nullable(),
  requestId: z.string().nullable(),
  details: z.record(z.string(), z.unknown()),
  /** Of this entry and all before it, in hex. */
  hash: z.string(),
});
export type AuditEntry = z.output<typeof AuditEntry>;

/** Newest first; `nextCursor` goes into the next request. */
export const AuditPage = z.object({ items: z.array(AuditEntry), nextCursor: z.string().nullable() });
export type AuditPage = z.output<typeof AuditPage>;

const Filter = z.strictObject({
  actorId: Id.optional(),
  action: z.enum(auditActions).optional(),
  target: z.string().max(100).optional(),
  roomId: Id.optional(),
  /** Not before. */
  from: z.iso.datetime({ offset: true }).optional(),
  /** Before. */
  to: z.iso.datetime({ offset: true }).optional(),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/)
    .optional(),
  limit: z.int().min(1).max(limits.listPage).default(limits.listPageDefault),
});
export const AuditQuery = queryOf(Filter);
export type AuditQuery = z.output<typeof Filter>;
