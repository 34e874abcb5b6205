import { resolve } from 'node:path';
import type { z } from 'zod';
import { publicKeyAlgorithms, type PublicKeyAlgorithm } from './auth/verification-key.js';
import { checked, Environment } from './config/environment.js';
import { defaultRates, type Rates } from './limits/rates.js';
import { redisSettings, type RedisSettings } from './config/redis-settings.js';
import { StartError } from './start-error.js';

/** How users of the app are known. */
export interface AppTokens {
  /** HS256 secrets that the app shares, or where its public keys are (`https:`, `file:`) and what they may be for. */
  trust: { secrets: readonly string[] } | { keys: URL; algorithms: readonly PublicKeyAlgorithm[] };
  issuer: string | undefined;
  audience: string | undefined;
  /** In which claims the app says who someone is, and what others see. */
  claims: {
    subject: string;
    name: string;
    /** Undefined: no token makes an admin or an auditor. */
    role?: string | undefined;
  };
}

export interface Config {
  /** True when Parley brings its own Postgres and needs nothing set. */
  embedded: boolean;
  port: number;
  host: string;
  dataDir: string;
  /** The built chat page. */
  webDir: string;
  database: { url: string; poolSize: number };
  /** Undefined: one instance, in memory. */
  redis: RedisSettings | undefined;
  /** Undefined: no token of an app is taken. */
  app: AppTokens | undefined;
  /** Parley signs guests' tokens with the first secret, and takes those of all; undefined: there are no guests. */
  guests: { secrets: readonly string[] } | undefined;
  /** What the tokens of accounts are made with: by the first secret, and those of all are taken; undefined: there are no accounts. */
  accounts: { secrets: readonly string[] } | undefined;
  /** Undefined: no key opens the admin REST. */
  adminKey: string | undefined;
  /** Where the admin REST is served; undefined: with everything else. */
  admin: { port: number; host: string } | undefined;
  docs: boolean;
  /** Browser origins other than our own that may connect. */
  corsOrigins: readonly string[];
  /** Whether to refuse to start on a Postgres that may lose what it committed. */
  requireDurable: boolean;
  /** What one connection may cost; requests and bytes a second, bytes that may wait for it. */
  limits: {
    requestsPerSecond: number;
    inboundBytesPerSecond: number;
    outboundBytes: number;
    connectsPerSecond: number;
  };
  /** How many a user may have, and an address whose tokens were not checked yet, at one instance. */
  connections: { perUser: number; uncheckedPerAddress: number };
  /** What users, rooms and addresses may do in a time, over all instances. */
  rates: Rates;
  /** Whose word is taken for a client's address: that of proxies, by address, or of so many in a row. */
  trustProxy: readonly string[] | number;
  /** Who is asked before a message is stored, and what counts where he does not answer in time. */
  preSendHook: { url: string; secret: string; timeoutMs: number; fail: 'open' | 'closed' } | undefined;
  /** How long clients get to leave before a stop cuts them, in ms. */
  drainMs: number;
  logLevel: 'error' | 'warn' | 'log' | 'debug';
}

/** What embedded mode makes and keeps by itself, so that nothing has to be set. */
export interface EmbeddedDefaults {
  databaseUrl: string;
  jwtSecret: string;
  adminKey: string;
}

/**
 * Reads and checks the environment.
 * @param embedded called once, only when there is no `DATABASE_URL`: starts or finds what embedded mode brings along
 * @throws StartError with a sentence for the first thing that is wrong
 */
export async function readConfig(
  environment: NodeJS.ProcessEnv,
  embedded: (dataDir: string) => Promise<EmbeddedDefaults>,
): Promise<Config> {
  const env = checked(Environment, environment);
  const dataDir = resolve(env.DATA_DIR);
  const shared = {
    port: env.PORT,
    dataDir,
    webDir: resolve(env.WEB_DIR),
    docs: env.DOCS,
    admin: env.ADMIN_PORT === undefined ? undefined : { port: env.ADMIN_PORT, host: env.ADMIN_HOST },
    corsOrigins: env.CORS_ORIGINS,
    requireDurable: env.REQUIRE_DURABLE,
    limits: {
      requestsPerSecond: env.REQUESTS_PER_SECOND,
      inboundBytesPerSecond: env.INBOUND_BYTES_PER_SECOND,
      outboundBytes: env.OUTBOUND_BYTES,
      connectsPerSecond: env.CONNECTS_PER_SECOND,
    },
    connections: { perUser: env.CONNECTIONS_PER_USER, uncheckedPerAddress: env.UNCHECKED_PER_ADDRESS },
    rates: env.LIMITS ?? defaultRates,
    trustProxy: env.TRUST_PROXY,
    preSendHook: preSendHook(env),
    logLevel: env.LOG_LEVEL,
    redis: await redisSettings(env),
  };
  if (env.DATABASE_URL === undefined) {
    if (env.REDIS_URL !== undefined) {
      throw new StartError(
        'REDIS_URL is set but DATABASE_URL is not: several instances need one Postgres, so set both or none.',
      );
    }
    const own = await embedded(dataDir);
    return {
      ...shared,
      embedded: true,
      drainMs: env.DRAIN_MS ?? 200,
      host: env.HOST ?? '127.0.0.1',
      database: { url: own.databaseUrl, poolSize: env.DATABASE_POOL_SIZE },
      ...entrances(env, own.jwtSecret),
      adminKey: env.ADMIN_KEY ?? own.adminKey,
    };
  }
  return {
    ...shared,
    embedded: false,
    drainMs: env.DRAIN_MS ?? 4_000,
    host: env.HOST ?? '0.0.0.0',
    database: { url: env.DATABASE_URL, poolSize: env.DATABASE_POOL_SIZE },
    ...entrances(env),
    adminKey: env.ADMIN_KEY,
  };
}

/**
 * Where the database is, and nothing else.
 * @throws StartError
 */
export function readDatabase(environment: NodeJS.ProcessEnv): Config['database'] {
  const settings = Environment.pick({ DATABASE_URL: true, DATABASE_POOL_SIZE: true });
  const { DATABASE_URL: url, DATABASE_POOL_SIZE: poolSize } = checked(settings, environment);
  if (url === undefined)
    throw new StartError(
      'DATABASE_URL is not set, so there is nothing to migrate: embedded mode does that at its start.',
    );
  return { url, poolSize };
}

/**
 * What a migration needs, and nothing else: the database as who may change the schema, and as who serves.
 * @throws StartError
 */
export function readMigration(environment: NodeJS.ProcessEnv): { owning: Config['database']; serving: string } {
  const { url: serving, poolSize } = readDatabase(environment);
  const { MIGRATION_DATABASE_URL: url = serving } = checked(
    Environment.pick({ MIGRATION_DATABASE_URL: true }),
    environment,
  );
  return { owning: { url, poolSize }, serving };
}

/** Who comes in, and by what that is known. @param own embedded mode's secret, for what is not set */
function entrances(env: z.output<typeof Environment>, own?: string): Pick<Config, 'app' | 'guests' | 'accounts'> {
  const { JWT_SECRET: secret, JWT_OLD_SECRET: oldSecret, JWT_KEYS: keys } = env;
  const { GUESTS: isOpen = own !== undefined, ACCOUNTS: hasAccounts = own !== undefined } = env;
  if (keys !== undefined && secret !== undefined) {
    throw new StartError(
      'JWT_SECRET and JWT_KEYS are both set, and your app signs with one of them: take the other one out. What signs guests’ tokens is GUEST_SECRET.',
    );
  }
  if (oldSecret !== undefined && secret === undefined)
    throw new StartError('JWT_OLD_SECRET is set without JWT_SECRET, which takes its place: set both or none.');
  if (env.JWT_ALGORITHMS !== undefined && keys === undefined)
    throw new StartError('JWT_ALGORITHMS is for the public keys of JWT_KEYS, which is not set: set both or none.');
  const guestSecret = env.GUEST_SECRET ?? secret ?? own;
  if (isOpen && guestSecret === undefined) {
    throw new StartError(
      'GUESTS is on, and there is nothing to sign their tokens with: set GUEST_SECRET, e.g. to the output of: openssl rand -base64 48',
    );
  }
  const accountSecret = env.ACCOUNT_SECRET ?? secret ?? own;
  if (hasAccounts && accountSecret === undefined) {
    throw new StartError(
      'ACCOUNTS is on, and there is nothing to make their tokens with: set ACCOUNT_SECRET, e.g. to the output of: openssl rand -base64 48',
    );
  }
  const appSecret = secret ?? own;
  let trust: AppTokens['trust'] | undefined;
  if (keys !== undefined) trust = { keys, algorithms: env.JWT_ALGORITHMS ?? publicKeyAlgorithms };
  else if (appSecret !== undefined) trust = { secrets: given(appSecret, oldSecret) };
  if (trust === undefined && !isOpen && !hasAccounts) {
    throw new StartError(
      'JWT_SECRET is not set, nor is JWT_KEYS: give the secret that your app signs its tokens with (HS256), e.g. from: openssl rand -base64 48, or the URL or file of its public keys.',
    );
  }
  return {
    app: trust && {
      trust,
      issuer: env.JWT_ISSUER,
      audience: env.JWT_AUDIENCE,
      claims: { subject: env.JWT_SUBJECT_CLAIM, name: env.JWT_NAME_CLAIM, role: env.JWT_ROLE_CLAIM },
    },
    guests: isOpen
      ? { secrets: given(guestSecret, env.GUEST_SECRET === undefined ? oldSecret : undefined) }
      : undefined,
    accounts: hasAccounts
      ? { secrets: given(accountSecret, env.ACCOUNT_SECRET === undefined ? oldSecret : undefined) }
      : undefined,
  };
}

function given(...secrets: (string | undefined)[]): string[] {
  return secrets.filter((secret) => secret !== undefined);
}

/** @throws StartError */
function preSendHook(env: z.output<typeof Environment>): Config['preSendHook'] {
  const { PRE_SEND_HOOK_URL: url, PRE_SEND_HOOK_SECRET: secret } = env;
  if ((url === undefined) !== (secret === undefined))
    throw new StartError(
      'Of PRE_SEND_HOOK_URL and PRE_SEND_HOOK_SECRET one is set alone: the secret signs what is sent to the URL, so set both or none.',
    );
  if (url === undefined || secret === undefined) return undefined;
  return { url, secret, timeoutMs: env.PRE_SEND_HOOK_TIMEOUT_MS, fail: env.PRE_SEND_HOOK_FAIL };
}
