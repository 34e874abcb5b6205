/**
 * The contract between Parley and everything that talks to it. Server, SDK, web page and tests import it from here;
 * it imports nothing of theirs.
 */
export * from './accounts.js';
export * from './emoji.js';
export * from './errors.js';
export * from './events.js';
export * from './held.js';
export * from './limits.js';
export * from './models.js';
export * from './moderation.js';
export * from './permissions.js';
export * from './reports.js';
export * from './requests/index.js';
export * from './scopes.js';
export * from './screening.js';
export * from './system-messages.js';
