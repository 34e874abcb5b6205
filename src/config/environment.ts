import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { publicKeyAlgorithms } from '../auth/verification-key.js';
import { RatesSetting } from '../limits/rates.js';
import { StartError } from '../start-error.js';
import { withFiles } from './files.js';

const SECRET_BYTES = 32;

const secret = z
  .string()
  .refine((value) => Buffer.byteLength(value) >= SECRET_BYTES, `has to be at least ${SECRET_BYTES} bytes`)
  .refine((value) => new Set(value).size > 8, 'has to be random; make one with: openssl rand -base64 48')
  // Anyone who has the public key could sign with it.
  .refine(
    (value) => !/^\s*(-----BEGIN|\{)/.test(value),
    'has to be no public key: put that into a file, and name it in JWT_KEYS',
  );

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

/** A URL of public keys, or the path of a file. Who can change the keys on their way can be anyone, so the way has to be safe. */
const keys = z
  .string()
  .refine((value) => !value.includes('://') || URL.canParse(value), 'has to be a file, or start with https://')
  .transform((value) => (value.includes('://') ? new URL(value) : pathToFileURL(resolve(value))))
  .refine(isSafeWay, 'has to be a file, or start with https://');

function isSafeWay({ protocol, hostname }: URL): boolean {
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return protocol === 'file:' || protocol === 'https:' || (protocol === 'http:' && isHere);
}

/** Addresses and networks, or how many proxies stand in a row. */
const trustProxy = z
  .string()
  .transform((value) => (/^\d+$/.test(value) ? Number(value) : list.parse(value)))
  .refine(
    (value) => (typeof value === 'number' ? value <= 10 : value.length > 0 && value.every(isNetwork)),
    'has to be a list of addresses and networks such as 10.0.0.0/8,::1, or how many proxies stand in a row (0 to 10)',
  );

function isNetwork(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/');
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  return (
    family !== 0 && rest.length === 0 && (bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= most))
  );
}

/** Everything that can be set, by its name in the environment. docs/operations.md lists the same. */
export const Environment = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  HOST: z.string().optional(),
  DATA_DIR: z.string().default('data'),
  WEB_DIR: z.string().default('web/dist'),
  DATABASE_URL: url('postgres', 'postgresql').optional(),
  MIGRATION_DATABASE_URL: url('postgres', 'postgresql').optional(),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(4).max(200).default(10),
  REDIS_URL: list.pipe(z.array(url('redis', 'rediss')).min(1, 'has to start with redis://')).optional(),
  REDIS_CA: z.string().optional(),
  REDIS_ADAPTER: z.enum(['classic', 'sharded'], 'takes classic or sharded').default('classic'),
  REDIS_PREFIX: z
    .string()
    .regex(/^[\w:-]{1,40}$/, 'takes letters, digits, _ : and -')
    .default('parley'),
  BUS_HMAC_KEY: secret.optional(),
  BUS_HMAC_OLD_KEY: secret.optional(),
  JWT_SECRET: secret.optional(),
  JWT_OLD_SECRET: secret.optional(),
  JWT_KEYS: keys.optional(),
  JWT_ALGORITHMS: list
    .pipe(z.array(z.enum(publicKeyAlgorithms, `takes ${publicKeyAlgorithms.join(', ')}`)).min(1))
    .optional(),
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: z.string().optional(),
  JWT_SUBJECT_CLAIM: z.string().default('sub'),
  JWT_NAME_CLAIM: z.string().default('name'),
  JWT_ROLE_CLAIM: z.string().optional(),
  GUESTS: onOff.optional(),
  GUEST_SECRET: secret.optional(),
  ACCOUNTS: onOff.optional(),
  ACCOUNT_SECRET: secret.optional(),
  ADMIN_KEY: secret.optional(),
  ADMIN_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  ADMIN_HOST: z.string().default('127.0.0.1'),
  DOCS: onOff.default(true),
  CORS_ORIGINS: list.default([]),
  REQUIRE_DURABLE: onOff.default(false),
  REDIS_REQUIRED: onOff.default(false),
  REQUESTS_PER_SECOND: z.coerce.number().int().min(1).default(500),
  INBOUND_BYTES_PER_SECOND: z.coerce.number().int().min(65_536).default(1_048_576),
  OUTBOUND_BYTES: z.coerce.number().int().min(65_536).default(1_048_576),
  CONNECTS_PER_SECOND: z.coerce.number().int().min(1).default(250),
  CONNECTIONS_PER_USER: z.coerce.number().int().min(1).default(20),
  UNCHECKED_PER_ADDRESS: z.coerce.number().int().min(1).default(200),
  LIMITS: list.pipe(RatesSetting).optional(),
  TRUST_PROXY: trustProxy.default(0),
  PRE_SEND_HOOK_URL: url('https', 'http')
    .refine((value) => !URL.canParse(value) || new URL(value).username === '', 'has to be without a user')
    .optional(),
  PRE_SEND_HOOK_SECRET: secret.optional(),
  PRE_SEND_HOOK_TIMEOUT_MS: z.coerce.number().int().min(50).max(2_000).default(300),
  PRE_SEND_HOOK_FAIL: z.enum(['open', 'closed'], 'takes open or closed').default('open'),
  DRAIN_MS: z.coerce.number().int().min(0).max(25_000).optional(),
  LOG_LEVEL: z.enum(['error', 'warn', 'log', 'debug']).default('log'),
});

/**
 * What is set of these, by the environment or by files.
 * @throws StartError with a sentence for the first thing that is wrong
 */
export function checked<Shape extends z.ZodRawShape>(
  settings: z.ZodObject<Shape>,
  environment: NodeJS.ProcessEnv,
): z.output<z.ZodObject<Shape>> {
  // An empty value is what `NAME=` in a compose file gives: not set.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = settings.safeParse(withFiles(given, Object.keys(settings.shape)));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new StartError(
    `The setting ${String(issue?.path[0])} is wrong: it ${sentence(issue?.message ?? 'is not understood')}.`,
  );
}

function sentence(message: string): string {
  return message.startsWith('has to') || message.startsWith('takes') ? message : `is not accepted (${message})`;
}
