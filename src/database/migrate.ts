import { DataSource } from 'typeorm';
import type { Config } from '../config.js';
import { dataSourceOptions, poolOf } from './data-source.js';

/** Any number will do, as long as nothing else in the database takes it for a lock of its own. */
const MIGRATION_LOCK = 7_260_153;

/**
 * Brings the schema up to date. Any number of instances may call it at once: one migrates, the others wait for it and find
 * nothing left to do.
 * @returns the names of the migrations that this call ran
 */
export async function migrate(database: Config['database']): Promise<string[]> {
  const options = dataSourceOptions(database);
  // A migration may take longer than a request may.
  const patient = { lock_timeout: 0, statement_timeout: 0, query_timeout: 0, idle_in_transaction_session_timeout: 0 };
  const dataSource = new DataSource({ ...options, poolSize: 2, extra: { ...(options.extra as object), ...patient } });
  await dataSource.initialize();
  try {
    const connection = await poolOf(dataSource).connect();
    try {
      await connection.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
      const ran = await dataSource.runMigrations({ transaction: 'each' });
      await connection.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
      return ran.map(({ name }) => name);
    } finally {
      // Closed, not given back: a lock that was not let go dies with its connection.
      connection.release(true);
    }
  } finally {
    await dataSource.destroy();
  }
}
