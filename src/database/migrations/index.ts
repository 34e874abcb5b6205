import { Foundation1763800000000 } from './1763800000000-foundation.js';
import { RecentJoins1764000000000 } from './1764000000000-recent-joins.js';
import { SendInSets1764400000000 } from './1764400000000-send-in-sets.js';

/** In order; a migration that has landed is never edited. */
export const migrations = [Foundation1763800000000, RecentJoins1764000000000, SendInSets1764400000000];
