import pg from 'pg';
import type { Config } from '../config.js';
import { StartError } from '../start-error.js';

/** What is read by those who serve, and written by migrations and by functions of who owns it. */
const READ_ONLY = ['audit_head', 'audit_log', 'migrations'];

/**
 * Gives the role of `serving` what an instance needs of the tables that the role of `owning` has, and takes back what it does not.
 * It can neither make nor change nor drop anything, nor write the audit log but by `audit`. May be called again, while instances run.
 * @throws StartError where the two lead to different databases
 */
export async function grantServing(owning: Config['database'], serving: string): Promise<void> {
  const owner = new pg.Client({ connectionString: owning.url, connectionTimeoutMillis: 5_000 });
  const { user: role, database } = new pg.Client({ connectionString: serving });
  if (role === undefined || role === owner.user) return;
  if (database !== owner.database)
    throw new StartError(
      'MIGRATION_DATABASE_URL leads to another database than DATABASE_URL: they are two roles of one, so correct one of them.',
    );
  await owner.connect();
  try {
    const { rows } = await owner.query<{ name: string }>(
      'select tablename as name from pg_tables where schemaname = current_schema() and tableowner = current_user',
    );
    const tables = rows.map(({ name }) => name);
    const to = owner.escapeIdentifier(role);
    const named = (names: string[]) => names.map((name) => owner.escapeIdentifier(name)).join(', ');
    await owner.query('begin');
    await owner.query(`revoke all on ${named(tables)} from ${to}`);
    await owner.query(`grant select on ${named(tables)} to ${to}`);
    const written = tables.filter((name) => !READ_ONLY.includes(name));
    await owner.query(`grant insert, update, delete on ${named(written)} to ${to}`);
    await owner.query('commit');
  } finally {
    await owner.end();
  }
}
