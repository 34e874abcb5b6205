import { z } from 'zod';
import { limits } from './limits.js';
import { Id, Timestamp } from './models.js';

/** `word`: in any case and writing width. `link`: a domain, and those below it. */
export const FilterKind = z.enum(['word', 'link']);
export type FilterKind = z.output<typeof FilterKind>;

/** `hold` has the message wait for a moderator; `mask` puts asterisks in place of what was found. */
export const FilterAction = z.enum(['reject', 'hold', 'mask']);
export type FilterAction = z.output<typeof FilterAction>;

const visible = /[\p{L}\p{N}\p{P}\p{S}]/u;
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const domain = /^(?:[\p{L}\p{N}\p{M}](?:[\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?\.)+[\p{L}\p{N}\p{M}-]{2,}$/u;

const pattern = z
  .string()
  .normalize('NFKC')
  .trim()
  .toLowerCase()
  .min(1)
  .max(limits.filterLength)
  .refine(
    (value) => value.isWellFormed() && visible.test(value) && !unprintable.test(value),
    'Has characters that cannot be seen',
  );

/** What is filtered, and what then becomes of the message. */
export const FilterRule = z
  .strictObject({ kind: FilterKind, pattern, action: FilterAction })
  .refine(({ kind, pattern }) => kind === 'word' || domain.test(pattern), 'Is no domain');
export type FilterRule = z.output<typeof FilterRule>;

export const AddFilter = FilterRule.safeExtend({ roomId: Id });
export type AddFilter = z.output<typeof AddFilter>;

export const FilterRef = z.strictObject({ roomId: Id, filterId: Id });
export type FilterRef = z.output<typeof FilterRef>;

export const Filter = z.object({
  id: Id,
  /** Null: of the whole deployment. */
  roomId: Id.nullable(),
  kind: FilterKind,
  /** As it is compared: in lower case, normalized. */
  pattern: z.string(),
  action: FilterAction,
  /** Null: by the admin key. */
  createdBy: Id.nullable(),
  createdAt: Timestamp,
});
export type Filter = z.output<typeof Filter>;

export const FilterResult = z.object({ filter: Filter });
export type FilterResult = z.output<typeof FilterResult>;

export const FilterPage = z.object({ items: z.array(Filter), nextCursor: z.string().nullable() });
export type FilterPage = z.output<typeof FilterPage>;
