import { createSecretKey } from 'node:crypto';
import { SignJWT } from 'jose';

/** What the checker's own clusters verify tokens with. */
export const jwtSecret = 'a-secret-that-only-the-checker-of-parley-knows-0123456789';

/** As the app of a deployment signs them, for one of its users. */
export function tokenOf(user: string, secret = jwtSecret): Promise<string> {
  return new SignJWT({ name: user })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime('12h')
    .sign(createSecretKey(Buffer.from(secret)));
}
