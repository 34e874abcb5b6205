import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Roles, mutes and bans; kinds and settings of rooms; invites and requests to join. */
export class RoomsAndRoles1764500000000 implements MigrationInterface {
  name = 'RoomsAndRoles1764500000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table rooms
        add column kind text not null default 'group' check (kind in ('group', 'direct')),
        -- the two whose direct room it is, the lower id first
        add column direct_low uuid,
        add column direct_high uuid,
        add column read_only boolean not null default false,
        add column meta jsonb not null default '{}',
        add column slow_mode_s int not null default 0,
        add column member_limit int,
        add column history_visible text not null default 'all' check (history_visible in ('all', 'joined')),
        add column join_requests boolean not null default false`);
    await runner.query(
      `create unique index rooms_direct on rooms (direct_low, direct_high) where direct_low is not null`,
    );

    await runner.query(`alter table memberships drop constraint memberships_role_check`);
    await runner.query(`
      alter table memberships
        add constraint memberships_role_check check (role in ('owner', 'moderator', 'member', 'reader')),
        add column muted_until timestamptz(3),
        -- messages up to this seq are not for this member
        add column visible_after bigint not null default 0,
        -- how many members the room had after this row's latest change; null where an earlier version wrote it
        add column count_after int,
        -- only kept where there is slow mode
        add column last_sent_at timestamptz(3)`);
    // An heir is looked for where no owner is left, and a room can have a hundred thousand members.
    await runner.query(
      `create index memberships_owners on memberships (room_id) where role = 'owner' and left_at is null`,
    );

    await runner.query(`
      create table room_bans (
        room_id uuid not null references rooms (id),
        user_id uuid not null references users (id),
        banned_by uuid not null references users (id),
        reason text not null,
        created_at timestamptz(3) not null,
        -- null: for good
        until timestamptz(3),
        primary key (room_id, user_id)
      )`);

    await runner.query(`
      create table room_invites (
        id uuid primary key,
        room_id uuid not null references rooms (id),
        -- SHA-256: who reads the database cannot join with it
        code_hash bytea not null unique,
        created_by uuid not null references users (id),
        created_at timestamptz(3) not null,
        expires_at timestamptz(3) not null,
        -- null: as many as come
        max_uses int,
        uses int not null default 0
      )`);
    await runner.query(`create index room_invites_of_room on room_invites (room_id, id)`);

    await runner.query(`
      create table room_requests (
        room_id uuid not null references rooms (id),
        user_id uuid not null references users (id),
        created_at timestamptz(3) not null,
        primary key (room_id, user_id)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table room_requests, room_invites, room_bans`);
    await runner.query(`drop index memberships_owners`);
    await runner.query(`update memberships set role = 'member' where role not in ('owner', 'member')`);
    await runner.query(`alter table memberships drop constraint memberships_role_check`);
    await runner.query(`
      alter table memberships
        add constraint memberships_role_check check (role in ('owner', 'member')),
        drop column muted_until, drop column visible_after, drop column count_after, drop column last_sent_at`);
    await runner.query(`
      alter table rooms
        drop column kind, drop column direct_low, drop column direct_high, drop column read_only, drop column meta,
        drop column slow_mode_s, drop column member_limit, drop column history_visible, drop column join_requests`);
  }
}
