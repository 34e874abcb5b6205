import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { PublicKey, type PublicKeyAlgorithm } from './verification-key.js';

/** More keys than this are no key set of one signer. */
const MOST_KEYS = 32;
const SHORTEST_RSA = 2_048;

type Jwk = JsonWebKey & { kid?: unknown; alg?: unknown; use?: unknown; key_ops?: unknown };

/**
 * The usable keys of a PEM (public keys, certificates), a JWK or a JWKS, or why there is none. Others are passed over, since
 * a set may hold keys for other purposes. @throws Error for a text that is none of the three
 */
export function readPublicKeys(
  text: string,
  algorithms: readonly PublicKeyAlgorithm[],
): { keys: PublicKey[]; problem: string | undefined } {
  const entries = text.trimStart().startsWith('{') ? jwksOf(text) : pemsOf(text);
  if (entries.length > MOST_KEYS) throw new Error(`has more than ${MOST_KEYS} keys`);
  const problems: string[] = [];
  const keys = entries.flatMap((entry) => {
    try {
      return [typeof entry === 'string' ? ofPem(entry, algorithms) : ofJwk(entry, algorithms)];
    } catch (error) {
      problems.push((error as Error).message);
      return [];
    }
  });
  return { keys, problem: keys.length > 0 ? undefined : (problems[0] ?? 'has no key') };
}

function jwksOf(text: string): Jwk[] {
  let parsed: { keys?: unknown };
  try {
    parsed = JSON.parse(text) as { keys?: unknown };
  } catch {
    throw new Error('is no JSON');
  }
  const { keys = [parsed] } = parsed;
  if (!Array.isArray(keys)) throw new Error('is no JWKS');
  return keys.filter((key): key is Jwk => typeof key === 'object' && key !== null);
}

function pemsOf(text: string): string[] {
  const pems = text.split(/(?=-----BEGIN )/).filter((part) => part.startsWith('-----BEGIN '));
  if (pems.length === 0) throw new Error('is neither PEM nor JSON');
  return pems;
}

function ofPem(pem: string, algorithms: readonly PublicKeyAlgorithm[]): PublicKey {
  if (pem.includes('PRIVATE KEY')) throw new Error('has a private key, which only your app should have');
  const key = imported(() => createPublicKey(pem));
  return new PublicKey(key, algorithmOf(key, algorithms), undefined);
}

function ofJwk(jwk: Jwk, algorithms: readonly PublicKeyAlgorithm[]): PublicKey {
  const { kid, alg, use, key_ops: operations } = jwk;
  if (jwk.kty === 'oct' || jwk.d !== undefined) throw new Error('has a secret key, which only your app should have');
  const isForSigning = (use ?? 'sig') === 'sig' && (!Array.isArray(operations) || operations.includes('verify'));
  if (!isForSigning) throw new Error('has a key that is not for signatures');
  const key = imported(() => createPublicKey({ key: jwk, format: 'jwk' }));
  const algorithm = algorithmOf(key, algorithms);
  if ((alg ?? algorithm) !== algorithm) throw new Error(`has a key for another algorithm than ${algorithm}`);
  return new PublicKey(key, algorithm, typeof kid === 'string' ? kid : undefined);
}

function imported(create: () => KeyObject): KeyObject {
  try {
    return create();
  } catch {
    throw new Error('has a key that cannot be read');
  }
}

/** The one algorithm that the key is for. @throws Error where it is for none that is allowed */
function algorithmOf(key: KeyObject, allowed: readonly PublicKeyAlgorithm[]): PublicKeyAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  let algorithm: PublicKeyAlgorithm | undefined;
  if (type === 'ed25519') algorithm = 'EdDSA';
  if (type === 'ec' && details?.namedCurve === 'prime256v1') algorithm = 'ES256';
  if (type === 'rsa') {
    if ((details?.modulusLength ?? 0) < SHORTEST_RSA)
      throw new Error(`has an RSA key of less than ${SHORTEST_RSA} bits`);
    algorithm = 'RS256';
  }
  if (algorithm === undefined || !allowed.includes(algorithm)) throw new Error(`has no key for ${allowed.join(', ')}`);
  return algorithm;
}
