import type { ErrorBody, ErrorCode } from '../src/protocol/index.js';

/** A refusal by Parley, or by the client in its place; `retryable` tells whether the same request may succeed later. */
export class ParleyError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  /** Ask again after this many milliseconds, not earlier. */
  readonly retryAfterMs?: number;
  /** What exactly was wrong, a line a fault. */
  readonly details?: string[];

  constructor(body: ErrorBody) {
    super(body.message);
    this.name = 'ParleyError';
    this.code = body.code;
    this.retryable = body.retryable;
    if (body.retryAfterMs !== undefined) this.retryAfterMs = body.retryAfterMs;
    if (body.details !== undefined) this.details = body.details;
  }
}

/** Whether what a server (or a proxy in its place) sent along with a refusal is Parley's own word. */
export function isErrorBody(value: unknown): value is ErrorBody {
  if (typeof value !== 'object' || value === null) return false;
  const body = value as Partial<Record<keyof ErrorBody, unknown>>;
  return typeof body.code === 'string' && typeof body.message === 'string' && typeof body.retryable === 'boolean';
}
