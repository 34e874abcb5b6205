import { z } from 'zod';
import { limits } from './limits.js';
import { Id, Timestamp, User } from './models.js';
import { UserName } from './requests/index.js';

/** Letters and digits, with single `.`, `_` or `-` between them. */
const HANDLE = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/** What somebody logs in with. However it is typed, `Ann` and full-width `ａｎｎ` are `ann`. */
export const Handle = z
  .string()
  .max(4 * limits.handleLength)
  .normalize('NFKC')
  .trim()
  .toLowerCase()
  .min(3)
  .max(limits.handleLength)
  .regex(HANDLE, 'Takes letters a to z and digits, with single . _ or - between them');

/** However it is typed on different keyboards, the same text; counted in characters as people see them, none is cut off. */
const password = (least: number) =>
  z
    .string()
    .max(8 * limits.passwordLength)
    .refine((value) => value.isWellFormed(), 'Is not well-formed text')
    .normalize('NFKC')
    .refine((value) => [...value].length >= least, `Is shorter than ${least} characters`)
    .refine(
      (value) => [...value].length <= limits.passwordLength,
      `Is longer than ${limits.passwordLength} characters`,
    );

/** One that is to be set. One that is too common is refused when it is looked at. */
export const NewPassword = password(limits.passwordLengthMin);

const deviceName = z
  .string()
  .normalize('NFC')
  .trim()
  .max(limits.deviceNameLength)
  .refine((value) => value.isWellFormed() && !/\p{Cc}/u.test(value), 'Has characters that cannot be seen')
  .default('');
const opaque = z.string().max(512);

export const Register = z.strictObject({
  handle: Handle,
  password: NewPassword,
  /** What others see. */
  name: UserName,
  /** For the list of one’s sessions: `Ann’s phone`. */
  deviceName,
});
export type Register = z.output<typeof Register>;

export const LogIn = z.strictObject({
  handle: Handle,
  password: password(1),
  deviceName,
  /** What an earlier log-in on this device gave: its wrong tries are counted apart from those of strangers. */
  deviceToken: opaque.optional(),
});
export type LogIn = z.output<typeof LogIn>;

export const RefreshSession = z.strictObject({ refreshToken: opaque });
export type RefreshSession = z.output<typeof RefreshSession>;

export const ChangePassword = z.strictObject({ password: password(1), newPassword: NewPassword });
export type ChangePassword = z.output<typeof ChangePassword>;

/** A session of an account, and what to go on with. */
export const AccountSession = z.object({
  user: User,
  handle: z.string(),
  sessionId: Id,
  /** To connect with and for REST; short-lived. */
  token: z.string(),
  expiresAt: Timestamp,
  /** Good for one use: it gives the next token, and the next of its own kind. */
  refreshToken: z.string(),
  /** When the session ends if it is not refreshed. */
  refreshExpiresAt: Timestamp,
});
export type AccountSession = z.output<typeof AccountSession>;

/** `deviceToken`: to be kept on the device, also when the session ends, and shown at the next log-in there. */
export const LoggedIn = AccountSession.extend({ deviceToken: z.string() });
export type LoggedIn = z.output<typeof LoggedIn>;

export const Session = z.object({
  id: Id,
  deviceName: z.string(),
  createdAt: Timestamp,
  /** When it was refreshed last. */
  lastUsedAt: Timestamp,
  /** The one that asks. */
  current: z.boolean(),
});
export type Session = z.output<typeof Session>;

/** What was used last comes first. */
export const SessionList = z.object({ items: z.array(Session) });
export type SessionList = z.output<typeof SessionList>;

export const SessionsEnded = z.object({ ended: z.int().nonnegative() });
export type SessionsEnded = z.output<typeof SessionsEnded>;

/** Which of the ways in there are here for people without a token of an app. */
export const WaysIn = z.object({ guests: z.boolean(), accounts: z.boolean() });
export type WaysIn = z.output<typeof WaysIn>;
