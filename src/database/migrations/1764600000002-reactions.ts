import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who reacted to a message with what, and beside the message a summary of it, so that reading a message reads one row. */
export class Reactions1764600000002 implements MigrationInterface {
  name = 'Reactions1764600000002';

  async up(runner: QueryRunner): Promise<void> {
    // Written under the lock of the message's room, together with the summary.
    await runner.query(`
      create table reactions (
        room_id uuid not null,
        seq bigint not null,
        emoji text not null,
        user_id uuid not null,
        -- that of the room when it came: their order
        rev bigint not null,
        primary key (room_id, seq, emoji, user_id)
      )`);
    await runner.query('create index reactions_of_user on reactions (room_id, user_id, seq)');
    await runner.query('alter table messages add column reactions jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table messages drop column reactions');
    await runner.query('drop table reactions');
  }
}
