import { z } from 'zod';
import { limits } from '../limits.js';
import { Id, Invite, JoinRequest, Member } from '../models.js';
import { page } from './fields.js';

/** A day in seconds. */
const DAY = 86_400;

export const CreateInvite = z.strictObject({
  roomId: Id,
  /** How long it holds. */
  expiresInS: z
    .int()
    .min(60)
    .max(365 * DAY)
    .default(7 * DAY),
  /** As many as come where it is null. */
  maxUses: z.int().min(1).max(limits.membersPerRoom).nullable().default(null),
});
export type CreateInvite = z.output<typeof CreateInvite>;

export const InviteRef = z.strictObject({ roomId: Id, inviteId: Id });
export type InviteRef = z.output<typeof InviteRef>;

export const AcceptInvite = z.strictObject({ code: z.string().regex(/^[\w-]{22}$/) });
export type AcceptInvite = z.output<typeof AcceptInvite>;

export const RequestToJoin = z.strictObject({
  roomId: Id,
  /** False takes the request back. */
  on: z.boolean().default(true),
});
export type RequestToJoin = z.output<typeof RequestToJoin>;

export const AnswerRequest = z.strictObject({ roomId: Id, userId: Id, approve: z.boolean() });
export type AnswerRequest = z.output<typeof AnswerRequest>;

/** The code is told this once: what is kept is its hash. */
export const InviteMade = z.object({ invite: Invite, code: z.string() });
export type InviteMade = z.output<typeof InviteMade>;

export const InviteResult = z.object({ invite: Invite });
export type InviteResult = z.output<typeof InviteResult>;

export const InvitePage = page(Invite);
export type InvitePage = z.output<typeof InvitePage>;

export const RequestResult = z.object({ request: JoinRequest.nullable() });
export type RequestResult = z.output<typeof RequestResult>;

export const RequestPage = page(JoinRequest);
export type RequestPage = z.output<typeof RequestPage>;

/** Null where the request was declined. */
export const RequestAnswered = z.object({ member: Member.nullable() });
export type RequestAnswered = z.output<typeof RequestAnswered>;
