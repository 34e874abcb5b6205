import { Inject, Injectable } from '@nestjs/common';
import { ChatError } from '../chat-error.js';
import type { AppTokens, Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import { Id, UserName, type User } from '../protocol/index.js';
import { refusalOf } from '../users/access.js';
import { UsersService } from '../users/users.service.js';
import { AccountSessionsService } from './account-sessions.service.js';
import { ACCOUNT_ISSUER, AccountTokens } from './account-tokens.js';
import { ApiKeysService, type KeyHolder } from './api-keys.service.js';
import { AppKeys } from './app-keys.js';
import type { Caller, ServiceRole } from './caller.js';
import { readToken, tokenContent, type SignedToken } from './signed-token.js';
import { SharedSecret, type VerificationKey } from './verification-key.js';

/** Marks the tokens that Parley signs itself; an app's token that claims it is checked with Parley's own key. */
const GUEST_ISSUER = 'parley:guest';
/** All in seconds. */
const GUEST_VALIDITY = 30 * 24 * 3600;
/** A token that is valid for longer than this is taken for a mistake of the app. */
const LONGEST_VALIDITY = 366 * 24 * 3600;
/** So far the clock that a token was made by may be ahead of ours. */
const CLOCK_TOLERANCE = 30;
const SUBJECT_LENGTH = 200;

/** Who a token that holds is for, in the words of who signed it. */
export interface Identity {
  readonly kind: 'app' | 'guest' | 'account' | 'key';
  readonly subject: string;
  /** What stands in the token; not checked. */
  readonly name: unknown;
  readonly role: ServiceRole;
  /** ms since 1970; undefined where the token does not say. */
  readonly issuedAt: number | undefined;
  /** ms since 1970. */
  readonly expiresAt: number;
  /** Of a key. */
  readonly holder?: KeyHolder;
  /** Of an account. */
  readonly sessionId?: string;
}

type Claims = SignedToken['claims'];
/** Whose keys a token is checked with. */
type Issuer = Exclude<Identity['kind'], 'key'>;

/** Where Parley keeps it itself. */
const OWN_CLAIMS: AppTokens['claims'] = { name: 'name', subject: 'sub' };

/** JSON Web Tokens: checks those of the app's users, of accounts and of guests, signs those of guests. */
@Injectable()
export class TokensService {
  private readonly app: Config['app'];
  private readonly guestKeys: readonly SharedSecret[];

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly appKeys: AppKeys,
    private readonly users: UsersService,
    private readonly apiKeys: ApiKeysService,
    private readonly accountTokens: AccountTokens,
    private readonly accountSessions: AccountSessionsService,
  ) {
    this.app = config.app;
    this.guestKeys = config.guests?.secrets.map((secret) => new SharedSecret(secret)) ?? [];
  }

  /** @throws ChatError `unauthenticated`, `token_expired`, `banned`, `unavailable`, or what the database says */
  async verify(token: string): Promise<Caller> {
    return this.callerOf(await this.check(token));
  }

  /** Whether the token holds; only a key needs the database. @throws ChatError `unauthenticated`, `token_expired`, `unavailable` */
  async check(token: string): Promise<Identity> {
    if (ApiKeysService.looksLikeOne(token)) return identityOf(await this.apiKeys.find(token));
    const read = readToken(token);
    if (read === undefined) throw new ChatError('unauthenticated', 'The token is none that is taken here');
    // Which keys may have signed it follows from whom it says it is of, and a key knows its one algorithm.
    const kind = kindOf(read.claims);
    const keys = await this.keysOf(kind, read);
    const isSigned = keys.some((key) => key.algorithm === read.algorithm && key.hasSigned(read));
    if (!isSigned) throw new ChatError('unauthenticated', 'The token is not signed by a key that is good here');
    const expiresAt = checkTimes(read.claims) * 1000;
    const { iat } = read.claims;
    const { name, subject, role } = kind === 'app' ? this.checkApp(read.claims) : OWN_CLAIMS;
    return {
      kind,
      ...(kind === 'account' && { sessionId: Id.parse(read.claims['sid']) }),
      subject: checkSubject(read.claims[subject], subject),
      name: read.claims[name],
      role: role === undefined ? 'user' : roleOf(read.claims[role]),
      issuedAt: typeof iat === 'number' ? iat * 1000 : undefined,
      expiresAt,
    };
  }

  /** The user of a token that was checked. @throws ChatError `unauthenticated`, `token_expired`, `banned`, or what the database says */
  async callerOf(identity: Identity): Promise<Caller> {
    const { kind, subject, name, role, issuedAt, expiresAt, holder, sessionId } = identity;
    if (holder !== undefined) {
      const refusal = refusalOf(holder, issuedAt);
      if (refusal !== undefined) throw refusal;
      const { id, scopes } = holder.key;
      return { ...holder.user, role, key: { id, scopes }, issuedAt, tokenExpiresAt: expiresAt };
    }
    if (sessionId !== undefined) return this.accountOf(sessionId, expiresAt);
    const { access, ...user } = await (kind === 'guest'
      ? this.users.guest(subject)
      : this.users.fromApp(subject, shownName(name, subject)));
    const refusal = refusalOf(access, issuedAt);
    if (refusal !== undefined) throw refusal;
    return { ...user, role, issuedAt, tokenExpiresAt: expiresAt };
  }

  /** @throws ChatError `forbidden` where guests are not let in */
  signGuest({ id, name }: User): { token: string; expiresAt: Date } {
    const key = this.checkGuests();
    const iat = Math.floor(Date.now() / 1000);
    const exp = iat + GUEST_VALIDITY;
    const content = tokenContent({ alg: key.algorithm }, { iss: GUEST_ISSUER, sub: id, name, iat, exp });
    return { token: `${content}.${key.sign(content).toString('base64url')}`, expiresAt: new Date(exp * 1000) };
  }

  /** What guests' tokens are signed with. @throws ChatError `forbidden` where guests are not let in */
  checkGuests(): SharedSecret {
    const [key] = this.guestKeys;
    if (key === undefined) throw new ChatError('forbidden', 'Guests are not let in here');
    return key;
  }

  private keysOf(kind: Issuer, token: SignedToken): readonly VerificationKey[] | Promise<readonly VerificationKey[]> {
    if (kind === 'guest') return this.guestKeys;
    return kind === 'account' ? this.accountTokens.accessKeys : this.appKeys.find(token);
  }

  /** Asked of the database each time, as a key is: what was ended is refused from then on. @throws as `callerOf` */
  private async accountOf(accountSessionId: string, tokenExpiresAt: number): Promise<Caller> {
    const holder = await this.accountSessions.find(accountSessionId);
    if (holder === undefined) throw new ChatError('unauthenticated', 'The session has ended; log in again');
    const { user, createdAt: issuedAt } = holder;
    const refusal = refusalOf(holder, issuedAt);
    if (refusal !== undefined) throw refusal;
    return { ...user, role: 'user', accountSessionId, issuedAt, tokenExpiresAt };
  }

  /** Where the app keeps what we need. @throws ChatError `unauthenticated` for a token that was made for somebody else */
  private checkApp({ iss, aud }: Claims): AppTokens['claims'] {
    // Without it no key would have been found.
    if (this.app === undefined) throw new ChatError('unauthenticated', 'Tokens of an app are not taken here');
    const { issuer, audience, claims } = this.app;
    if (issuer !== undefined && iss !== issuer)
      throw new ChatError('unauthenticated', 'The token is of another issuer (iss)');
    if (audience !== undefined && ![aud].flat().includes(audience))
      throw new ChatError('unauthenticated', 'The token is for another audience (aud)');
    return claims;
  }
}

function kindOf({ iss }: Claims): Issuer {
  if (iss === ACCOUNT_ISSUER) return 'account';
  return iss === GUEST_ISSUER ? 'guest' : 'app';
}

/** When the token ends, in seconds since 1970. @throws ChatError `unauthenticated`, `token_expired` */
function checkTimes({ exp, nbf, iat }: Claims): number {
  const now = Date.now() / 1000;
  const isTime = (value: unknown) => typeof value === 'number';
  if (!isTime(exp)) throw new ChatError('unauthenticated', 'The token needs the claim exp');
  for (const from of [nbf, iat]) {
    if (from === undefined) continue;
    if (!isTime(from) || from > now + CLOCK_TOLERANCE)
      throw new ChatError('unauthenticated', 'The token is not valid yet (nbf, iat)');
  }
  if (exp <= now) throw new ChatError('token_expired', 'The token has expired');
  if (exp - (isTime(iat) ? iat : now) > LONGEST_VALIDITY)
    throw new ChatError('unauthenticated', 'The token is valid for too long (exp)');
  return exp;
}

function identityOf(holder: KeyHolder): Identity {
  const { userId, name, scopes, createdAt, expiresAt } = holder.key;
  let role: ServiceRole = scopes.includes('admin:read') ? 'auditor' : 'user';
  if (scopes.includes('admin:write')) role = 'admin';
  return {
    kind: 'key',
    subject: userId,
    name,
    role,
    issuedAt: createdAt.getTime(),
    // A connection ends at some time, also with a key that does not.
    expiresAt: expiresAt?.getTime() ?? Date.now() + LONGEST_VALIDITY * 1000,
    holder,
  };
}

/** The highest of those that the claim names, a text or a list of them. */
function roleOf(claim: unknown): ServiceRole {
  const roles: unknown[] = [claim].flat();
  return (['admin', 'auditor'] as const).find((role) => roles.includes(role)) ?? 'user';
}

function checkSubject(subject: unknown, claim: string): string {
  const isSubject = typeof subject === 'string' && subject !== '' && !subject.includes('\0');
  if (!isSubject || subject.length > SUBJECT_LENGTH)
    throw new ChatError(
      'unauthenticated',
      `The token needs the claim ${claim}, 1 to ${SUBJECT_LENGTH} characters of text`,
    );
  return subject;
}

/** The name where it is one that can be shown, otherwise the beginning of the subject. */
function shownName(name: unknown, subject: string): string {
  for (const candidate of [name, subject.slice(0, 40)]) {
    const shown = UserName.safeParse(candidate);
    if (shown.success) return shown.data;
  }
  throw new ChatError('unauthenticated', 'The token needs a name, or a subject that can be shown');
}
