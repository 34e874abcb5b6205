import { readDatabase } from './config.js';
import { migrate } from './database/migrate.js';
import { oncePostgresAnswers } from './database/patience.js';
import { StartError } from './start-error.js';

/** `npm run migrate` brings the schema up to date ahead of a roll-out, and needs only `DATABASE_URL`. */
try {
  const database = readDatabase(process.env);
  const ran = await oncePostgresAnswers(() => migrate(database));
  console.log(ran.length === 0 ? 'The schema is up to date.' : `Ran ${ran.join(', ')}`);
} catch (error) {
  console.error(error instanceof StartError ? error.message : error);
  process.exitCode = 1;
}
