import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Messages are edited, and deleted by others than their sender. Columns that are null take no room in a row. */
export class Edits1764600000001 implements MigrationInterface {
  name = 'Edits1764600000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table messages
        -- null as long as the message says what it said first, which is version 1
        add column version int,
        add column edited_at timestamptz(3),
        -- null also where an admin deleted it, who is no user
        add column deleted_by uuid`);
    // What messages said before they were edited. Written under the lock of the message's room.
    await runner.query(`
      create table message_versions (
        room_id uuid not null,
        seq bigint not null,
        version int not null,
        text text not null,
        -- since when it said so
        said_at timestamptz(3) not null,
        primary key (room_id, seq, version)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table message_versions');
    await runner.query('alter table messages drop column version, drop column edited_at, drop column deleted_by');
  }
}
