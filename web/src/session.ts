import {
  Account,
  renewGuest,
  type AccountStore,
  type GuestSession,
  type LoggedIn,
  type User,
} from '../../sdk/index.js';

const guestKey = 'parley.session';
const accountKey = 'parley.account';
/** In ms; a guest's token is good for thirty days. */
const RENEW_BEFORE = 15 * 24 * 3_600_000;

/** Somebody who has come in, in this browser. */
export interface Entered {
  user: User;
  /** The account's; a guest has none. */
  handle?: string;
  token: () => Promise<string>;
  /** What is known of him here is not good any more, or shall not be. Never rejects. */
  forget: (wish: boolean) => Promise<void>;
}

/** Who was here last and may still come in; undefined when there is nobody. */
export function storedEntrance(): Entered | undefined {
  const session = accountStore.read();
  if (session && Date.parse(session.refreshExpiresAt) > Date.now()) {
    const account = Account.resume(location.origin, accountStore);
    if (account) return enterAs(account);
  }
  const guest = storedGuest();
  return guest && enteredGuest(guest);
}

/** The name used last in this browser, to offer it again. */
export function lastName(): string {
  return readGuest()?.user.name ?? '';
}

/** The account that was logged in last in this browser, and what proves that. */
export function lastAccount(): Pick<LoggedIn, 'handle' | 'deviceToken'> | undefined {
  return accountStore.read();
}

export function enterAs(account: Account): Entered {
  const { user, handle, sessionId } = account.session;
  return {
    user,
    handle,
    token: account.token,
    forget: async (wish) => {
      if (wish) await account.logOut().catch(() => undefined);
      const session = accountStore.read();
      // Another tab may have logged in again.
      if (session?.sessionId === sessionId)
        accountStore.write({ ...session, token: '', refreshToken: '', refreshExpiresAt: new Date(0).toISOString() });
    },
  };
}

export function enterGuest(session: GuestSession): Entered {
  storeGuest(session);
  return enteredGuest(session);
}

/** For all tabs of this browser. */
export const accountStore: AccountStore = {
  read: () =>
    attempt(() => {
      const session = JSON.parse(localStorage.getItem(accountKey) ?? 'null') as Partial<LoggedIn> | null;
      const complete = session?.user?.id && session.handle && session.sessionId && session.refreshExpiresAt;
      return complete ? (session as LoggedIn) : undefined;
    }),
  write: (session) => attempt(() => localStorage.setItem(accountKey, JSON.stringify(session))),
};

function enteredGuest(session: GuestSession): Entered {
  return {
    user: session.user,
    token: () => currentToken(session),
    // Keeps the name, so that it can be offered, and drops the token.
    forget: () => {
      const stored = readGuest();
      if (stored) storeGuest({ ...stored, token: '', expiresAt: new Date(0).toISOString() });
      return Promise.resolve();
    },
  };
}

/** The guest's token, in its last days a fresh one: a browser that is used now and then keeps its guest for good. */
async function currentToken(entered: GuestSession): Promise<string> {
  const stored = storedGuest();
  const session = stored?.user.id === entered.user.id ? stored : entered;
  if (Date.parse(session.expiresAt) - Date.now() > RENEW_BEFORE) return session.token;
  try {
    const renewed = await renewGuest(location.origin, session.token);
    storeGuest(renewed);
    return renewed.token;
  } catch {
    // Whether this one is still good is the server's to say.
    return session.token;
  }
}

function storedGuest(): GuestSession | undefined {
  const session = readGuest();
  return session && Date.parse(session.expiresAt) > Date.now() ? session : undefined;
}

function storeGuest(session: GuestSession): void {
  attempt(() => localStorage.setItem(guestKey, JSON.stringify(session)));
}

function readGuest(): GuestSession | undefined {
  return attempt(() => {
    const session = JSON.parse(localStorage.getItem(guestKey) ?? 'null') as Partial<GuestSession> | null;
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
