import { z } from 'zod';
import { limits } from '../limits.js';
import { isMeta } from '../meta.js';
import { HistoryVisible, Id, Member, Room, RoomSummary, Visibility } from '../models.js';
import { wellFormed, listLimit, cursor, RoomName, page, changesAnything } from './fields.js';

const roomMeta = z
  .record(z.string(), z.unknown())
  .refine(isMeta, `Is no JSON of at most ${limits.roomMetaBytes} bytes and ${limits.metaDepth} levels`);

const slowModeS = z.int().min(0).max(limits.slowModeS);
const memberLimit = z.int().min(1).max(limits.membersPerRoom).nullable();

export const CreateRoom = z.strictObject({
  /**
   * Chosen by the client if it wants to retry safely: creating the same id again gives back the room of the first time.
   * A UUIDv7.
   */
  roomId: z.uuidv7().toLowerCase().optional(),
  name: RoomName,
  topic: wellFormed(limits.topicLength).default(''),
  visibility: Visibility.default('public'),
  readOnly: z.boolean().default(false),
  meta: roomMeta.default({}),
  slowModeS: slowModeS.default(0),
  memberLimit: memberLimit.default(null),
  historyVisible: HistoryVisible.default('all'),
  joinRequests: z.boolean().default(false),
});
export type CreateRoom = z.output<typeof CreateRoom>;

/** What can be changed of a room; at least one of them. */
export const RoomSettings = z
  .strictObject({
    name: RoomName.optional(),
    topic: wellFormed(limits.topicLength).optional(),
    meta: roomMeta.optional(),
    slowModeS: slowModeS.optional(),
    visibility: Visibility.optional(),
    readOnly: z.boolean().optional(),
    memberLimit: memberLimit.optional(),
    historyVisible: HistoryVisible.optional(),
    joinRequests: z.boolean().optional(),
  })
  .refine((settings) => changesAnything(settings, 'roomId'), 'Nothing to change');
export type RoomSettings = z.output<typeof RoomSettings>;

export const UpdateRoom = RoomSettings.safeExtend({ roomId: Id });
export type UpdateRoom = z.output<typeof UpdateRoom>;

export const RoomRef = z.strictObject({ roomId: Id });
export type RoomRef = z.output<typeof RoomRef>;

export const ArchiveRoom = z.strictObject({ roomId: Id, on: z.boolean() });
export type ArchiveRoom = z.output<typeof ArchiveRoom>;

export const DirectRoom = z.strictObject({ userId: Id });
export type DirectRoom = z.output<typeof DirectRoom>;

export const DiscoverRooms = z.strictObject({
  /** Part of the name, in any case. */
  query: wellFormed(limits.roomNameLength).trim().optional(),
  /** `nextCursor` of the page before. */
  cursor: cursor.optional(),
  limit: listLimit,
});
export type DiscoverRooms = z.output<typeof DiscoverRooms>;

export const RoomAndMember = z.object({ room: Room, member: Member });
export type RoomAndMember = z.output<typeof RoomAndMember>;

export const RoomResult = z.object({ room: Room });
export type RoomResult = z.output<typeof RoomResult>;

export const RoomPage = page(RoomSummary);
export type RoomPage = z.output<typeof RoomPage>;
