import { z } from 'zod';
import { limits } from '../limits.js';
import { Change, Id, Member, Message, ReadState, Rev, Room } from '../models.js';

export const SyncRoom = z.strictObject({
  roomId: Id,
  /** As `session:ready` or the last sync told; another one than the server's is answered with a reset. */
  epoch: z.string().max(64).optional(),
  /** The rev of the last change that the client applied; without it the reply is a reset with a snapshot. */
  after: Rev.optional(),
  limit: z.int().min(1).max(limits.syncPage).default(limits.syncPage),
});
export type SyncRoom = z.output<typeof SyncRoom>;

export const SyncRooms = z.strictObject({
  epoch: z.string().max(64).optional(),
  /** For each room that the client holds, the rev of the last change that it applied. */
  cursors: z
    .record(Id, Rev)
    .default({})
    .refine((cursors) => Object.keys(cursors).length <= limits.roomsPerUser, 'Names too many rooms'),
});
export type SyncRooms = z.output<typeof SyncRooms>;

/** What the client missed of a room: apply the changes, move the cursor to `upTo`, ask again while there is `more`. */
export const RoomCatchUp = z.object({
  reset: z.literal(false),
  roomId: Id,
  after: Rev,
  upTo: Rev,
  changes: z.array(Change),
  more: z.boolean(),
  read: ReadState,
});
export type RoomCatchUp = z.output<typeof RoomCatchUp>;

/** Forget what you hold of this room and start from here: the state at rev `upTo`, with its newest messages. */
export const RoomSnapshot = z.object({
  reset: z.literal(true),
  roomId: Id,
  upTo: Rev,
  room: Room,
  /** The caller's own membership. */
  member: Member,
  memberCount: z.int().nonnegative(),
  /** The newest messages, ascending; `history:get` has those before them. */
  messages: z.array(Message),
  hasBefore: z.boolean(),
  read: ReadState,
});
export type RoomSnapshot = z.output<typeof RoomSnapshot>;

export const RoomSynced = z.discriminatedUnion('reset', [RoomCatchUp, RoomSnapshot]);
export type RoomSynced = z.output<typeof RoomSynced>;

export const RoomsSynced = z.object({
  epoch: z.string(),
  /** Every room the caller is a member of. */
  rooms: z.array(RoomSynced),
  /** The rooms of the request's cursors that the caller is no member of (any more). */
  gone: z.array(Id),
});
export type RoomsSynced = z.output<typeof RoomsSynced>;
