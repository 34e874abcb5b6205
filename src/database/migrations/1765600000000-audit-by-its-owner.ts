import type { MigrationInterface, QueryRunner } from 'typeorm';

const AUDIT = 'audit(text, text, uuid, text, uuid, text, text, jsonb)';

/**
 * `audit` acts with the rights of who owns it, so that who only serves needs none on the log but to read it: what he adds is chained,
 * and there is no other way to write. Its names are looked up where they are now, never in what the caller made for himself.
 */
export class AuditByItsOwner1765600000000 implements MigrationInterface {
  name = 'AuditByItsOwner1765600000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      do $$
      begin
        execute format(
          'alter function ${AUDIT} security definer set search_path to %s, pg_temp',
          (select string_agg(quote_ident(name), ', ') from unnest(current_schemas(false)) name)
        );
      end
      $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter function ${AUDIT} security invoker reset search_path`);
  }
}
