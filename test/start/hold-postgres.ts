/** Starts Postgres on the directory given, prints its URL and holds it until it is killed, or, told `unref`, ends at once. */
import { startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';

try {
  const { url } = await startEmbeddedPostgres({ dir: process.argv[2] ?? '', log: (line) => console.log(line) });
  console.log(url);
  if (process.argv[3] !== 'leave') setInterval(() => undefined, 60_000);
} catch (error) {
  console.log(String(error));
  process.exitCode = 1;
}
