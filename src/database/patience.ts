import { Logger } from '@nestjs/common';
import { StartError } from '../start-error.js';
import { isTransient, isUntrusted } from './failures.js';

/** How long a start waits for a Postgres that does not answer yet, in ms. docs/operations.md tells it. */
export const START_PATIENCE = 60_000;
const TRY_EVERY = 500;

/** SQLSTATEs of a Postgres that is there and will not have us, whenever we ask: password, role, database. */
const REFUSALS = new Set(['28P01', '28000', '3D000']);
const MAY_NOT = '42501';

/**
 * Does what a start needs of Postgres. Where Postgres does not answer yet, as when both start together, it is tried again, twice a
 * second, for `patience` ms; `work` must bear that.
 * @throws StartError when Postgres does not answer for so long, or at once when it refuses us
 */
export async function oncePostgresAnswers<T>(work: () => Promise<T>, patience = START_PATIENCE): Promise<T> {
  const logger = new Logger('Postgres');
  const deadline = performance.now() + patience;
  for (let tries = 1; ; tries += 1) {
    try {
      const done = await work();
      if (tries > 1) logger.log('Postgres answers');
      return done;
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (code === MAY_NOT)
        throw new StartError(
          `The role of DATABASE_URL may not do what is needed (${message}): where another role migrates, run that first, with MIGRATION_DATABASE_URL: npm run migrate.`,
        );
      if (code !== undefined && REFUSALS.has(code))
        throw new StartError(
          `Postgres refuses what DATABASE_URL asks for (${message}): correct its user, password or database.`,
        );
      if (isUntrusted(error))
        throw new StartError(
          `Postgres is not who DATABASE_URL asks for (${message}): name the certificate of its authority in sslrootcert and the host as in its own, and turn TLS on there.`,
        );
      if (code === 'ENOENT' || code === 'EACCES')
        throw new StartError(`A file that DATABASE_URL names cannot be read (${message}): correct its path or rights.`);
      if (!isTransient(error)) throw error;
      const reason = message === '' ? (code ?? 'no reason given') : message;
      if (performance.now() + TRY_EVERY > deadline)
        throw new StartError(
          `Postgres did not answer at DATABASE_URL for ${Math.round(patience / 1_000)} s (${reason}): start it or correct the address.`,
        );
      if (tries === 1)
        logger.warn(`Postgres does not answer yet (${reason}): waiting for up to ${Math.round(patience / 1_000)} s`);
      await new Promise((resolve) => setTimeout(resolve, TRY_EVERY));
    }
  }
}
