import type {
  AccountSession,
  LoggedIn,
  LogIn,
  Register,
  Session,
  SessionList,
  SessionsEnded,
  WaysIn,
} from '../src/protocol/index.js';
import { askRest } from './rest.js';

/** A token that ends sooner is not handed out any more, in ms: a connection is told a minute before, and asks for another one. */
const REFRESH_BEFORE = 120_000;

type Registration = Omit<Register, 'deviceName'> & { deviceName?: string };
type Credentials = Omit<LogIn, 'deviceName'> & { deviceName?: string };

/** Where a session is kept; several tabs may share one place. */
export interface AccountStore {
  /** What was written last; undefined where nothing is. */
  read(): LoggedIn | undefined;
  write(session: LoggedIn): void;
}

/** Who may come in without an app. Throws `ParleyError`. */
export function waysIn(url: string): Promise<WaysIn> {
  return askRest(url, 'GET', '/v1/ways-in');
}

/**
 * One who logged in with a handle and a password. Its `token` is what `new Parley({ token })` takes: it gives the token that is
 * good, and fetches the next one in time. Throws `ParleyError`, `unauthenticated` when the session has ended.
 */
export class Account {
  private refreshing: Promise<string> | undefined;

  private constructor(
    private readonly url: string,
    private kept: LoggedIn,
    private readonly store: AccountStore | undefined,
  ) {}

  /** `conflict` where the handle is taken, `forbidden` where there are no accounts. */
  static async register(url: string, registration: Registration, store?: AccountStore): Promise<Account> {
    return Account.begin(url, await askRest(url, 'POST', '/v1/accounts', { body: registration }), store);
  }

  /** Give it the `deviceToken` of an earlier session on this device: then nobody else’s wrong tries count against it. */
  static async logIn(url: string, credentials: Credentials, store?: AccountStore): Promise<Account> {
    return Account.begin(url, await askRest(url, 'POST', '/v1/sessions', { body: credentials }), store);
  }

  /** The session of before; whether it still holds shows when it is used. Undefined where the store has none. */
  static resume(url: string, store: AccountStore): Account | undefined {
    const kept = store.read();
    return kept && new Account(url, kept, store);
  }

  private static begin(url: string, session: LoggedIn, store: AccountStore | undefined): Account {
    const account = new Account(url, session, store);
    account.keep(session);
    return account;
  }

  /** As it is now; another tab may have gone on with it. */
  get session(): LoggedIn {
    const stored = this.store?.read();
    return stored?.sessionId === this.kept.sessionId ? stored : this.kept;
  }

  readonly token = async (): Promise<string> => {
    const { token, expiresAt } = this.session;
    if (Date.parse(expiresAt) - Date.now() > REFRESH_BEFORE) return token;
    this.refreshing ??= this.refresh().finally(() => (this.refreshing = undefined));
    return this.refreshing;
  };

  /** Where else this account is logged in; what was used last comes first. */
  async sessions(): Promise<Session[]> {
    const { items } = await this.ask<SessionList>('GET', '/v1/sessions');
    return items;
  }

  async endSession(sessionId: string): Promise<void> {
    await this.ask<SessionsEnded>('DELETE', `/v1/sessions/${sessionId}`);
  }

  /** Ends this session too. */
  async endAllSessions(): Promise<void> {
    await this.ask<SessionsEnded>('DELETE', '/v1/sessions');
  }

  /** Ends all other sessions. `forbidden` where the password of before is wrong. */
  async changePassword(password: string, newPassword: string): Promise<void> {
    await this.ask<SessionsEnded>('POST', '/v1/accounts/password', { password, newPassword });
  }

  logOut(): Promise<void> {
    return this.endSession(this.kept.sessionId);
  }

  private async ask<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<T> {
    return askRest<T>(this.url, method, path, { token: await this.token(), ...(body && { body }) });
  }

  private async refresh(): Promise<string> {
    const { refreshToken, deviceToken } = this.session;
    const next = await askRest<AccountSession>(this.url, 'POST', '/v1/sessions/refresh', { body: { refreshToken } });
    this.keep({ ...next, deviceToken });
    return next.token;
  }

  /** Before anything is asked with it: the refresh token of before is used up. */
  private keep(session: LoggedIn): void {
    this.kept = { ...session, expiresAt: new Date(Date.now() + validityOf(session.token)).toISOString() };
    this.store?.write(this.kept);
  }
}

/** How long a token holds from when it was made, in ms: a device's clock may be wrong, but it goes on like the server's. */
function validityOf(token: string): number {
  const [, claims = ''] = token.split('.');
  const { exp, iat } = JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/'))) as Record<string, number>;
  return ((exp ?? 0) - (iat ?? 0)) * 1_000;
}
