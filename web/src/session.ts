import type { GuestSession } from '../../sdk/index.js';

const key = 'parley.session';

/** The guest session of this browser; undefined when there is none or its token has run out. */
export function storedSession(): GuestSession | undefined {
  const session = read();
  return session && Date.parse(session.expiresAt) > Date.now() ? session : undefined;
}

/** The name used last in this browser, to offer it again. */
export function lastName(): string {
  return read()?.user.name ?? '';
}

export function storeSession(session: GuestSession): void {
  attempt(() => localStorage.setItem(key, JSON.stringify(session)));
}

/** Keeps the name, so that it can be offered, and drops the token. */
export function endSession(): void {
  const session = read();
  if (session) storeSession({ ...session, token: '', expiresAt: new Date(0).toISOString() });
}

function read(): GuestSession | undefined {
  return attempt(() => {
    const session = JSON.parse(localStorage.getItem(key) ?? 'null') as Partial<GuestSession> | null;
    const complete = session?.user?.id && session.user.name && typeof session.token === 'string' && session.expiresAt;
    return complete ? (session as GuestSession) : undefined;
  });
}

/** Storage may be forbidden or full (private windows); the page then works until it is closed. */
function attempt<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}
