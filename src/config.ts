import { resolve } from 'node:path';
import { z } from 'zod';
import { StartError } from './start-error.js';

const SECRET_BYTES = 32;

const secret = z
  .string()
  .refine((value) => Buffer.byteLength(value) >= SECRET_BYTES, `has to be at least ${SECRET_BYTES} bytes`)
  .refine((value) => new Set(value).size > 8, 'has to be random; make one with: openssl rand -base64 48');

const onOff = z.enum(['on', 'off']).transform((value) => value === 'on');

const url = (...schemes: string[]) =>
  z
    .url()
    .refine(
      (value) => schemes.some((scheme) => value.startsWith(`${scheme}://`)),
      `has to start with ${schemes[0]}://`,
    );

const list = z.string().transform((value) =>
  value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ''),
);

/** Everything that can be set, by its name in the environment. docs/operations.md lists the same. */
const Environment = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  HOST: z.string().optional(),
  DATA_DIR: z.string().default('data'),
  WEB_DIR: z.string().default('web/dist'),
  DATABASE_URL: url('postgres', 'postgresql').optional(),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(4).max(200).default(10),
  REDIS_URL: list.pipe(z.array(url('redis', 'rediss')).min(1, 'has to start with redis://')).optional(),
  REDIS_ADAPTER: z.enum(['classic', 'sharded'], 'takes classic or sharded').default('classic'),
  REDIS_PREFIX: z
    .string()
    .regex(/^[\w:-]{1,40}$/, 'takes letters, digits, _ : and -')
    .default('parley'),
  JWT_SECRET: secret.optional(),
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: z.string().optional(),
  ADMIN_KEY: secret.optional(),
  GUESTS: onOff.optional(),
  DOCS: onOff.default(true),
  CORS_ORIGINS: list.default([]),
  REQUIRE_DURABLE: onOff.default(false),
  REDIS_REQUIRED: onOff.default(false),
  REQUESTS_PER_SECOND: z.coerce.number().int().min(1).default(500),
  INBOUND_BYTES_PER_SECOND: z.coerce.number().int().min(65_536).default(1_048_576),
  OUTBOUND_BYTES: z.coerce.number().int().min(65_536).default(1_048_576),
  CONNECTS_PER_SECOND: z.coerce.number().int().min(1).default(250),
  DRAIN_MS: z.coerce.number().int().min(0).max(25_000).optional(),
  LOG_LEVEL: z.enum(['error', 'warn', 'log', 'debug']).default('log'),
});

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
  redis: { urls: readonly string[]; adapter: 'classic' | 'sharded'; prefix: string; required: boolean } | undefined;
  /** HS256 secret that the app signs its users' tokens with; Parley signs guests' tokens with it too. */
  jwt: { secret: string; issuer: string | undefined; audience: string | undefined };
  /** Undefined: the admin REST does not exist. */
  adminKey: string | undefined;
  guests: boolean;
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
    corsOrigins: env.CORS_ORIGINS,
    requireDurable: env.REQUIRE_DURABLE,
    limits: {
      requestsPerSecond: env.REQUESTS_PER_SECOND,
      inboundBytesPerSecond: env.INBOUND_BYTES_PER_SECOND,
      outboundBytes: env.OUTBOUND_BYTES,
      connectsPerSecond: env.CONNECTS_PER_SECOND,
    },
    logLevel: env.LOG_LEVEL,
    redis:
      env.REDIS_URL === undefined
        ? undefined
        : {
            urls: env.REDIS_URL,
            adapter: env.REDIS_ADAPTER,
            prefix: env.REDIS_PREFIX,
            required: env.REDIS_REQUIRED,
          },
  };
  if ((env.REDIS_URL?.length ?? 0) > 1 && env.REDIS_ADAPTER === 'classic') {
    throw new StartError(
      'REDIS_URL names several nodes, which only a Redis Cluster has: set REDIS_ADAPTER=sharded, or name one.',
    );
  }
  const jwt = { issuer: env.JWT_ISSUER, audience: env.JWT_AUDIENCE };

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
      jwt: { ...jwt, secret: env.JWT_SECRET ?? own.jwtSecret },
      adminKey: env.ADMIN_KEY ?? own.adminKey,
      guests: env.GUESTS ?? true,
    };
  }
  if (env.JWT_SECRET === undefined) {
    throw new StartError(
      'JWT_SECRET is not set: give the secret that your app signs its tokens with (HS256), e.g. from: openssl rand -base64 48',
    );
  }
  return {
    ...shared,
    embedded: false,
    drainMs: env.DRAIN_MS ?? 4_000,
    host: env.HOST ?? '0.0.0.0',
    database: { url: env.DATABASE_URL, poolSize: env.DATABASE_POOL_SIZE },
    jwt: { ...jwt, secret: env.JWT_SECRET },
    adminKey: env.ADMIN_KEY,
    guests: env.GUESTS ?? false,
  };
}

/**
 * What a migration needs, and nothing else.
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

function checked<T>(settings: z.ZodType<T>, environment: NodeJS.ProcessEnv): T {
  // An empty value is what `NAME=` in a compose file gives: not set.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = settings.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new StartError(
    `The setting ${String(issue?.path[0])} is wrong: it ${sentence(issue?.message ?? 'is not understood')}.`,
  );
}

function sentence(message: string): string {
  return message.startsWith('has to') || message.startsWith('takes') ? message : `is not accepted (${message})`;
}
