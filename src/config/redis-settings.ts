import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { StartError } from '../start-error.js';

export interface RedisSettings {
  urls: readonly string[];
  /** The certificates (PEM) of who may vouch for Redis; undefined: those that Node trusts. */
  ca?: string | undefined;
  adapter: 'classic' | 'sharded';
  prefix: string;
  required: boolean;
}

/** As they stand in the environment, each checked for itself. */
interface Given {
  REDIS_URL?: string[] | undefined;
  REDIS_CA?: string | undefined;
  REDIS_ADAPTER: RedisSettings['adapter'];
  REDIS_PREFIX: string;
  REDIS_REQUIRED: boolean;
}

/** @throws StartError where they do not go together */
export async function redisSettings(given: Given): Promise<RedisSettings | undefined> {
  const { REDIS_URL: urls, REDIS_CA: authority, REDIS_ADAPTER: adapter } = given;
  if (authority !== undefined && urls?.every((url) => url.startsWith('rediss://')) !== true)
    throw new StartError('REDIS_CA is set, but REDIS_URL asks for no TLS: let it start with rediss://.');
  if (urls === undefined) return undefined;
  if (urls.length > 1 && adapter === 'classic') {
    throw new StartError(
      'REDIS_URL names several nodes, which only a Redis Cluster has: set REDIS_ADAPTER=sharded, or name one.',
    );
  }
  const ca = authority === undefined ? undefined : await certificates(authority);
  return { urls, ca, adapter, prefix: given.REDIS_PREFIX, required: given.REDIS_REQUIRED };
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
