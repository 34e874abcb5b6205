import { z } from 'zod';
import { Seq } from '../protocol/index.js';

/**
 * The schema of a query string that carries the fields of a request. In a URL everything is text: what reads as a number and
 * is wanted as one becomes one before it is checked, once, here.
 */
export function queryOf<T extends z.ZodObject>(request: T) {
  const numeric = new Set(
    Object.entries(request.shape).flatMap(([key, field]) => (wantsNumber(field as z.ZodType) ? [key] : [])),
  );
  const asNumbers = (query: unknown): unknown => {
    if (typeof query !== 'object' || query === null) return query;
    return Object.fromEntries(
      Object.entries(query).map(([key, value]: [string, unknown]) => [key, numeric.has(key) ? asNumber(value) : value]),
    );
  };
  return z.preprocess(asNumbers, request);
}

function wantsNumber(field: z.ZodType): boolean {
  if (field instanceof z.ZodDefault || field instanceof z.ZodOptional) return wantsNumber(field.unwrap() as z.ZodType);
  return field instanceof z.ZodNumber;
}

/** A message's position in the path of a URL. */
export const SeqParam = z.preprocess(asNumber, Seq);

function asNumber(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value;
}
