import { ChatError } from '../chat-error.js';
import type { Ban } from '../protocol/index.js';
import type { LockedRoom } from './room-ledger.js';

export interface BanRow {
  roomId: string;
  userId: string;
  userName: string;
  bannedBy: string;
  reason: string;
  createdAt: Date;
  until: Date | null;
}

/** Of `room_bans ban join users on users.id = ban.user_id`. */
export const BAN_COLUMNS = `ban.room_id as "roomId", ban.user_id as "userId", users.name as "userName",
  ban.banned_by as "bannedBy", ban.reason, ban.created_at as "createdAt", ban.until`;

export function toBan({ roomId, userId, userName, bannedBy, reason, createdAt, until }: BanRow): Ban {
  return {
    roomId,
    user: { id: userId, name: userName },
    bannedBy,
    reason,
    createdAt: createdAt.toISOString(),
    until: until?.toISOString() ?? null,
  };
}

/**
 * @param who `once a member`: only if he was in the room, because others may not know that it exists
 * @throws ChatError `banned`
 */
export async function mustNotBeBanned(
  { manager, room, now }: LockedRoom,
  userId: string,
  who: 'anyone' | 'once a member' = 'anyone',
): Promise<void> {
  const found: unknown = await manager.query(
    `select from room_bans where room_id = $1 and user_id = $2 and (until is null or until > $3)
       and ($4 or exists (select from memberships where room_id = $1 and user_id = $2))`,
    [room.id, userId, now, who === 'anyone'],
  );
  if ((found as unknown[]).length > 0) throw new ChatError('banned', 'Banned from this room');
}
