import type { GuestSession } from '../src/protocol/index.js';
import { askRest } from './rest.js';

/** Takes a nickname and gives the token to connect with. Throws `ParleyError`; `forbidden` or `not_found` where guests are off. */
export function enterAsGuest(url: string, name: string): Promise<GuestSession> {
  return askRest(url, 'POST', '/v1/guests', { body: { name } });
}

/** Takes a guest's token that still holds and gives a fresh one for the same guest. Throws `ParleyError`. */
export function renewGuest(url: string, token: string): Promise<GuestSession> {
  return askRest(url, 'POST', '/v1/guests/renew', { token });
}
