/** The client of Parley for browsers and Node. */
export type * from '../src/protocol/index.js';
export type { ConnectionStatus, ParleyEvents } from './events.js';
export { enterAsGuest } from './guest.js';
export type { ParleyOptions } from './options.js';
export type { Outgoing } from './outbox/outgoing.js';
export { ParleyError } from './parley-error.js';
export { Parley } from './parley.js';
export type { RoomState } from './rooms/room-state.js';
