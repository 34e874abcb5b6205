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

/** CORS headers hold back no WebSocket, so connections of other origins are refused before the upgrade. */
export function originCheck({ corsOrigins }: Config): Pick<ServerOptions, 'cors' | 'allowRequest'> {
  return {
    cors: { origin: [...corsOrigins], credentials: true },
    allowRequest: (request: IncomingMessage, decide) => {
      const { origin, host, upgrade } = request.headers;
      const allowed = isAllowedOrigin(origin, host, corsOrigins);
      // Engine.IO would answer an upgrade with 400, as if the request had been malformed.
      if (!allowed && upgrade !== undefined) request.socket.end(FORBIDDEN);
      decide(null, allowed);
    },
  };
}
