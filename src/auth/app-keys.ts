import type { SignedToken } from './signed-token.js';
import { SharedSecret, type VerificationKey } from './verification-key.js';

/**
 * `none`: no token of an app is taken; `known`: all is well; `stale`: they cannot be read, and those of before stay good for a
 * day; `missing`: there are none, so nobody comes in with a token of the app.
 */
export type KeysState = 'none' | 'known' | 'stale' | 'missing';

/** The keys that the app's tokens are signed with. */
export abstract class AppKeys {
  abstract readonly state: KeysState;

  /** Those that may have signed the token, by what it says. @throws ChatError `unavailable` while that cannot be known */
  abstract find(token: SignedToken): Promise<readonly VerificationKey[]>;
}

/** Secrets that Parley shares with the app. Without any, no token of an app is good. */
export class SharedKeys extends AppKeys {
  private readonly secrets: readonly SharedSecret[];

  constructor(secrets: readonly string[]) {
    super();
    this.secrets = secrets.map((secret) => new SharedSecret(secret));
  }

  get state(): KeysState {
    return this.secrets.length > 0 ? 'known' : 'none';
  }

  find({ algorithm }: SignedToken): Promise<readonly VerificationKey[]> {
    return Promise.resolve(this.secrets.filter((key) => key.algorithm === algorithm));
  }
}
