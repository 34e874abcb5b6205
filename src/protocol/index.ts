/**
 * The contract between Parley and everything that talks to it. Server, SDK, web page and tests import it from here;
 * it imports nothing of theirs.
 */
export * from './errors.js';
export * from './events.js';
export * from './limits.js';
export * from './models.js';
export * from './requests.js';
