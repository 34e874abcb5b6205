import { z } from 'zod';

/**
 * Every error code of the contract: whether the same request may succeed later without a change of it (`retryable`),
 * and the HTTP status that the REST twin answers with.
 */
export const errorCodes = {
  unauthenticated: { retryable: false, status: 401 },
  token_expired: { retryable: false, status: 401 },
  forbidden: { retryable: false, status: 403 },
  not_member: { retryable: false, status: 403 },
  banned: { retryable: false, status: 403 },
  muted: { retryable: false, status: 403 },
  not_found: { retryable: false, status: 404 },
  invalid_argument: { retryable: false, status: 400 },
  unknown_event: { retryable: false, status: 404 },
  payload_too_large: { retryable: false, status: 413 },
  rate_limited: { retryable: true, status: 429 },
  overloaded: { retryable: true, status: 503 },
  rejected: { retryable: false, status: 422 },
  held: { retryable: false, status: 409 },
  slow_mode: { retryable: true, status: 429 },
  conflict: { retryable: false, status: 409 },
  version_mismatch: { retryable: false, status: 409 },
  idempotency_mismatch: { retryable: false, status: 409 },
  room_archived: { retryable: false, status: 409 },
  room_full: { retryable: false, status: 409 },
  slow_consumer: { retryable: true, status: 503 },
  too_many_connections: { retryable: true, status: 429 },
  draining: { retryable: true, status: 503 },
  unavailable: { retryable: true, status: 503 },
  internal: { retryable: false, status: 500 },
} as const satisfies Record<string, { retryable: boolean; status: number }>;

export type ErrorCode = keyof typeof errorCodes;

export const ErrorBody = z.object({
  code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]),
  /** For a developer to read; its wording is no part of the contract. */
  message: z.string(),
  retryable: z.boolean(),
  /** Ask again after this many milliseconds, not earlier. */
  retryAfterMs: z.int().nonnegative().optional(),
  /** What exactly was wrong, a line a fault: `text: Too small`. Never repeats what the client sent. */
  details: z.array(z.string()).optional(),
});
export type ErrorBody = z.output<typeof ErrorBody>;

/** What every request is answered with, exactly once. */
export type Reply<T> = { ok: true; data: T } | { ok: false; error: ErrorBody };
