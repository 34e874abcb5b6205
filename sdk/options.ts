import type { BackoffPolicy } from './backoff.js';

export type Transport = 'websocket' | 'polling';

export interface ParleyOptions {
  /** `http(s)://host:port` of an instance or of the balancer before many. */
  url: string;
  /** A function is asked before every connection, and in good time before a token ends, so that it can hand out a fresh one. */
  token: string | (() => string | Promise<string>);
  /** Nobody looks at this client: it does not make its user count as online. Default false. */
  background?: boolean;
  /** In the order of preference; default WebSocket, then long-polling. */
  transports?: Transport[];
  /** A request without a reply for so long is asked again; default 10,000 ms. */
  requestTimeoutMs?: number;
  /** Waits between tries are `random() * min(capMs, baseMs * 2^n)`; default 500 and 30,000 ms. */
  backoff?: { baseMs?: number; capMs?: number };
  random?: () => number;
  /** The newest messages kept per room, beyond those that were loaded from history; default 500. */
  historyWindow?: number;
}

export interface Settings {
  url: string;
  token: () => string | Promise<string>;
  /** Whether asking for the token again may give another one. */
  tokenRenews: boolean;
  background: boolean;
  transports: Transport[];
  requestTimeoutMs: number;
  backoff: BackoffPolicy;
  historyWindow: number;
}

export function settingsOf(options: ParleyOptions): Settings {
  const { token } = options;
  return {
    url: options.url,
    token: typeof token === 'function' ? token : () => token,
    tokenRenews: typeof token === 'function',
    background: options.background ?? false,
    transports: options.transports ?? ['websocket', 'polling'],
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    backoff: {
      baseMs: options.backoff?.baseMs ?? 500,
      capMs: options.backoff?.capMs ?? 30_000,
      random: options.random ?? Math.random,
    },
    historyWindow: Math.max(1, options.historyWindow ?? 500),
  };
}
