import type { IncomingMessage } from 'node:http';
import type { ServerOptions } from 'socket.io';
import type { Config } from '../config.js';

/**
 * Whether a page of this origin may talk to us: our own, or one of the configuration's. Programs that are no browser
 * send no origin; they need a token like everyone.
 */
export function isAllowedOrigin(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined || allowed.includes(origin)) return true;
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}

const FORBIDDEN = 'HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

const MALFORMED = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

const TOO_MANY = 'HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

const isKnown = ({ url = '' }: IncomingMessage): boolean => /[?&]sid=/.test(url);

const speaksOurs = ({ url = '' }: IncomingMessage): boolean => /[?&]EIO=4(?:&|$)/.test(url);

/**
 * CORS headers hold back no WebSocket, so connections of other origins are refused before the upgrade.
 * @param mayKnock whether one more connection of the client's address is let in
 */
export function originCheck(
  { corsOrigins }: Config,
  mayKnock: (request: IncomingMessage) => boolean,
): Pick<ServerOptions, 'cors' | 'allowRequest'> {
  return {
    cors: { origin: [...corsOrigins], credentials: true },
    allowRequest: (request: IncomingMessage, decide) => {
      const { origin, host, upgrade } = request.headers;
      const allowed = isAllowedOrigin(origin, host, corsOrigins);
      // Engine.IO would answer an upgrade with 400, as if the request had been malformed.
      if (!allowed && upgrade !== undefined) request.socket.end(FORBIDDEN);
      // Engine.IO would upgrade it first, and say so then.
      else if (upgrade !== undefined && !speaksOurs(request)) {
        request.socket.end(MALFORMED);
        decide('unsupported_protocol', false);
        return;
      }
      // A polling client asks many times; only the first time is a connection.
      if (allowed && !isKnown(request) && !mayKnock(request)) {
        if (upgrade !== undefined) request.socket.end(TOO_MANY);
        decide('too_many_connections', false);
        return;
      }
      decide(null, allowed);
    },
  };
}
