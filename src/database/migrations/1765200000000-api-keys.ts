import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Keys of servers and bots; each acts as a user of its own kind. */
export class ApiKeys1765200000000 implements MigrationInterface {
  name = 'ApiKeys1765200000000';

  async up(runner: QueryRunner): Promise<void> {
    // What is there fits the check of before, so nothing has to be read for this one.
    await runner.query(`alter table users drop constraint users_kind_check`);
    await runner.query(
      `alter table users add constraint users_kind_check check (kind in ('app', 'guest', 'bot')) not valid`,
    );
    await runner.query(`
      create table api_keys (
        id uuid primary key,
        user_id uuid not null references users (id),
        name text not null,
        -- SHA-256 of the key's random bytes; the key itself is kept nowhere
        hash bytea not null unique,
        scopes text[] not null,
        created_at timestamptz(3) not null default now(),
        expires_at timestamptz(3),
        revoked_at timestamptz(3),
        -- to the hour
        last_used_at timestamptz(3),
        -- the access_rev of its revocation
        rev bigint
      )`);
    await runner.query(`create index api_keys_rev on api_keys (rev) where rev is not null`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table api_keys`);
    await runner.query(`alter table users drop constraint users_kind_check`);
    await runner.query(`alter table users add constraint users_kind_check check (kind in ('app', 'guest')) not valid`);
  }
}
