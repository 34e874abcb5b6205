import { DataSource } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import type pg from 'pg';
import type { Config } from '../config.js';
import { migrations } from './migrations/index.js';
import { PgClient, pgTypes } from './pg-client.js';

/** Every wait for Postgres ends: in ms, from the shortest to the longest. */
const timeouts = {
  connectionTimeoutMillis: 2_000,
  lock_timeout: 2_000,
  statement_timeout: 4_000,
  query_timeout: 5_000,
  idle_in_transaction_session_timeout: 10_000,
};

export function dataSourceOptions(database: Config['database']): PostgresDataSourceOptions {
  return {
    type: 'postgres',
    url: database.url,
    applicationName: 'parley',
    poolSize: database.poolSize,
    synchronize: false,
    migrationsRun: false,
    migrations,
    extra: { Client: PgClient, types: pgTypes, keepAlive: true, maxLifetimeSeconds: 1_800, ...timeouts },
  };
}

/** The pool beneath TypeORM, for the few statements whose SQL is written by hand and prepared by name. */
export function poolOf(dataSource: DataSource): pg.Pool {
  return (dataSource.driver as unknown as { master: pg.Pool }).master;
}
