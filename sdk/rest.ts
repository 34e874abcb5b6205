import { isErrorBody, ParleyError } from './parley-error.js';

/** In ms; then it counts as unanswered. */
const TIMEOUT = 10_000;

export interface RestRequest {
  token?: string;
  body?: object;
}

/** The good answer to a REST request. Throws `ParleyError`. */
export async function askRest<T>(
  url: string,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  { token, body }: RestRequest = {},
): Promise<T> {
  let response: Response;
  try {
    response = await fetch(new URL(path, url), {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT),
    });
  } catch {
    throw new ParleyError({ code: 'unavailable', message: 'The server cannot be reached', retryable: true });
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw refusal(response.status, answer);
  return answer as T;
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
