/** The client of Parley for browsers and Node. */
export type * from '../src/protocol/index.js';
export { may, mayTouch } from '../src/protocol/permissions.js';
export { Account, waysIn, type AccountStore } from './account.js';
export type { ConnectionStatus, ParleyEvents } from './events.js';
export { enterAsGuest, renewGuest } from './guest.js';
export type { ParleyOptions } from './options.js';
export type { Outgoing, SendExtras } from './outbox/outgoing.js';
export { ParleyError } from './parley-error.js';
export { Parley } from './parley.js';
export type { Moderation } from './rooms/moderation.js';
export type { RoomState } from './rooms/room-state.js';
