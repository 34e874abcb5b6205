import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Pinned messages. A table lists them, because an index on `messages` would take a lock on all of it to be made. */
export class Pins1764600000003 implements MigrationInterface {
  name = 'Pins1764600000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table pins (
        room_id uuid not null,
        seq bigint not null,
        primary key (room_id, seq)
      )`);
    await runner.query('alter table messages add column pinned_at timestamptz(3), add column pinned_by uuid');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table messages drop column pinned_at, drop column pinned_by');
    await runner.query('drop table pins');
  }
}
