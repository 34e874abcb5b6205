import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Accounts with passwords, their sessions, and how often it was tried to log in. */
export class Accounts1765300000001 implements MigrationInterface {
  name = 'Accounts1765300000001';

  async up(runner: QueryRunner): Promise<void> {
    // What is there fits the check of before, so nothing has to be read for this one.
    await runner.query(`alter table users drop constraint users_kind_check`);
    await runner.query(
      `alter table users add constraint users_kind_check check (kind in ('app', 'guest', 'bot', 'account')) not valid`,
    );
    await runner.query(`
      create table accounts (
        user_id uuid primary key references users (id),
        handle text not null,
        -- what it looks like: two that look alike are one
        skeleton text not null,
        -- argon2id with its parameters, as a PHC string
        password text not null,
        password_changed_at timestamptz(3) not null default now(),
        constraint accounts_handle unique (handle),
        constraint accounts_skeleton unique (skeleton)
      )`);
    await runner.query(`
      create table account_sessions (
        id uuid primary key,
        user_id uuid not null references accounts (user_id),
        device_name text not null,
        created_at timestamptz(3) not null,
        -- of the refresh token: SHA-256 of the one that is good, and of the one before it
        token bytea not null,
        token_before bytea,
        -- what the one that is good was made of, beside the one before it
        salt bytea,
        refreshed_at timestamptz(3) not null,
        expires_at timestamptz(3) not null,
        ended_at timestamptz(3),
        -- the access_rev of its end
        rev bigint
      )`);
    await runner.query(`create index account_sessions_user on account_sessions (user_id) where ended_at is null`);
    await runner.query(`create unique index account_sessions_rev on account_sessions (rev) where rev is not null`);
    await runner.query(`create index account_sessions_over on account_sessions (coalesce(ended_at, expires_at))`);
    await runner.query(`
      create table login_attempts (
        -- a hash of the account's handle, or of the device's: people type their passwords into the wrong field
        key bytea primary key,
        count int not null,
        -- no earlier is the next one looked at
        next_at timestamptz(3) not null,
        last_at timestamptz(3) not null
      )`);
    await runner.query(`create index login_attempts_last on login_attempts (last_at)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table login_attempts`);
    await runner.query(`drop table account_sessions`);
    await runner.query(`drop table accounts`);
    await runner.query(`alter table users drop constraint users_kind_check`);
    await runner.query(
      `alter table users add constraint users_kind_check check (kind in ('app', 'guest', 'bot')) not valid`,
    );
  }
}
