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
  /** My marker in the room moved, here or on another device, or somebody else's did. */
  read: (roomId: string) => void;
  /** Somebody begins or ends to type in the room. */
  typing: (roomId: string) => void;
  /** Somebody whom I watch came, went, or changed his status. */
  presence: () => void;
  /** To those who govern the room: how many reported messages wait for an answer there. */
  reports: (roomId: string, open: number) => void;
  /** The server ended the session for good. */
  closed: (error: ParleyError) => void;
}
