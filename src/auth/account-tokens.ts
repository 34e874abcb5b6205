import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { ChatError } from '../chat-error.js';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import { tokenContent } from './signed-token.js';
import { SharedSecret } from './verification-key.js';

/** Marks the tokens of accounts; whatever claims it is checked with their keys alone. */
export const ACCOUNT_ISSUER = 'parley:account';
/** All in seconds. */
const ACCESS_VALIDITY = 15 * 60;
const DEVICE_VALIDITY = 365 * 24 * 3600;
/** Begins every refresh token, so that a leaked one is known for what it is. No key begins so, and no signed token. */
const REFRESH = 'parley-refresh_';
const ID = 16;
const SECRET = 32;
const MAC = 16;
/** Of the 64 bytes of one. */
const REFRESH_FORM = new RegExp(`^${REFRESH}([\\w-]{86})$`);
const DEVICE_FORM = /^parley-device_([\w-]{16,200})\.([\w-]{43})$/;

export interface RefreshToken {
  readonly sessionId: string;
  readonly text: string;
  /** What is kept of it. */
  readonly hash: Buffer;
}

/** Keys of one secret, each for one purpose: what was made with one is nothing to another, nor to what else the secret signs. */
class Keys {
  readonly access: SharedSecret;
  readonly refresh: Buffer;
  readonly device: Buffer;

  constructor(secret: string) {
    const derived = (purpose: string) =>
      Buffer.from(hkdfSync('sha256', secret, '', `parley account ${purpose}`, SECRET));
    this.access = new SharedSecret(derived('access'));
    this.refresh = derived('refresh');
    this.device = derived('device');
  }
}

/**
 * What accounts come in with: a signed access token, as guests have; a refresh token; and what a device proves itself with.
 *
 * A refresh token is the id of its session, 32 bytes that nobody can guess, and a MAC. By the MAC one that was good once is told
 * from one that is made up, without a row for each that was ever used.
 */
@Injectable()
export class AccountTokens {
  private readonly keys: readonly Keys[];

  constructor(@Inject(CONFIG) { accounts }: Config) {
    this.keys = accounts?.secrets.map((secret) => new Keys(secret)) ?? [];
  }

  get accessKeys(): readonly SharedSecret[] {
    return this.keys.map(({ access }) => access);
  }

  get on(): boolean {
    return this.keys.length > 0;
  }

  /** @throws ChatError `forbidden` where there are no accounts */
  check(): Keys {
    const [keys] = this.keys;
    if (keys === undefined) throw new ChatError('forbidden', 'There are no accounts here');
    return keys;
  }

  /** @throws ChatError `forbidden` where there are no accounts */
  signAccess(userId: string, sessionId: string): { token: string; expiresAt: string } {
    const { access } = this.check();
    const iat = Math.floor(Date.now() / 1000);
    const exp = iat + ACCESS_VALIDITY;
    const claims = { iss: ACCOUNT_ISSUER, sub: userId, sid: sessionId, iat, exp };
    const content = tokenContent({ alg: access.algorithm, typ: 'at+jwt' }, claims);
    return {
      token: `${content}.${access.sign(content).toString('base64url')}`,
      expiresAt: new Date(exp * 1000).toISOString(),
    };
  }

  /** The first refresh token of a session. @throws ChatError `forbidden` where there are no accounts */
  firstRefresh(sessionId: string): RefreshToken {
    return refreshToken(this.check(), bytesOf(sessionId), randomBytes(SECRET));
  }

  /** One that we made, some time. Undefined where it was made up. */
  readRefresh(text: string): RefreshToken | undefined {
    const [, encoded] = REFRESH_FORM.exec(text) ?? [];
    if (encoded === undefined) return undefined;
    const bytes = Buffer.from(encoded, 'base64url');
    const [id, secret] = [bytes.subarray(0, ID), bytes.subarray(ID, ID + SECRET)];
    return this.keys.map((keys) => refreshToken(keys, id, secret)).find((token) => isEqual(token.text, text));
  }

  /**
   * The one that takes the place of `token`: always the same for the same salt, so that who lost the answer can be given it again,
   * though it is kept nowhere. Takes the salt of the database, the secret of this deployment and the token to make.
   * @throws ChatError `forbidden` where there are no accounts
   */
  nextRefresh(token: RefreshToken, salt: Buffer): RefreshToken {
    const keys = this.check();
    const secret = createHmac('sha256', keys.refresh).update('next').update(salt).update(token.text).digest();
    return refreshToken(keys, bytesOf(token.sessionId), secret);
  }

  /** Proves that somebody logged in to this account on the device before. @throws ChatError `forbidden` where there are no accounts */
  signDevice(handle: string): string {
    const expiresAt = Math.floor(Date.now() / 1000) + DEVICE_VALIDITY;
    const content = [randomBytes(ID).toString('base64url'), expiresAt, handle].join(' ');
    const encoded = Buffer.from(content).toString('base64url');
    return `parley-device_${encoded}.${deviceMac(this.check(), encoded)}`;
  }

  /** What the device is known by; undefined where the proof is none, or of another account. */
  readDevice(text: string, handle: string): string | undefined {
    const [, encoded, mac] = DEVICE_FORM.exec(text) ?? [];
    if (encoded === undefined || mac === undefined) return undefined;
    if (!this.keys.some((keys) => isEqual(deviceMac(keys, encoded), mac))) return undefined;
    const [id, expiresAt, of] = Buffer.from(encoded, 'base64url').toString().split(' ');
    return of === handle && Number(expiresAt) > Date.now() / 1000 ? id : undefined;
  }
}

function refreshToken({ refresh }: Keys, id: Buffer, secret: Buffer): RefreshToken {
  const mac = createHmac('sha256', refresh).update('token').update(id).update(secret).digest().subarray(0, MAC);
  const text = REFRESH + Buffer.concat([id, secret, mac]).toString('base64url');
  return { sessionId: idOf(id), text, hash: createHash('sha256').update(text).digest() };
}

function deviceMac({ device }: Keys, encoded: string): string {
  return createHmac('sha256', device).update(encoded).digest('base64url');
}

function isEqual(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function bytesOf(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex');
}

function idOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
