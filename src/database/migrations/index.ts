import { Foundation1763800000000 } from './1763800000000-foundation.js';

/** In order; a migration that has landed is never edited. */
export const migrations = [Foundation1763800000000];
