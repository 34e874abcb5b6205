import { readMigration } from './config.js';
import { migrate } from './database/migrate.js';
import { oncePostgresAnswers } from './database/patience.js';
import { grantServing } from './database/serving-role.js';
import { StartError } from './start-error.js';

/**
 * `npm run migrate` brings the schema up to date ahead of a roll-out, and needs only `DATABASE_URL`; with `MIGRATION_DATABASE_URL` it
 * does so as another role than that which serves, and gives that one its rights.
 */
try {
  const { owning, serving } = readMigration(process.env);
  const ran = await oncePostgresAnswers(() => migrate(owning));
  await grantServing(owning, serving);
  console.log(ran.length === 0 ? 'The schema is up to date.' : `Ran ${ran.join(', ')}`);
} catch (error) {
  console.error(error instanceof StartError ? error.message : error);
  process.exitCode = 1;
}
