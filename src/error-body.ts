import { types } from 'node:util';
import { HttpException, Logger } from '@nestjs/common';
import { ChatError } from './chat-error.js';
import { isTransient } from './database/failures.js';
import type { ErrorBody, ErrorCode } from './protocol/index.js';

const logger = new Logger('Failure');

/** Nest and Express refuse some requests before a handler sees them. */
const httpCodes: Record<number, ErrorCode> = {
  400: 'invalid_argument',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  413: 'payload_too_large',
  415: 'invalid_argument',
  429: 'rate_limited',
  503: 'unavailable',
};

/**
 * What a client is told of anything that was thrown. The text of an unexpected error stays in the log: it may name
 * tables, hosts or other people's data.
 */
export function errorBodyOf(error: unknown): ErrorBody {
  if (error instanceof ChatError) return error.toBody();
  if (isTransient(error)) {
    logger.warn(`The database did not answer: ${(error as Error).message}`);
    return new ChatError('unavailable', 'The database does not answer; ask again', { retryAfterMs: 1_000 }).toBody();
  }
  const status = httpStatusOf(error);
  const code = status === undefined ? undefined : httpCodes[status];
  if (code !== undefined) return new ChatError(code, `The request was refused (${code})`).toBody();
  logger.error(types.isNativeError(error) ? (error.stack ?? error.message) : `Something threw ${typeof error}`);
  return new ChatError('internal', 'Something went wrong here; it was logged').toBody();
}

/** Of Nest's own errors, and of those of Express' body parser, which are no HttpException. */
function httpStatusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  const { status, expose } = (error ?? {}) as { status?: unknown; expose?: unknown };
  return typeof status === 'number' && expose === true ? status : undefined;
}
