import { DataSource } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import pg from 'pg';
import type { Config } from '../config.js';
import { migrations } from './migrations/index.js';
import { PgClient, pgTypes } from './pg-client.js';

/** Every wait for Postgres ends: in ms, from the shortest to the longest. */
const timeouts = {
  connectionTimeoutMillis: 2_000,
  lock_timeout: 2_000,
  statement_timeout: 4_000,
  query_timeout: 4_500,
  idle_in_transaction_session_timeout: 10_000,
};

/** Of the connections that an instance may have, those that are kept for sends, at least 2. */
const FOR_SENDS = 0.4;

const poolOptions = { Client: PgClient, types: pgTypes, keepAlive: true, maxLifetimeSeconds: 1_800, ...timeouts };
const applicationName = 'parley';

export function dataSourceOptions(database: Config['database']): PostgresDataSourceOptions {
  return {
    type: 'postgres',
    url: database.url,
    applicationName,
    poolSize: database.poolSize - forSends(database),
    synchronize: false,
    migrationsRun: false,
    migrations,
    extra: poolOptions,
  };
}

/** The pool that sends have to themselves: however much is read or joined, nobody's message waits behind it. */
export function sendPool(database: Config['database']): pg.Pool {
  const { url: connectionString } = database;
  const pool = new pg.Pool({
    ...poolOptions,
    connectionString,
    application_name: applicationName,
    max: forSends(database),
  });
  // An idle connection that ends is replaced when one is needed; without a listener it would end the process.
  pool.on('error', () => undefined);
  return pool;
}

function forSends({ poolSize }: Config['database']): number {
  return Math.max(2, Math.round(poolSize * FOR_SENDS));
}

/** The pool beneath TypeORM, for the few statements whose SQL is written by hand and prepared by name. */
export function poolOf(dataSource: DataSource): pg.Pool {
  return (dataSource.driver as unknown as { master: pg.Pool }).master;
}
