import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { StartError } from '../start-error.js';

export interface RedisSettings {
  urls: readonly string[];
  /** The certificates (PEM) of who may vouch for Redis; undefined: those that Node trusts. */
  ca?: string | undefined;
  adapter: 'classic' | 'sharded';
  prefix: string;
  /** What instances know each other's messages by: with the first one they are sealed. None where nothing is. */
  hmacKeys?: readonly string[];
  required: boolean;
}

/** As they stand in the environment, each checked for itself. */
interface Given {
  REDIS_URL?: string[] | undefined;
  REDIS_CA?: string | undefined;
  REDIS_ADAPTER: RedisSettings['adapter'];
  REDIS_PREFIX: string;
  BUS_HMAC_KEY?: string | undefined;
  BUS_HMAC_OLD_KEY?: string | undefined;
  REDIS_REQUIRED: boolean;
}

/** @throws StartError where they do not go together */
export async function redisSettings(given: Given): Promise<RedisSettings | undefined> {
  const { REDIS_URL: urls, REDIS_CA: authority, REDIS_ADAPTER: adapter, BUS_HMAC_KEY: key } = given;
  const { BUS_HMAC_OLD_KEY: oldKey } = given;
  if (oldKey !== undefined && key === undefined)
    throw new StartError('BUS_HMAC_OLD_KEY is set without BUS_HMAC_KEY, which takes its place: set both or none.');
  if (authority !== undefined && urls?.every((url) => url.startsWith('rediss://')) !== true)
    throw new StartError('REDIS_CA is set, but REDIS_URL asks for no TLS: let it start with rediss://.');
  if (urls === undefined) return undefined;
  if (urls.length > 1 && adapter === 'classic') {
    throw new StartError(
      'REDIS_URL names several nodes, which only a Redis Cluster has: set REDIS_ADAPTER=sharded, or name one.',
    );
  }
  const ca = authority === undefined ? undefined : await certificates(authority);
  const hmacKeys = [key, oldKey].filter((each) => each !== undefined);
  return { urls, ca, adapter, prefix: given.REDIS_PREFIX, hmacKeys, required: given.REDIS_REQUIRED };
}

/** @throws StartError */
async function certificates(path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8');
    new X509Certificate(text);
    return text;
  } catch (error) {
    throw new StartError(
      `The file of REDIS_CA has no certificate to be read (${(error as Error).message}): name one in PEM.`,
    );
  }
}
