/** What several requests have in common. */
import { z } from 'zod';
import { limits } from '../limits.js';
import { Timestamp } from '../models.js';

/** Control characters, and the invisible ones that reorder or hide text (bidi overrides, zero-width). */
const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

export const name = (maxLength: number) =>
  z
    .string()
    .normalize('NFC')
    .trim()
    .min(1)
    .max(maxLength)
    .refine((value) => value.isWellFormed() && !unprintable.test(value), 'Has characters that cannot be seen');

/** What Postgres can store. */
export const wellFormed = (maxLength: number) =>
  z
    .string()
    .normalize('NFC')
    .max(maxLength)
    .refine((value) => value.isWellFormed() && !value.includes('\0'), 'Is not well-formed text');

/** What Postgres knows as a time, too. */
export const moment = Timestamp.refine((value) => value >= '0001', 'Is out of range');

export const listLimit = z.int().min(1).max(limits.listPage).default(limits.listPageDefault);
/** Long enough for the longest name of a room, in whatever script. */
export const cursor = z.string().min(1).max(600);

export const UserName = name(limits.userNameLength);
export const RoomName = name(limits.roomNameLength);

export const page = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

/** Whether settings name anything but what they are about. */
export function changesAnything(settings: object, ...except: string[]): boolean {
  return Object.entries(settings).some(([field, value]) => value !== undefined && !except.includes(field));
}

/** There is nothing to tell beyond that it was done. */
export const Done = z.object({});
export type Done = z.output<typeof Done>;
