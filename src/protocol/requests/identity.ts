import { z } from 'zod';
import { limits } from '../limits.js';
import { Timestamp, User } from '../models.js';
import { UserName } from './fields.js';

/** What takes the place of a connection's token. */
export const Credentials = z.strictObject({
  token: z
    .string()
    .regex(/^[\x21-\x7e]+$/)
    .max(limits.tokenLength),
});
export type Credentials = z.output<typeof Credentials>;

/** The `auth` of a Socket.IO handshake. */
export const HandshakeAuth = Credentials.extend({
  /** Nobody looks at this connection: it does not make its user count as online. */
  background: z.boolean().optional(),
});
export type HandshakeAuth = z.output<typeof HandshakeAuth>;

export const Refreshed = z.object({ tokenExpiresAt: Timestamp });
export type Refreshed = z.output<typeof Refreshed>;

export const EnterAsGuest = z.strictObject({ name: UserName });
export type EnterAsGuest = z.output<typeof EnterAsGuest>;

export const GuestSession = z.object({ user: User, token: z.string(), expiresAt: z.iso.datetime() });
export type GuestSession = z.output<typeof GuestSession>;
