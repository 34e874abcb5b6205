import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What replies, threads, mentions and `meta` of a message are kept in. */
export class Replies1764600000004 implements MigrationInterface {
  name = 'Replies1764600000004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table messages
        add column reply_to bigint,
        add column thread_root bigint,
        add column mentions jsonb,
        add column meta jsonb,
        -- of the root of a thread
        add column reply_count int,
        add column last_reply_at timestamptz(3)`);
    await runner.query(`
      create table thread_replies (
        room_id uuid not null,
        root bigint not null,
        seq bigint not null,
        primary key (room_id, root, seq)
      )`);
    // How often someone was mentioned after a place is a count over a part of the key. A message to the whole room stands once, under
    // the nil UUID, and not under those that it names besides. Senders do not mention themselves, nor whom they may not reach.
    await runner.query(`
      create table mentions (
        room_id uuid not null,
        user_id uuid not null,
        seq bigint not null,
        primary key (room_id, user_id, seq)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table mentions, thread_replies');
    await runner.query(`
      alter table messages drop column reply_to, drop column thread_root, drop column mentions, drop column meta,
        drop column reply_count, drop column last_reply_at`);
  }
}
