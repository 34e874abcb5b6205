import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Whose sessions were ended, and who is banned. Instances look for what changed: `access_rev` moves under the lock of its row, in
 * the transaction that writes, so a rev is never seen before a smaller one.
 */
export class UserAccess1764800000000 implements MigrationInterface {
  name = 'UserAccess1764800000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table server_state add column access_rev bigint not null default 0`);
    await runner.query(`
      create table user_access (
        user_id uuid primary key references users (id),
        -- tokens that were made before are refused
        valid_from timestamptz(3),
        banned_at timestamptz(3),
        -- null while banned: for good
        banned_until timestamptz(3),
        ban_reason text,
        rev bigint not null
      )`);
    await runner.query(`create unique index user_access_rev on user_access (rev)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table user_access`);
    await runner.query(`alter table server_state drop column access_rev`);
  }
}
