import { limits } from '../../src/protocol/limits.js';
import type { Reply, RequestInput, RequestName, ResultOf } from '../../src/protocol/index.js';
import { Backoff, type BackoffPolicy } from '../backoff.js';
import { ParleyError } from '../parley-error.js';
import type { Pauses } from '../pauses.js';
import type { Connection } from './connection.js';
import type { Link } from './link.js';

/** Asks until there is an answer that asking again would not change. */
export class Requests {
  constructor(
    private readonly connection: Connection,
    private readonly pauses: Pauses,
    private readonly policy: BackoffPolicy,
  ) {}

  /** Waits for the connection, over as many as it takes. Rejects with `ParleyError` only. */
  async request<E extends RequestName>(event: E, input: RequestInput<E>): Promise<ResultOf<E>> {
    if (bytesOf(input) > limits.payloadBytes - 1_024) throw tooLarge();
    const backoff = new Backoff(this.policy);
    for (;;) {
      const link = await this.connection.whenOnline();
      const reply = await this.insist(link, event, input, backoff);
      if (reply === 'gone') continue;
      if (reply.ok) return reply.data;
      throw new ParleyError(reply.error);
    }
  }

  /** Over one connection only: 'gone' when it ends, whether or not it is online yet. */
  async insist<E extends RequestName>(
    link: Link,
    event: E,
    input: RequestInput<E>,
    backoff = new Backoff(this.policy),
  ): Promise<Reply<ResultOf<E>> | 'gone'> {
    for (;;) {
      const answer = await link.ask(event, input);
      if (answer === 'gone') return answer;
      if (answer === 'timeout') {
        await this.pauses.pause(backoff.next());
      } else {
        if (answer.ok || !answer.error.retryable) return answer;
        await this.pauses.pause(backoff.next(answer.error.retryAfterMs));
      }
    }
  }
}

function bytesOf(input: unknown): number {
  return new TextEncoder().encode(JSON.stringify(input)).length;
}

/** Said here, because the server's only answer to such a packet is to cut the connection, again and again. */
function tooLarge(): ParleyError {
  return new ParleyError({ code: 'payload_too_large', message: 'The request is too large', retryable: false });
}
