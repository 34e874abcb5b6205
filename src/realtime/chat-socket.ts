import type { LimitFunction } from 'p-limit';
import type { Server, Socket } from 'socket.io';
import type { Caller } from '../auth/caller.js';
import type { Usage } from '../limits/limits.js';
import type { Outlet } from './outlet.js';
import type { TokenBucket } from './token-bucket.js';
import type { CountNews } from './count-news.js';
import type { PresenceNews } from './presence-news.js';
import type { SignalNote } from './signal-note.js';
import type { ClientToServerEvents, RoomChanges, ServerToClientEvents } from '../protocol/index.js';

/** Between instances, through the Socket.IO adapter. */
export interface InterServerEvents {
  /** What one flush of one instance changed, in any number of rooms. */
  changes: (frames: RoomChanges[]) => void;
  /** There is something new of who is shut out. */
  access: () => void;
  /** There is something new in Postgres, of what the topic says. */
  hint: (topic: string) => void;
  /** What members of rooms did lately that others may see; may be lost. */
  signals: (notes: SignalNote[]) => void;
  /** Who is there or went, of the users of one instance; may be lost. */
  presence: (news: PresenceNews) => void;
  /** Whom another instance wants to be told of. */
  presenceAsked: (userIds: string[]) => void;
  /** Which users of one instance are online in rooms, as samples; may be lost. */
  counts: (news: CountNews) => void;
  /** Rooms that another instance wants to know that of. */
  countsAsked: (roomIds: string[]) => void;
  /** What was used of limits on one instance; may be lost. */
  limits: (told: Usage[]) => void;
}

export interface SocketState {
  /** Set by the handshake, before any event of the socket is handled. */
  caller: Caller;
  /** Does not make its user count as online. */
  background?: boolean;
  /** Requests that still wait for their reply. */
  inFlight: number;
  /** Until when all requests are refused, by `performance.now()`. */
  heldUntil: number;
  /** The end of a token, in ms since 1970, that the client was told of already. */
  toldOf?: number;
  /** Made at the first request. */
  rate?: TokenBucket;
  /** The line of its requests that are no sends; made at the first of them. */
  line?: LimitFunction;
  /** Set before anything is sent to it. */
  outlet?: Outlet;
}

export type ChatServer = Server<ClientToServerEvents, ServerToClientEvents, InterServerEvents, SocketState>;
export type ChatSocket = Socket<ClientToServerEvents, ServerToClientEvents, InterServerEvents, SocketState>;
