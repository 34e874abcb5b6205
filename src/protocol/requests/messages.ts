import { z } from 'zod';
import { Emoji } from '../emoji.js';
import { limits } from '../limits.js';
import { Id, Message, Meta, Seq, Timestamp } from '../models.js';
import { wellFormed } from './fields.js';

/** What Postgres can store and a person can see: well-formed, no NUL, not blank. */
const text = wellFormed(limits.textLength).refine((value) => value.trim() !== '', 'Is blank');

/** Chosen by the client, unique among its sends to one room; a UUID serves well. Visible ASCII. */
const clientMsgId = z.string().regex(new RegExp(`^[\\x21-\\x7e]{1,${limits.clientMsgIdLength}}$`));

const mentions = z
  .strictObject({
    users: z
      .array(Id)
      .max(limits.mentions)
      .overwrite((users) => [...new Set(users)].sort())
      .default([]),
    /** Everyone in the room; for moderators. */
    room: z.boolean().default(false),
  })
  .refine(({ users, room }) => room || users.length > 0, 'Mentions nobody');

/** Checked as what is stored: JSON of some size, with nothing in it that Postgres cannot keep. */
const meta = Meta.refine((value) => {
  const json = JSON.stringify(value);
  return json.length <= limits.metaBytes && new TextEncoder().encode(json).length <= limits.metaBytes;
}, 'Is too large')
  .refine((value) => depthOf(value) <= limits.metaDepth, 'Is too deep')
  .refine(
    (value) => !/\\u(?:0000|d[89a-f])/i.test(JSON.stringify(value).replaceAll('\\\\', '')),
    'Is not well-formed text',
  );

export const SendMessage = z.strictObject({
  roomId: Id,
  clientMsgId,
  text,
  /** The message that this one answers. */
  replyTo: Seq.optional(),
  /** The message whose thread this one goes into; one that is in no thread itself. */
  threadRoot: Seq.optional(),
  mentions: mentions.optional(),
  meta: meta.optional(),
});
export type SendMessage = z.output<typeof SendMessage>;

export const MessageRef = z.strictObject({ roomId: Id, seq: Seq });
export type MessageRef = z.output<typeof MessageRef>;

export const EditMessage = z.strictObject({
  roomId: Id,
  seq: Seq,
  text,
  /** The version that the edit begins from; where the message is at another one by now, it is refused. */
  version: z.int().positive().optional(),
});
export type EditMessage = z.output<typeof EditMessage>;

export const ReactToMessage = z.strictObject({ roomId: Id, seq: Seq, emoji: Emoji, on: z.boolean() });
export type ReactToMessage = z.output<typeof ReactToMessage>;

/** Messages from one seq to another, both included. */
export const MyReactionsWindow = z
  .strictObject({ from: Seq, to: Seq })
  .refine(({ from, to }) => to - from < limits.historyPage, 'Spans too many messages');

export const MyReactionsSpan = MyReactionsWindow.safeExtend({ roomId: Id });
export type MyReactionsSpan = z.output<typeof MyReactionsSpan>;

export const PinMessage = z.strictObject({ roomId: Id, seq: Seq, on: z.boolean() });
export type PinMessage = z.output<typeof PinMessage>;

/** At most one of `before`, `after`, `around`; none asks for the newest page. All three are seqs. */
export const HistorySpan = z
  .strictObject({
    before: Seq.optional(),
    after: z.int().nonnegative().optional(),
    around: Seq.optional(),
    /** The thread of this message alone. */
    threadRoot: Seq.optional(),
    limit: z.int().min(1).max(limits.historyPage).default(limits.historyPageDefault),
  })
  .refine(
    ({ before, after, around }) => [before, after, around].filter((edge) => edge !== undefined).length <= 1,
    'Takes one of before, after and around',
  );
export type HistorySpan = z.output<typeof HistorySpan>;

export const GetHistory = HistorySpan.safeExtend({ roomId: Id });
export type GetHistory = z.output<typeof GetHistory>;

export const MessageResult = z.object({ message: Message });
export type MessageResult = z.output<typeof MessageResult>;

/** Only messages that have some of mine. */
export const MyReactions = z.object({ items: z.array(z.object({ seq: Seq, emojis: z.array(z.string()) })) });
export type MyReactions = z.output<typeof MyReactions>;

export const Messages = z.object({ messages: z.array(Message) });
export type Messages = z.output<typeof Messages>;

export const SentMessage = z.object({ message: Message, duplicate: z.boolean() });
export type SentMessage = z.output<typeof SentMessage>;

/** What a message said before, oldest first; what it says now is not among them. */
export const MessageVersions = z.object({
  versions: z.array(
    z.object({
      version: z.int().positive(),
      text: z.string(),
      /** Since when it said so. */
      saidAt: Timestamp,
    }),
  ),
});
export type MessageVersions = z.output<typeof MessageVersions>;

/** `messages` in ascending seq; the flags tell whether older and newer ones exist. */
export const HistoryPage = z.object({ messages: z.array(Message), hasBefore: z.boolean(), hasAfter: z.boolean() });
export type HistoryPage = z.output<typeof HistoryPage>;

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}
