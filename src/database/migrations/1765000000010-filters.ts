import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Words and links that messages are screened for. A scope is a room, or the whole deployment (the zero UUID). Instances look
 * for what changed: `filters_rev` moves under the lock of its row, in the transaction that writes, so a rev is never seen before
 * a smaller one, and no two change filters at once.
 */
export class Filters1765000000010 implements MigrationInterface {
  name = 'Filters1765000000010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table server_state add column filters_rev bigint not null default 0`);
    await runner.query(`
      create table filters (
        id uuid primary key,
        scope uuid not null,
        kind text not null,
        pattern text not null,
        action text not null,
        -- null: by the admin key
        created_by uuid references users (id),
        created_at timestamptz(3) not null,
        constraint filters_once unique (scope, kind, pattern)
      )`);
    await runner.query(`
      create table filter_scopes (
        scope uuid primary key,
        filters int not null,
        -- of the latest change
        rev bigint not null
      )`);
    await runner.query(`create unique index filter_scopes_rev on filter_scopes (rev)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table filter_scopes, filters`);
    await runner.query(`alter table server_state drop column filters_rev`);
  }
}
