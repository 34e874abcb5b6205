import { z } from 'zod';
import { Id, Message, Seq, Timestamp, User } from './models.js';
import { BanMember } from './requests/index.js';

/** What is wrong with a message, to its reporter. */
export const ReportReason = z.enum([
  'spam',
  'harassment',
  'hate',
  'violence',
  'sexual',
  'self_harm',
  'illegal',
  'other',
]);
export type ReportReason = z.output<typeof ReportReason>;

export const ReportMessage = z.strictObject({
  roomId: Id,
  seq: Seq,
  reason: ReportReason,
  /** In the reporter's words. */
  text: BanMember.shape.reason,
});
export type ReportMessage = z.output<typeof ReportMessage>;

export const AnswerReport = z.strictObject({
  roomId: Id,
  seq: Seq,
  /** `delete` deletes the message, too. */
  action: z.enum(['dismiss', 'delete']),
});
export type AnswerReport = z.output<typeof AnswerReport>;

/** A message that was reported, for moderators alone. */
export const Report = z.object({
  id: Id,
  /** As it stands. */
  message: Message,
  /** How many users reported it. */
  count: z.int().positive(),
  /** The first of them, and when and why they did. */
  reporters: z.array(z.object({ user: User, reason: ReportReason, text: z.string(), at: Timestamp })),
});
export type Report = z.output<typeof Report>;

export const ReportPage = z.object({ items: z.array(Report), nextCursor: z.string().nullable() });
export type ReportPage = z.output<typeof ReportPage>;

/** Messages of the room that were reported and not answered; 100 where there are as many or more. */
export interface OpenReports {
  roomId: string;
  open: number;
}
