import { z } from 'zod';
import { limits } from '../limits.js';
import { Ban, Id, Member, Shadow } from '../models.js';
import { Purged, PurgeSpan } from '../moderation.js';
import { Role } from '../permissions.js';
import { wellFormed, moment, listLimit, cursor, page, changesAnything } from './fields.js';

export const AddMember = z.strictObject({ roomId: Id, userId: Id });
export type AddMember = z.output<typeof AddMember>;

export const ListMembers = z.strictObject({ roomId: Id, cursor: cursor.optional(), limit: listLimit });
export type ListMembers = z.output<typeof ListMembers>;

/** What can be changed of a member; at least one of them. */
export const MemberSettings = z
  .strictObject({
    role: Role.optional(),
    /** Until then he sends nothing; null lets him speak again. */
    mutedUntil: moment.nullable().optional(),
  })
  .refine((settings) => changesAnything(settings, 'roomId', 'userId'), 'Nothing to change');
export type MemberSettings = z.output<typeof MemberSettings>;

export const UpdateMember = MemberSettings.safeExtend({ roomId: Id, userId: Id });
export type UpdateMember = z.output<typeof UpdateMember>;

export const MemberRef = z.strictObject({ roomId: Id, userId: Id });
export type MemberRef = z.output<typeof MemberRef>;

export const BanMember = z.strictObject({
  roomId: Id,
  userId: Id,
  /** False lifts the ban. */
  on: z.boolean(),
  /** For good where it is left out. */
  until: moment.nullable().default(null),
  reason: wellFormed(limits.reasonLength).default(''),
  /** Deletes what he said in the room for everyone, with the ban. */
  purge: z.boolean().default(false),
  /** Of that only what he said in so many seconds until now. */
  purgeLastS: PurgeSpan.optional(),
});
export type BanMember = z.output<typeof BanMember>;

export const ShadowMember = z.strictObject({
  roomId: Id,
  userId: Id,
  /** Until then only he sees what he says; null ends it. */
  until: moment.nullable(),
});
export type ShadowMember = z.output<typeof ShadowMember>;

export const MemberResult = z.object({ member: Member });
export type MemberResult = z.output<typeof MemberResult>;

/** `purged` where that was asked for. */
export const BanResult = z.object({ ban: Ban.nullable(), purged: Purged.optional() });
export type BanResult = z.output<typeof BanResult>;

/** Null where there is none, or no longer. */
export const ShadowResult = z.object({ shadow: Shadow.nullable() });
export type ShadowResult = z.output<typeof ShadowResult>;

export const ShadowPage = page(Shadow);
export type ShadowPage = z.output<typeof ShadowPage>;

export const BanPage = page(Ban);
export type BanPage = z.output<typeof BanPage>;

export const MemberPage = page(Member);
export type MemberPage = z.output<typeof MemberPage>;
