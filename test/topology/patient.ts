import { setTimeout as delay } from 'node:timers/promises';
import type { RequestInput, RequestName, ResultOf } from '../../src/protocol/index.js';
import { PlainClient, Refused } from '../client.js';

/** Does as the contract says: what is refused for the moment is asked again when the refusal says so. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Refused) || !error.error.retryable || tries === 20) throw error;
      await delay(error.error.retryAfterMs ?? 500);
    }
  }
}

export function connect(url: string, user: string, transports?: string[]): Promise<PlainClient> {
  return patiently(() => PlainClient.connect(url, user, transports === undefined ? {} : { transports }));
}

export function ask<E extends RequestName>(
  client: PlainClient,
  event: E,
  request: RequestInput<E>,
): Promise<ResultOf<E>> {
  return patiently(() => client.ask(event, request));
}
