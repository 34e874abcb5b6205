import { z } from 'zod';
import { limits } from '../limits.js';
import { Id, PresenceState, Seq, Status } from '../models.js';

export const MarkRead = z.strictObject({
  roomId: Id,
  seq: Seq,
  /** Marks the message and what follows it as unread, instead of everything up to it as read. */
  unread: z.boolean().default(false),
});
export type MarkRead = z.output<typeof MarkRead>;

/** Lasts some seconds; who goes on typing says so again. */
export const SetTyping = z.strictObject({ roomId: Id, on: z.boolean() });
export type SetTyping = z.output<typeof SetTyping>;

export const SetPresence = z.strictObject({
  status: Status,
  /** A connection that a person does not look at, as of an app that only waits for messages. */
  background: z.boolean().default(false),
});
export type SetPresence = z.output<typeof SetPresence>;

export const CountOnline = z.strictObject({ roomId: Id, on: z.boolean() });
export type CountOnline = z.output<typeof CountOnline>;

export const WatchPresence = z.strictObject({ userIds: z.array(Id).min(1).max(limits.presenceWatched) });
export type WatchPresence = z.output<typeof WatchPresence>;

/** Members who are connected and do not hide it. */
export const OnlineCount = z.object({ online: z.int().nonnegative() });
export type OnlineCount = z.output<typeof OnlineCount>;

export const PresenceStates = z.object({ states: z.array(PresenceState) });
export type PresenceStates = z.output<typeof PresenceStates>;

const Receipt = z.object({ userId: Id, readSeq: z.int().nonnegative() });

export const Receipts = z.object({ reads: z.array(Receipt) });
export type Receipts = z.output<typeof Receipts>;
