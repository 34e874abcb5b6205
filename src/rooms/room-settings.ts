import { uuidv7 } from 'uuidv7';
import type { CreateRoom, RoomResult } from '../protocol/index.js';
import { toRoom, type RoomEntity } from './room.entity.js';
import type { LockedRoom, Outcome } from './room-ledger.js';

/** A room that nobody is in yet. */
export function newRoom(createdBy: string, settings: Omit<CreateRoom, 'roomId'>, id: string = uuidv7()): RoomEntity {
  return {
    id,
    ...settings,
    kind: 'group',
    directLow: null,
    directHigh: null,
    createdBy,
    createdAt: new Date(),
    archivedAt: null,
    memberCount: 0,
    seq: 0,
    rev: 0,
    settingsRev: 0,
  };
}

/** Of the locked room, as one change. What is undefined stays. */
export async function changeSettings(
  locked: LockedRoom,
  settings: { [K in keyof RoomEntity]?: RoomEntity[K] | undefined },
): Promise<Outcome<RoomResult>> {
  const { room, manager } = locked;
  const given = Object.fromEntries(
    (Object.entries(settings) as [string, unknown][]).filter(([, value]) => value !== undefined),
  );
  Object.assign(room, given, { settingsRev: locked.nextRev() });
  await manager.query(
    `update rooms set name = $2, topic = $3, visibility = $4, read_only = $5, meta = $6, slow_mode_s = $7, member_limit = $8,
       history_visible = $9, join_requests = $10, archived_at = $11
     where id = $1`,
    [
      room.id,
      room.name,
      room.topic,
      room.visibility,
      room.readOnly,
      JSON.stringify(room.meta),
      room.slowModeS,
      room.memberLimit,
      room.historyVisible,
      room.joinRequests,
      room.archivedAt,
    ],
  );
  return { result: { room: toRoom(room) }, changes: [{ rev: room.settingsRev, kind: 'room', room: toRoom(room) }] };
}
