import { z } from 'zod';
import { limits } from './limits.js';
import { Change, Id, Member, Message, Rev, Room, RoomSummary, Seq, User, Visibility } from './models.js';

/** Control characters, and the invisible ones that reorder or hide text (bidi overrides, zero-width). */
const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

const name = (maxLength: number) =>
  z
    .string()
    .normalize('NFC')
    .trim()
    .min(1)
    .max(maxLength)
    .refine((value) => value.isWellFormed() && !unprintable.test(value), 'Has characters that cannot be seen');

/** What Postgres can store and a person can see: well-formed, no NUL, not blank. */
const text = z
  .string()
  .normalize('NFC')
  .max(limits.textLength)
  .refine((value) => value.isWellFormed() && !value.includes('\0'), 'Is not well-formed text')
  .refine((value) => value.trim() !== '', 'Is blank');

const wellFormed = (maxLength: number) =>
  z
    .string()
    .normalize('NFC')
    .max(maxLength)
    .refine((value) => value.isWellFormed() && !value.includes('\0'), 'Is not well-formed text');

/** Chosen by the client, unique among its sends to one room; a UUID serves well. Visible ASCII. */
const clientMsgId = z.string().regex(new RegExp(`^[\\x21-\\x7e]{1,${limits.clientMsgIdLength}}$`));

const listLimit = z.int().min(1).max(limits.listPage).default(limits.listPageDefault);
/** Long enough for the longest name of a room, in whatever script. */
const cursor = z.string().min(1).max(600);

export const UserName = name(limits.userNameLength);
export const RoomName = name(limits.roomNameLength);

// ── rooms ────────────────────────────────────────────────────────────────────────────────────────────────────────
export const CreateRoom = z.strictObject({
  /**
   * Chosen by the client if it wants to retry safely: creating the same id again gives back the room of the first time.
   * A UUIDv7.
   */
  roomId: z.uuidv7().toLowerCase().optional(),
  name: RoomName,
  topic: wellFormed(limits.topicLength).default(''),
  visibility: Visibility.default('public'),
});
export type CreateRoom = z.output<typeof CreateRoom>;

/** What can be changed of a room; at least one of them. */
export const RoomSettings = z
  .strictObject({ name: RoomName.optional(), topic: wellFormed(limits.topicLength).optional() })
  .refine(({ name, topic }) => name !== undefined || topic !== undefined, 'Nothing to change');
export type RoomSettings = z.output<typeof RoomSettings>;

export const UpdateRoom = RoomSettings.safeExtend({ roomId: Id });
export type UpdateRoom = z.output<typeof UpdateRoom>;

export const RoomRef = z.strictObject({ roomId: Id });
export type RoomRef = z.output<typeof RoomRef>;

export const DiscoverRooms = z.strictObject({
  /** Part of the name, in any case. */
  query: wellFormed(limits.roomNameLength).trim().optional(),
  /** `nextCursor` of the page before. */
  cursor: cursor.optional(),
  limit: listLimit,
});
export type DiscoverRooms = z.output<typeof DiscoverRooms>;

// ── members ──────────────────────────────────────────────────────────────────────────────────────────────────────
export const AddMember = z.strictObject({ roomId: Id, userId: Id });
export type AddMember = z.output<typeof AddMember>;

export const ListMembers = z.strictObject({ roomId: Id, cursor: cursor.optional(), limit: listLimit });
export type ListMembers = z.output<typeof ListMembers>;

// ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────
export const SendMessage = z.strictObject({ roomId: Id, clientMsgId, text });
export type SendMessage = z.output<typeof SendMessage>;

export const MessageRef = z.strictObject({ roomId: Id, seq: Seq });
export type MessageRef = z.output<typeof MessageRef>;

/** At most one of `before`, `after`, `around`; none asks for the newest page. All three are seqs. */
export const HistorySpan = z
  .strictObject({
    before: Seq.optional(),
    after: z.int().nonnegative().optional(),
    around: Seq.optional(),
    limit: z.int().min(1).max(limits.historyPage).default(limits.historyPageDefault),
  })
  .refine(
    ({ before, after, around }) => [before, after, around].filter((edge) => edge !== undefined).length <= 1,
    'Takes one of before, after and around',
  );
export type HistorySpan = z.output<typeof HistorySpan>;

export const GetHistory = HistorySpan.safeExtend({ roomId: Id });
export type GetHistory = z.output<typeof GetHistory>;

// ── catching up ──────────────────────────────────────────────────────────────────────────────────────────────────
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

// ── results ──────────────────────────────────────────────────────────────────────────────────────────────────────
const page = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), nextCursor: z.string().nullable() });

export const RoomAndMember = z.object({ room: Room, member: Member });
export type RoomAndMember = z.output<typeof RoomAndMember>;

export const RoomResult = z.object({ room: Room });
export type RoomResult = z.output<typeof RoomResult>;

export const MemberResult = z.object({ member: Member });
export type MemberResult = z.output<typeof MemberResult>;

export const MessageResult = z.object({ message: Message });
export type MessageResult = z.output<typeof MessageResult>;

export const SentMessage = z.object({ message: Message, duplicate: z.boolean() });
export type SentMessage = z.output<typeof SentMessage>;

export const RoomPage = page(RoomSummary);
export type RoomPage = z.output<typeof RoomPage>;

export const MemberPage = page(Member);
export type MemberPage = z.output<typeof MemberPage>;

/** `messages` in ascending seq; the flags tell whether older and newer ones exist. */
export const HistoryPage = z.object({ messages: z.array(Message), hasBefore: z.boolean(), hasAfter: z.boolean() });
export type HistoryPage = z.output<typeof HistoryPage>;

/** What the client missed of a room: apply the changes, move the cursor to `upTo`, ask again while there is `more`. */
export const RoomCatchUp = z.object({
  reset: z.literal(false),
  roomId: Id,
  after: Rev,
  upTo: Rev,
  changes: z.array(Change),
  more: z.boolean(),
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

// ── identity ─────────────────────────────────────────────────────────────────────────────────────────────────────
export const EnterAsGuest = z.strictObject({ name: UserName });
export type EnterAsGuest = z.output<typeof EnterAsGuest>;

export const GuestSession = z.object({ user: User, token: z.string(), expiresAt: z.iso.datetime() });
export type GuestSession = z.output<typeof GuestSession>;
