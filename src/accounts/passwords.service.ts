import { randomBytes } from 'node:crypto';
import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import pLimit from 'p-limit';
import { Piscina } from 'piscina';
import { AccountTokens } from '../auth/account-tokens.js';
import { ChatError } from '../chat-error.js';
import { limits } from '../protocol/index.js';

/** argon2id, which the package takes where nothing else is said; 19 MiB, twice over, in one lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const FORM = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$/;
/** Hashes that are computed at the same time, each of which keeps a core busy, and those that may wait for their turn. */
const AT_ONCE = 1;
const WAITING = 50;
/** How much less urgent than the rest, of 19; with all of it, who logs in would not get in while chat takes what there is. */
const NICE = 10;
/** The thread ends after so long without work, in ms. */
const IDLE = 60_000;

/**
 * Hashes passwords, one at a time, in a thread that the system serves after the others, so that logging in cannot take from chat
 * what it needs.
 */
@Injectable()
export class PasswordsService implements OnModuleInit, OnApplicationShutdown {
  private readonly turns = pLimit(AT_ONCE);
  private readonly thread = new Piscina<object, unknown>({
    filename: new URL('./hash-worker.mjs', import.meta.url).href,
    minThreads: 0,
    maxThreads: AT_ONCE,
    idleTimeout: IDLE,
    niceIncrement: NICE,
  });
  private common: ReadonlySet<string> = new Set();
  /** Of nobody. Whose account is not there is held against it, so that it takes as long to say so. */
  private nobodys = '';

  constructor(private readonly tokens: AccountTokens) {}

  async onModuleInit(): Promise<void> {
    if (!this.tokens.on) return;
    this.nobodys = await this.hash(randomBytes(32).toString('base64'));
    const { dictionary } = await import('@zxcvbn-ts/language-common');
    const long = dictionary['passwords-common'].filter(({ length }) => length >= limits.passwordLengthMin);
    this.common = new Set(long.map((password) => password.toLowerCase()));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.thread.destroy();
  }

  /** @throws ChatError `invalid_argument` for one that is tried first by who guesses */
  checkNew(password: string, ...known: string[]): void {
    const folded = password.toLowerCase();
    if (this.common.has(folded) || known.some((word) => word.toLowerCase() === folded))
      throw new ChatError('invalid_argument', 'The password is one of the first that are guessed', {
        details: ['password: Is too common, or your own name'],
      });
  }

  /** Does `work` when it is its turn. @throws ChatError `rate_limited` where too many wait, and what `work` does */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.turns.pendingCount >= WAITING)
      return Promise.reject(
        new ChatError('rate_limited', 'Too many people log in at the moment', {
          retryAfterMs: 1_000 + Math.floor(Math.random() * 2_000),
        }),
      );
    return this.turns(work);
  }

  /** To be called `inTurn`. */
  hash(password: string): Promise<string> {
    return this.thread.run({ password, cost: COST }, { name: 'hash' }) as Promise<string>;
  }

  /** To be called `inTurn`. @param hashed undefined: false, in the same time */
  async isRight(password: string, hashed: string | undefined): Promise<boolean> {
    const isSame = await this.thread.run({ hashed: hashed ?? this.nobodys, password }, { name: 'verify' });
    return isSame === true && hashed !== undefined;
  }

  /** Whether it would be hashed better today. */
  isWeak(hashed: string): boolean {
    const [, memory, time] = FORM.exec(hashed) ?? [];
    return !(Number(memory) >= COST.memoryCost && Number(time) >= COST.timeCost);
  }
}
