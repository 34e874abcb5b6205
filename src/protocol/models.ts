import { z } from 'zod';

/** A room, user or session id: a UUIDv7 in lower case. */
export const Id = z.uuid().toLowerCase();
/** The position of a message in its room: 1, 2, 3, … without gaps. */
export const Seq = z.int().positive();
/** The number of a durable change in a room; 0 stands before the first. */
export const Rev = z.int().nonnegative();
/** ISO 8601, UTC, milliseconds. */
export const Timestamp = z.iso.datetime();

export const Visibility = z.enum(['public', 'private']);
export type Visibility = z.output<typeof Visibility>;

export const Role = z.enum(['owner', 'member']);
export type Role = z.output<typeof Role>;

export const User = z.object({ id: Id, name: z.string() });
export type User = z.output<typeof User>;

/**
 * `room`, `member` and `message` each carry the `rev` of their own latest change. Whatever way a copy arrived
 * (live, sync, history), the one with the higher `rev` is the newer.
 */
export const Room = z.object({
  id: Id,
  rev: Rev,
  name: z.string(),
  topic: z.string(),
  visibility: Visibility,
  createdBy: Id,
  createdAt: Timestamp,
  archivedAt: Timestamp.nullable(),
});
export type Room = z.output<typeof Room>;

/** A room as a list shows it: with what moves at every message. */
export const RoomSummary = Room.extend({
  memberCount: z.int().nonnegative(),
  /** The seq of the newest message; 0 in an empty room. */
  lastSeq: z.int().nonnegative(),
  /** The rev of the newest change of anything in the room. */
  headRev: Rev,
});
export type RoomSummary = z.output<typeof RoomSummary>;

export const Member = z.object({
  roomId: Id,
  rev: Rev,
  user: User,
  role: Role,
  joinedAt: Timestamp,
  /** Set when the member left; the entry stays so that clients that were away learn of it. */
  leftAt: Timestamp.nullable(),
});
export type Member = z.output<typeof Member>;

export const Message = z.object({
  roomId: Id,
  seq: Seq,
  rev: Rev,
  sender: User,
  /** The sender's own name for this send; ties a pending message to the stored one on each of the sender's devices. */
  clientMsgId: z.string(),
  /** Empty once deleted. */
  text: z.string(),
  createdAt: Timestamp,
  /** Set on a tombstone: the message was deleted, its place in the order stays. */
  deletedAt: Timestamp.nullable(),
});
export type Message = z.output<typeof Message>;

/** A durable change of a room, with the full new state of what changed: applying one twice is harmless. */
export const Change = z.discriminatedUnion('kind', [
  z.object({ rev: Rev, kind: z.literal('message'), message: Message }),
  z.object({ rev: Rev, kind: z.literal('member'), member: Member }),
  z.object({ rev: Rev, kind: z.literal('room'), room: Room }),
]);
export type Change = z.output<typeof Change>;

/** The changes of one room with `after < rev <= upTo`, in `rev` order. The same shape live and catching up. */
export const RoomChanges = z.object({ roomId: Id, after: Rev, upTo: Rev, changes: z.array(Change) });
export type RoomChanges = z.output<typeof RoomChanges>;
