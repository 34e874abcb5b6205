import { createSecretKey } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { errors, jwtVerify, SignJWT, type JWTPayload } from 'jose';
import { ChatError } from '../chat-error.js';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import { UserName, type User } from '../protocol/index.js';
import { UsersService } from '../users/users.service.js';
import type { Caller } from './caller.js';

/** Marks the tokens that Parley signs itself; an app's token must not claim it. */
const GUEST_ISSUER = 'parley:guest';
const GUEST_TOKEN_DAYS = 30;
/** A token that is valid for longer than this is taken for a mistake of the app, in seconds. */
const LONGEST_VALIDITY = 366 * 24 * 3600;
const SUBJECT_LENGTH = 200;

export interface CheckedClaims extends JWTPayload {
  sub: string;
  exp: number;
}

/** JSON Web Tokens, HS256: checks those of the app's users and of guests, signs those of guests. */
@Injectable()
export class TokensService {
  private readonly key;
  private readonly issuer: string | undefined;
  private readonly audience: string | undefined;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly users: UsersService,
  ) {
    // Imported once: deriving the key at each check is what makes token checks slow.
    this.key = createSecretKey(Buffer.from(config.jwt.secret));
    this.issuer = config.jwt.issuer;
    this.audience = config.jwt.audience;
  }

  /** @throws ChatError `unauthenticated`, `token_expired`, or what the database says */
  async verify(token: string): Promise<Caller> {
    return this.callerOf(await this.check(token));
  }

  /** Whether the token holds; needs no database. @throws ChatError `unauthenticated`, `token_expired` */
  async check(token: string): Promise<CheckedClaims> {
    const claims = await this.claimsOf(token);
    const { sub, exp, iat } = claims;
    if (sub === undefined || sub === '' || sub.length > SUBJECT_LENGTH || sub.includes('\0') || exp === undefined) {
      throw new ChatError('unauthenticated', 'The token needs the claims sub and exp');
    }
    if (exp - (iat ?? Date.now() / 1000) > LONGEST_VALIDITY) {
      throw new ChatError('unauthenticated', 'The token is valid for too long');
    }
    return { ...claims, sub, exp };
  }

  /** The user of a token that was checked. @throws ChatError `unauthenticated`, or what the database says */
  async callerOf(claims: CheckedClaims): Promise<Caller> {
    const { sub, exp, iss } = claims;
    const user =
      iss === GUEST_ISSUER ? await this.users.guest(sub) : await this.users.fromApp(sub, nameOf(sub, claims));
    return { ...user, tokenExpiresAt: exp * 1000 };
  }

  async signGuest(user: User): Promise<{ token: string; expiresAt: Date }> {
    const expiresAt = new Date(Math.floor(Date.now() / 1000 + GUEST_TOKEN_DAYS * 24 * 3600) * 1000);
    const token = await new SignJWT({ name: user.name })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(GUEST_ISSUER)
      .setSubject(user.id)
      .setIssuedAt()
      .setExpirationTime(expiresAt)
      .sign(this.key);
    return { token, expiresAt };
  }

  private async claimsOf(token: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, this.key, { algorithms: ['HS256'], clockTolerance: 5 });
      if (payload.iss === GUEST_ISSUER) return payload;
      if (this.issuer !== undefined && payload.iss !== this.issuer) throw new errors.JWTInvalid('issuer');
      const audiences = [payload.aud ?? []].flat();
      if (this.audience !== undefined && !audiences.includes(this.audience)) throw new errors.JWTInvalid('audience');
      return payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new ChatError('token_expired', 'The token has expired');
      throw new ChatError('unauthenticated', 'The token is not valid');
    }
  }
}

/** The claim `name` where it is one that can be shown, otherwise the beginning of the subject. */
function nameOf(subject: string, claims: JWTPayload): string {
  const name = UserName.safeParse(claims['name']);
  if (name.success) return name.data;
  const fallback = UserName.safeParse(subject.slice(0, 40));
  if (fallback.success) return fallback.data;
  throw new ChatError('unauthenticated', 'The token needs a name, or a sub that can be shown');
}
