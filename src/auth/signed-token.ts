import { limits } from '../protocol/index.js';

const COMPACT = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/;
/** What a token may say that it is. One that was made for something else, such as a logout, signs nobody in. */
const KINDS: readonly unknown[] = [undefined, 'jwt', 'at+jwt'];

/** What a token says of itself; nothing of it is true before its signature was checked. */
export interface SignedToken {
  readonly algorithm: string;
  /** Which of its keys the signer says that it took. */
  readonly keyId: string | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
  /** What the signature is of. */
  readonly content: string;
  readonly signature: Buffer;
}

/** Takes a JSON Web Token (RFC 7519, compact) apart; undefined where it is none, or one that asks for more than we know. */
export function readToken(token: string): SignedToken | undefined {
  const [, head, body, signature] = (token.length <= limits.tokenLength && COMPACT.exec(token)) || [];
  if (head === undefined || body === undefined || signature === undefined) return undefined;
  const header = decoded(head);
  const claims = decoded(body);
  if (header === undefined || claims === undefined) return undefined;
  const { alg, kid, typ } = header;
  const kind = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ;
  // `crit` names extensions that one has to understand to accept the token (RFC 7515). Keys that the header brings along
  // (`jwk`, `jku`, `x5c`, `x5u`) are not looked at.
  if (typeof alg !== 'string' || 'crit' in header || !KINDS.includes(kind)) return undefined;
  if (kid !== undefined && typeof kid !== 'string') return undefined;
  return {
    algorithm: alg,
    keyId: kid,
    claims,
    content: `${head}.${body}`,
    signature: Buffer.from(signature, 'base64url'),
  };
}

/** The part of a token that is signed. */
export function tokenContent(header: object, claims: object): string {
  return [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
}

function decoded(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
