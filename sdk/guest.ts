import type { GuestSession } from '../src/protocol/index.js';
import { isErrorBody, ParleyError } from './parley-error.js';

/** Takes a nickname and gives the token to connect with. Throws `ParleyError`; `forbidden` or `not_found` where guests are off. */
export async function enterAsGuest(url: string, name: string): Promise<GuestSession> {
  let response: Response;
  try {
    response = await fetch(new URL('/v1/guests', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    });
  } catch {
    throw new ParleyError({ code: 'unavailable', message: 'The server cannot be reached', retryable: true });
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw refusal(response.status, body);
  return body as GuestSession;
}

/** From `application/problem+json`; a proxy that answers in Parley's place speaks by its status alone. */
function refusal(status: number, body: unknown): ParleyError {
  const problem = (typeof body === 'object' && body !== null ? body : {}) as { title?: unknown; detail?: unknown };
  const told: unknown = { message: problem.detail ?? problem.title, ...problem };
  if (isErrorBody(told)) return new ParleyError(told);
  const retryable = status >= 500 || status === 429;
  return new ParleyError({
    code: retryable ? 'unavailable' : 'not_found',
    message: `The server answered with HTTP ${status}`,
    retryable,
  });
}
