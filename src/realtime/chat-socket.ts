import type { LimitFunction } from 'p-limit';
import type { Server, Socket } from 'socket.io';
import type { Caller } from '../auth/caller.js';
import type { Outlet } from './outlet.js';
import type { TokenBucket } from './token-bucket.js';
import type { ClientToServerEvents, RoomChanges, ServerToClientEvents } from '../protocol/index.js';

/** Between instances, through the Socket.IO adapter. */
export interface InterServerEvents {
  /** What one flush of one instance changed, in any number of rooms. */
  changes: (frames: RoomChanges[]) => void;
}

export interface SocketState {
  /** Set by the handshake, before any event of the socket is handled. */
  caller: Caller;
  /** Requests that still wait for their reply. */
  inFlight: number;
  /** Until when all requests are refused, by `performance.now()`. */
  heldUntil: number;
  /** Made at the first request. */
  rate?: TokenBucket;
  /** The line of its requests that are no sends; made at the first of them. */
  line?: LimitFunction;
  /** Set before anything is sent to it. */
  outlet?: Outlet;
}

export type ChatServer = Server<ClientToServerEvents, ServerToClientEvents, InterServerEvents, SocketState>;
export type ChatSocket = Socket<ClientToServerEvents, ServerToClientEvents, InterServerEvents, SocketState>;
