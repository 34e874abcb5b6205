import { open } from 'node:fs/promises';
import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { ChatError } from '../chat-error.js';
import { StartError } from '../start-error.js';
import { AppKeys, type KeysState } from './app-keys.js';
import { readPublicKeys } from './public-keys.js';
import type { SignedToken } from './signed-token.js';
import type { PublicKey, PublicKeyAlgorithm } from './verification-key.js';

/** All in ms. */
const patience = {
  /** The keys are read anew so often: for as long, a key that was taken back is still good. */
  every: 30_000,
  /** Between two readings, however many tokens name a key that is not known. */
  cooldown: 5_000,
  /** A reading takes no longer. */
  timeout: 3_000,
  /** While they cannot be read, the known keys stay good for so long. */
  keep: 24 * 3_600_000,
};
const MOST_BYTES = 256 * 1_024;

/**
 * Public keys, from where the app publishes them: a JWKS by its URL, or a file. Who is known is never kept waiting: keys are
 * read beside, and only a token of a key that is not known yet waits for one reading. While that cannot be had, such a token
 * is refused as `unavailable`, because nobody can say whether it is good.
 */
export class PublishedKeys extends AppKeys implements OnApplicationShutdown {
  private readonly logger = new Logger(PublishedKeys.name);
  private keys: readonly PublicKey[] = [];
  /** Both by `performance.now()`. */
  private readAt: number | undefined;
  private triedAt = -Infinity;
  private reading: Promise<string | undefined> | undefined;
  /** What went wrong at the last reading. */
  private problem: string | undefined;
  private told = '';
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  private constructor(
    private readonly from: URL,
    private readonly algorithms: readonly PublicKeyAlgorithm[],
    private readonly times: typeof patience,
  ) {
    super();
  }

  /**
   * Reads the keys for the first time. One may start while a URL is down: what it serves is not set here, and others can
   * come in meanwhile. @throws StartError where a file has no keys
   */
  static async open(
    from: URL,
    algorithms: readonly PublicKeyAlgorithm[],
    times: Partial<typeof patience> = {},
  ): Promise<PublishedKeys> {
    const keys = new PublishedKeys(from, algorithms, { ...patience, ...times });
    const problem = await keys.read();
    if (problem !== undefined && from.protocol === 'file:') {
      keys.onApplicationShutdown();
      throw new StartError(
        `The file of JWT_KEYS ${problem}: give the public key of your app as PEM, JWK or JWKS, for RS256 (2048 bits or more), ES256 or EdDSA.`,
      );
    }
    return keys;
  }

  get state(): KeysState {
    if (this.keys.length === 0) return 'missing';
    return this.problem === undefined ? 'known' : 'stale';
  }

  async find(token: SignedToken): Promise<readonly PublicKey[]> {
    if (!this.algorithms.some((algorithm) => algorithm === token.algorithm)) return [];
    const known = this.of(token);
    if (known.length > 0) return known;
    const coolsFor = this.triedAt + this.times.cooldown - performance.now();
    // It may have been published just now.
    if (this.reading === undefined && coolsFor > 0) throw unknown(coolsFor);
    const problem = await this.read();
    const found = this.of(token);
    if (found.length === 0 && problem !== undefined) throw unknown(this.times.cooldown);
    return found;
  }

  onApplicationShutdown(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private of({ algorithm, keyId }: SignedToken): PublicKey[] {
    const isNamed = ({ id }: PublicKey) => id === undefined || keyId === undefined || id === keyId;
    return this.keys.filter((key) => key.algorithm === algorithm && isNamed(key));
  }

  /** One reading at a time, for all who wait for it. Resolves to what went wrong. */
  private read(): Promise<string | undefined> {
    clearTimeout(this.timer);
    this.reading ??= this.readOnce().finally(() => {
      this.reading = undefined;
      if (!this.stopped) this.timer = setTimeout(() => void this.read(), this.times.every).unref();
    });
    return this.reading;
  }

  private async readOnce(): Promise<string | undefined> {
    this.triedAt = performance.now();
    const problem = await this.take().catch((error: unknown) => {
      if (performance.now() - (this.readAt ?? 0) > this.times.keep) this.keys = [];
      return reasonOf(error);
    });
    this.problem = problem;
    if (this.readAt !== undefined || this.from.protocol !== 'file:') this.tell(problem);
    return problem;
  }

  /** What is read is obeyed, also where it takes every key back. */
  private async take(): Promise<string | undefined> {
    const text = await (this.from.protocol === 'file:' ? contentOf(this.from) : this.fetched());
    const { keys, problem } = readPublicKeys(text, this.algorithms);
    this.keys = keys;
    this.readAt = performance.now();
    return problem;
  }

  private async fetched(): Promise<string> {
    const signal = AbortSignal.timeout(this.times.timeout);
    const response = await fetch(this.from, { signal, redirect: 'error', headers: { accept: 'application/json' } });
    if (!response.ok) throw new Error(`answers with HTTP ${response.status}`);
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += part.length;
      if (bytes > MOST_BYTES) throw new Error(`is larger than ${MOST_BYTES} bytes`);
      parts.push(part);
    }
    return Buffer.concat(parts).toString();
  }

  /** Each turn once. */
  private tell(problem: string | undefined): void {
    const { length } = this.keys;
    const news = `${problem ?? ''} ${length}`;
    if (news === this.told) return;
    this.told = news;
    if (problem === undefined) this.logger.log(`JWT_KEYS has ${length} keys of your app`);
    else if (length > 0) this.logger.warn(`JWT_KEYS ${problem}. The ${length} known keys stay good for a day.`);
    else this.logger.error(`JWT_KEYS ${problem}. Until that is put right, nobody comes in with a token of your app.`);
  }
}

async function contentOf(path: URL): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_BYTES + 1));
    if (bytesRead > MOST_BYTES) throw new Error(`is larger than ${MOST_BYTES} bytes`);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

function unknown(ms: number): ChatError {
  const retryAfterMs = Math.ceil(ms);
  return new ChatError('unavailable', 'The key of this token is not known here yet; ask again', { retryAfterMs });
}

/** For the operator; what a `fetch` died of stands in its cause. */
function reasonOf(error: unknown): string {
  const { name, message, code, cause } = error as Error & { code?: string };
  if (name === 'TimeoutError') return 'does not answer in time';
  const reason = (cause as { code?: string; message?: string } | undefined) ?? { code, message };
  return reason.code === undefined && cause === undefined
    ? message
    : `cannot be read (${reason.code ?? reason.message ?? ''})`;
}
