import type { EntityManager } from 'typeorm';
import type { Caller } from '../auth/caller.js';
import type { Origin } from '../auth/origin.js';

/**
 * What is recorded: every act of an admin; of members what they do to others and to what others may say; and what becomes of
 * accounts, who tries to get into them, and their sessions.
 */
export const auditActions = [
  'account.password',
  'filter.add',
  'filter.remove',
  'held.approve',
  'held.decline',
  'key.make',
  'key.revoke',
  'login.refuse',
  'member.ban',
  'member.mute',
  'member.remove',
  'member.role',
  'member.shadow',
  'member.unban',
  'message.delete',
  'message.post',
  'report.delete',
  'report.dismiss',
  'room.archive',
  'room.govern',
  'room.read',
  'session.end',
  'session.reuse',
  'user.ban',
  'user.disconnect',
  'user.purge',
  'user.unban',
] as const;
export type AuditAction = (typeof auditActions)[number];

/** Who did it, and from where. */
export interface By {
  readonly kind: 'admin key' | 'user' | 'api key';
  /** The user or the key; null for the admin key, and for who did not prove who he is. */
  readonly id: string | null;
  /** As it was seen here; null where that is not known any more. */
  readonly address: string | null;
  /** Of a request over REST; of a request over a socket that of its connection. */
  readonly requestId: string | null;
}

export interface Act {
  readonly by: By;
  readonly action: AuditAction;
  /** The id of whom or what it was done to; `room seq` of a message. */
  readonly target?: string;
  readonly roomId?: string;
  /** What else there is to it; never the text of a message, nor any secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * Adds to the log, in the transaction that does the act, as its last statement: who adds has the head of the chain locked until
 * the commit, and everybody else who adds waits for it.
 */
export async function record(
  manager: EntityManager,
  { by, action, target = '', roomId, details = {} }: Act,
): Promise<void> {
  await manager.query('select audit($1, $2, $3, $4, $5, $6, $7, $8)', [
    action,
    by.kind,
    by.id,
    target,
    roomId ?? null,
    by.address,
    by.requestId,
    JSON.stringify(details),
  ]);
}

export function byNobody({ address, requestId }: Origin): By {
  return { kind: 'user', id: null, address, requestId };
}

export function byCaller({ id, key, address, requestId, sessionId }: Caller): By {
  return {
    kind: key === undefined ? 'user' : 'api key',
    id: key?.id ?? id,
    address: address ?? null,
    requestId: requestId ?? sessionId ?? null,
  };
}
