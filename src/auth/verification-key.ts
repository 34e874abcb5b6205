import { createHmac, createSecretKey, timingSafeEqual, verify, type KeyObject } from 'node:crypto';
import type { SignedToken } from './signed-token.js';

/** By which public keys a token may be signed: RSA with SHA-256, ECDSA on P-256, Ed25519. */
export const publicKeyAlgorithms = ['RS256', 'ES256', 'EdDSA'] as const;
export type PublicKeyAlgorithm = (typeof publicKeyAlgorithms)[number];

/**
 * A key, for one algorithm: what kind of key it is decides how a signature is checked, never what a token says. So a
 * public key is no shared secret to anyone (RFC 8725, 3.1).
 */
export interface VerificationKey {
  readonly algorithm: 'HS256' | PublicKeyAlgorithm;
  /** The name under which it was published, if any. */
  readonly id: string | undefined;
  hasSigned(token: SignedToken): boolean;
}

/** A secret that is shared with the signer: HS256. */
export class SharedSecret implements VerificationKey {
  readonly algorithm = 'HS256';
  readonly id = undefined;
  private readonly key: KeyObject;

  constructor(secret: string | Buffer) {
    this.key = createSecretKey(typeof secret === 'string' ? Buffer.from(secret) : secret);
  }

  sign(content: string): Buffer {
    return createHmac('sha256', this.key).update(content).digest();
  }

  hasSigned({ content, signature }: SignedToken): boolean {
    const right = this.sign(content);
    return signature.length === right.length && timingSafeEqual(signature, right);
  }
}

export class PublicKey implements VerificationKey {
  constructor(
    private readonly key: KeyObject,
    readonly algorithm: PublicKeyAlgorithm,
    readonly id: string | undefined,
  ) {}

  hasSigned({ content, signature }: SignedToken): boolean {
    const digest = this.algorithm === 'EdDSA' ? null : 'sha256';
    return verify(digest, Buffer.from(content), { key: this.key, dsaEncoding: 'ieee-p1363' }, signature);
  }
}
