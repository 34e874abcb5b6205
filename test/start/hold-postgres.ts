/**
 * Starts Postgres on the directory given, prints its URL and holds it until it is killed, or, told `leave`, ends at once. At a SIGINT it
 * asks Postgres a last thing and stops it, as a server does that finishes what it was sent.
 */
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';

try {
  const postgres = await startEmbeddedPostgres({ dir: process.argv[2] ?? '', log: (line) => console.log(line) });
  const client = new pg.Client({ connectionString: postgres.url });
  process.on('SIGINT', () => {
    void (async () => {
      await client.connect();
      const { rows } = await client.query<{ answer: string }>("SELECT pg_sleep(0.3), 'at the end' AS answer");
      await client.end();
      await postgres.stop();
      console.log(rows[0]?.answer);
      process.exit(); // the interval below holds the process
    })();
  });
  console.log(postgres.url);
  if (process.argv[3] !== 'leave') setInterval(() => undefined, 60_000);
} catch (error) {
  console.log(String(error));
  process.exitCode = 1;
}
