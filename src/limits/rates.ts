import { z } from 'zod';

/** So many, at once after a pause, or in `perS` seconds. */
export interface Rate {
  readonly count: number;
  readonly perS: number;
}

/**
 * Every limit that counts over all instances, by what it is counted: docs/operations.md lists the same. A client's `requests` are
 * counted by its socket, too (`REQUESTS_PER_SECOND`).
 */
export const defaultRates = {
  /** By user, over all of his connections. */
  requests: { count: 2_000, perS: 1 },
  /** By room: messages sent to it. */
  sends: { count: 20_000, perS: 1 },
  /** By user: rooms made, direct ones included. */
  rooms: { count: 100, perS: 60 },
  /** By user: joining, asking to be let in, using an invite. */
  joins: { count: 300, perS: 60 },
  /** By user. */
  typing: { count: 50, perS: 5 },
  /** By user: pages of history. */
  history: { count: 200, perS: 2 },
  /** By user: pages of rooms to discover. */
  search: { count: 100, perS: 10 },
  /** By address: guests made. */
  guests: { count: 60, perS: 60 },
  /** Of all addresses together. */
  allGuests: { count: 3_000, perS: 60 },
  /** By address: connections whose token was refused. Who has made so many is not heard until there is room again. */
  badTokens: { count: 1_200, perS: 60 },
  /** By address: tries to log in. */
  logins: { count: 20, perS: 60 },
} as const satisfies Record<string, Rate>;

export type LimitName = keyof typeof defaultRates;
export type Rates = Readonly<Record<LimitName, Rate>>;

export const limitNames = Object.keys(defaultRates) as LimitName[];

const FORM = /^(\w+)=([1-9]\d{0,8})\/([1-9]\d{0,4})$/;

/** `guests=100/60,rooms=10/60`: of those named, so many in so many seconds. */
export const RatesSetting = z
  .array(
    z
      .string()
      .refine(
        (entry) => limitNames.includes(FORM.exec(entry)?.[1] as LimitName),
        `has to be a list such as guests=100/60,rooms=10/60, of ${limitNames.join(', ')}`,
      ),
  )
  .transform((entries): Rates => {
    const given = entries.map((entry) => {
      const [, name, count, perS] = FORM.exec(entry) ?? [];
      return [name, { count: Number(count), perS: Number(perS) }];
    });
    return { ...defaultRates, ...(Object.fromEntries(given) as Partial<Rates>) };
  });
