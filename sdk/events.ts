import type { Change } from '../src/protocol/index.js';
import type { ParleyError } from './parley-error.js';

/** `online`: connected, and what was missed is applied. `closed`: for good, by `close()` or by the server. */
export type ConnectionStatus = 'connecting' | 'online' | 'offline' | 'closed';

export interface ParleyEvents {
  status: (status: ConnectionStatus) => void;
  /** A room was added or removed. */
  rooms: () => void;
  /** Each durable change exactly once, in `rev` order per room; it is applied to the room's state already. */
  change: (roomId: string, change: Change) => void;
  /** The room's state was replaced by a snapshot: what happened in between is in it, not in `change` events. */
  reset: (roomId: string) => void;
  /** A pending message of the room was added, went, or changed its state. */
  outgoing: (roomId: string) => void;
  /** The server ended the session for good. */
  closed: (error: ParleyError) => void;
}
