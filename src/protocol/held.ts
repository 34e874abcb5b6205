import { z } from 'zod';
import { Id, Message, Seq, Timestamp, User } from './models.js';

/** A message, or an edit of one, that waits for a moderator. */
export const HeldMessage = z.object({
  id: Id,
  roomId: Id,
  sender: User,
  text: z.string(),
  /** Of the message that is edited; null where one is sent. */
  seq: Seq.nullable(),
  /** The hook's; empty where a filter held it. */
  reason: z.string(),
  createdAt: Timestamp,
});
export type HeldMessage = z.output<typeof HeldMessage>;

export const AnswerHeld = z.strictObject({ roomId: Id, heldId: Id, approve: z.boolean() });
export type AnswerHeld = z.output<typeof AnswerHeld>;

/** Null where it was declined. */
export const HeldAnswered = z.object({ message: Message.nullable() });
export type HeldAnswered = z.output<typeof HeldAnswered>;

export const HeldPage = z.object({ items: z.array(HeldMessage), nextCursor: z.string().nullable() });
export type HeldPage = z.output<typeof HeldPage>;
