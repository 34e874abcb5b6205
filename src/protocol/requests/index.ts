/** What can be asked, and what is answered: each request with its result, by what it is about. */
export { Done, RoomName, UserName } from './fields.js';
export * from './identity.js';
export * from './invites.js';
export * from './members.js';
export * from './messages.js';
export * from './reading.js';
export * from './rooms.js';
export * from './sync.js';
