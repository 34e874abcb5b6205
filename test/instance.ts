import { createSecretKey } from 'node:crypto';
import { SignJWT } from 'jose';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { readConfig, type Config } from '../src/config.js';
import { createApp } from '../src/setup-app.js';

/** Of the tests alone; nothing else is ever started with them. */
export const jwtSecret = 'a-secret-that-only-the-tests-of-parley-know-0123456789';
export const adminKey = 'an-admin-key-that-only-the-tests-of-parley-know-0123456789';

export const accounts = { secrets: ['a-secret-for-accounts-that-only-the-tests-know-0123456789'] };

/** A whole instance in this process, on a port of its own. */
export interface Instance {
  readonly url: string;
  readonly app: NestExpressApplication;
  stop(): Promise<void>;
}

/** Starts an instance on a database (`createDatabase().url`); with `redisUrl` it is one of several. */
export async function startInstance(
  databaseUrl: string,
  redisUrl?: string,
  settings: Partial<Config> = {},
): Promise<Instance> {
  const environment = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    // Two files may run at once on one Redis.
    REDIS_PREFIX: `test-${new URL(databaseUrl).pathname.slice(1).replaceAll(/\W/g, '-')}`.slice(0, 40),
    PORT: '0',
    HOST: '127.0.0.1',
    JWT_SECRET: jwtSecret,
    ADMIN_KEY: adminKey,
    GUESTS: 'on',
    LOG_LEVEL: 'error',
    // All clients of the tests have one address, and some of their users are very busy.
    CONNECTIONS_PER_USER: '1000',
    UNCHECKED_PER_ADDRESS: '10000',
    LIMITS: 'rooms=10000/60,joins=10000/60,guests=10000/60,allGuests=10000/60,badTokens=100000/60,logins=1000/60',
  };
  const config = await readConfig(environment, () => Promise.reject(new Error('Tests bring their own database')));
  const app = await createApp({ ...config, ...settings });
  await app.listen(0, '127.0.0.1');
  return { url: (await app.getUrl()).replace('[::1]', '127.0.0.1'), app, stop: () => app.close() };
}

/** A token as an app signs it for its user. */
export async function testToken(
  subject: string,
  { name = subject, expiresIn = '1h', claims = {} } = {},
): Promise<string> {
  return new SignJWT({ ...claims, name })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(expiresIn)
    .sign(createSecretKey(Buffer.from(jwtSecret)));
}
