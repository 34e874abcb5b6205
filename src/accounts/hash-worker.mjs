// @ts-check
/**
 * What the thread that hashes passwords runs: see `PasswordsService`. Plain JavaScript, because a thread is started from a file,
 * and tests have only the sources.
 */
import { hashSync, verifySync } from '@node-rs/argon2';

/** @param {{ password: string, cost: import('@node-rs/argon2').Options }} task */
export function hash({ password, cost }) {
  return hashSync(password, cost);
}

/** @param {{ hashed: string, password: string }} task */
export function verify({ hashed, password }) {
  return verifySync(hashed, password);
}
