import type { User } from '../protocol/index.js';

/** Who asks. Made once a connection (or REST request) by the token check; services trust it. */
export interface Caller extends User {
  /** The Socket.IO connection that asks; undefined for REST. */
  readonly sessionId?: string;
  /** ms since 1970. */
  readonly tokenExpiresAt: number;
}
