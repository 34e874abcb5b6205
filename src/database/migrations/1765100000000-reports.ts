import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Messages that were reported, and by whom. Reporting is no change of the room and takes no rev. */
export class Reports1765100000000 implements MigrationInterface {
  name = 'Reports1765100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table reports (
        -- in the order in which messages were reported first
        id uuid primary key,
        room_id uuid not null,
        seq bigint not null,
        count int not null,
        -- set when it is no longer in the queue; one more reporter brings it back
        answered_at timestamptz(3),
        -- null also where an admin answered, who is no user
        answered_by uuid,
        unique (room_id, seq)
      )`);
    await runner.query(`create index reports_open on reports (id) where answered_at is null`);
    await runner.query(`create index reports_open_in_room on reports (room_id, id) where answered_at is null`);
    await runner.query(`
      create table reporters (
        report_id uuid not null references reports (id) on delete cascade,
        user_id uuid not null references users (id),
        reason text not null,
        -- kept of the first ones alone, who are shown
        text text not null,
        created_at timestamptz(3) not null default now(),
        primary key (report_id, user_id)
      )`);
    await runner.query(`create index reporters_of_user on reporters (user_id, created_at)`);
    // Who is told of reports, also in a room of a hundred thousand.
    await runner.query(
      `create index memberships_moderators on memberships (room_id) where role = 'moderator' and left_at is null`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index memberships_moderators');
    await runner.query('drop table reporters, reports');
  }
}
