import { errorCodes, type ErrorBody, type ErrorCode } from './protocol/index.js';

/**
 * The one error that services throw. The edges (socket, REST, handshake) turn it into the contract's error body; anything
 * else that is thrown reaches a client as `internal` without its text.
 */
export class ChatError extends Error {
  override readonly name = 'ChatError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly extra: Pick<ErrorBody, 'retryAfterMs' | 'details'> = {},
  ) {
    // An answer, not a failure: nobody reads where it came from, and finding out costs more than the rest of a refusal.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
  }

  toBody(): ErrorBody {
    return { code: this.code, message: this.message, retryable: errorCodes[this.code].retryable, ...this.extra };
  }
}
