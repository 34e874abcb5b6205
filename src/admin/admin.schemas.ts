import { z } from 'zod';
import { DiscoverRooms, GetHistory, HistoryPage, Id, RoomSummary } from '../protocol/index.js';
import { queryOf } from '../rest/query.js';

/** Like discovering, but private and archived rooms are listed too. */
export const AdminRoomsQuery = queryOf(DiscoverRooms);
export type AdminRoomsQuery = z.output<typeof DiscoverRooms>;

/** In UTC from here on: Postgres does not know every offset and year that ISO 8601 does. */
export const Moment = z.iso
  .datetime({ offset: true })
  .transform((moment) => new Date(moment).toISOString())
  .refine((moment) => /^\d{4}-/.test(moment) && moment >= '0001', 'Is out of range');
const { before, after, limit } = GetHistory.shape;
const MessagesQuery = z.strictObject({
  before,
  after,
  limit,
  /** Not older than. */
  from: Moment.optional(),
  /** Older than. */
  to: Moment.optional(),
  senderId: Id.optional(),
});
export const AdminMessagesQuery = queryOf(MessagesQuery);
export type AdminMessagesQuery = z.output<typeof MessagesQuery>;

export const AdminRoomPage = z.object({
  items: z.array(RoomSummary),
  nextCursor: z.string().nullable(),
  /** Of all rooms that fit the query, on every page. */
  total: z.int().nonnegative(),
});
export type AdminRoomPage = z.output<typeof AdminRoomPage>;

export const AdminMessagePage = HistoryPage;
export type AdminMessagePage = z.output<typeof AdminMessagePage>;
