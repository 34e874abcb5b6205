import { z } from 'zod';
import { Role } from './permissions.js';

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

export const RoomKind = z.enum(['group', 'direct']);
export type RoomKind = z.output<typeof RoomKind>;

/** What a member sees of what was written before he joined. */
export const HistoryVisible = z.enum(['all', 'joined']);
export type HistoryVisible = z.output<typeof HistoryVisible>;

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
  /** `direct`: the one room of two users, who are plain members of it. */
  kind: RoomKind,
  visibility: Visibility,
  /** Announcements: only owners and moderators send. */
  readOnly: z.boolean(),
  /** The app's own. */
  meta: z.record(z.string(), z.unknown()),
  /** Seconds from one message of a member to his next; 0 is no slow mode. */
  slowModeS: z.int().nonnegative(),
  memberLimit: z.int().positive().nullable(),
  /** Counts for those who join from now on. */
  historyVisible: HistoryVisible,
  /** Whether users may ask to join, where the room is private. */
  joinRequests: z.boolean(),
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
  /** Until then he sends nothing; null, or past, where he is not muted. */
  mutedUntil: Timestamp.nullable(),
  /** A seq: messages up to it are not for this member. 0 where all of them are. */
  visibleAfter: z.int().nonnegative(),
  joinedAt: Timestamp,
  /** Set when the member left; the entry stays so that clients that were away learn of it. */
  leftAt: Timestamp.nullable(),
});
export type Member = z.output<typeof Member>;

export const Ban = z.object({
  roomId: Id,
  user: User,
  bannedBy: Id,
  reason: z.string(),
  createdAt: Timestamp,
  /** Null: for good. */
  until: Timestamp.nullable(),
});
export type Ban = z.output<typeof Ban>;

/** A member whose messages only he sees; nobody but those who govern the room is told. */
export const Shadow = z.object({ roomId: Id, user: User, until: Timestamp });
export type Shadow = z.output<typeof Shadow>;

export const Invite = z.object({
  id: Id,
  roomId: Id,
  createdBy: Id,
  createdAt: Timestamp,
  expiresAt: Timestamp,
  /** Null: as many as come. */
  maxUses: z.int().positive().nullable(),
  uses: z.int().nonnegative(),
});
export type Invite = z.output<typeof Invite>;

export const JoinRequest = z.object({ roomId: Id, user: User, createdAt: Timestamp });
export type JoinRequest = z.output<typeof JoinRequest>;
/** As the sender named them; members alone are counted as mentioned. */
export const Mentions = z.object({ users: z.array(Id), room: z.boolean() });
export type Mentions = z.output<typeof Mentions>;

/** The app's own, for the app to read. */
export const Meta = z.record(z.string(), z.unknown());
export type Meta = z.output<typeof Meta>;

export const Reaction = z.object({
  emoji: z.string(),
  count: z.int().positive(),
  /** Who reacted so first, in order; not all where there are more of them than `limits.reactionUsers`. */
  users: z.array(Id),
});
export type Reaction = z.output<typeof Reaction>;

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

  // What follows is absent where there is nothing to tell.
  /** Said by the app itself; no user can send one. */
  system: z.literal(true).optional(),
  /** Of the text: 2 after the first edit; a message that was never edited is version 1. */
  version: z.int().positive().optional(),
  /** When the text was changed last. */
  editedAt: Timestamp.optional(),
  /** Who deleted it; absent on a tombstone where an admin did. */
  deletedBy: Id.optional(),
  /** In the order in which each emoji came. */
  reactions: z.array(Reaction).optional(),
  pinned: z.object({ at: Timestamp, by: Id }).optional(),
  /** The seq of the message that this one answers. */
  replyTo: Seq.optional(),
  /** The seq of the message whose thread this one is in. */
  threadRoot: Seq.optional(),
  /** Of a message that has a thread: how many replies it has, without deleted ones, and when the last one came. */
  thread: z.object({ replies: z.int().nonnegative(), lastReplyAt: Timestamp }).optional(),
  mentions: Mentions.optional(),
  meta: Meta.optional(),
  /** Told to admins: from then on only its sender sees it, and all others see a tombstone. */
  shadowedAt: Timestamp.optional(),
});
export type Message = z.output<typeof Message>;

/** What someone says of himself on one connection. */
export const Status = z.enum(['online', 'away', 'dnd', 'invisible']);
export type Status = z.output<typeof Status>;

/** What others see of it. */
export const PresenceStatus = z.enum(['online', 'away', 'dnd', 'offline']);
export type PresenceStatus = z.output<typeof PresenceStatus>;

export const PresenceState = z.object({ userId: Id, status: PresenceStatus });
export type PresenceState = z.output<typeof PresenceState>;

/** How far a user has read a room. Of two states the one with the higher `version` is the later, then the one with the higher `headRev`. */
export const ReadState = z.object({
  /** Everything up to this seq is read. One's own newest message counts as reading. */
  readSeq: z.int().nonnegative(),
  /** Messages of others after `readSeq` that are not deleted; exact up to 99, and 100 where there are more. */
  unread: z.int().nonnegative(),
  /** Those of them that name the user or the whole room; exact up to 99, too. */
  mentions: z.int().nonnegative(),
  /** Where the room stood when this was counted: the seq of its newest message, the rev of its newest change. */
  lastSeq: z.int().nonnegative(),
  headRev: Rev,
  /** How often the user has set the marker. */
  version: z.int().nonnegative(),
});
export type ReadState = z.output<typeof ReadState>;

/** A durable change of a room, with the full new state of what changed: applying one twice is harmless. */
export const Change = z.discriminatedUnion('kind', [
  z.object({ rev: Rev, kind: z.literal('message'), message: Message }),
  /** `memberCount`: how many members the room has after it. */
  z.object({ rev: Rev, kind: z.literal('member'), member: Member, memberCount: z.int().nonnegative() }),
  z.object({ rev: Rev, kind: z.literal('room'), room: Room }),
]);
export type Change = z.output<typeof Change>;

/** The changes of one room with `after < rev <= upTo`, in `rev` order. The same shape live and catching up. */
export const RoomChanges = z.object({ roomId: Id, after: Rev, upTo: Rev, changes: z.array(Change) });
export type RoomChanges = z.output<typeof RoomChanges>;
