import { z } from 'zod';
import { limits } from './limits.js';

/** Of the messages of a user only those of so many seconds until now. */
export const PurgeSpan = z.int().min(1).max(limits.purgeS);

/** What became of the messages of a user. */
export const Purged = z.object({
  /** How many were deleted by this request. */
  deleted: z.int().nonnegative(),
  /** There may be others: ask again. */
  more: z.boolean(),
});
export type Purged = z.output<typeof Purged>;
