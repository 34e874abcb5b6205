import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Makes the index by which `send_messages` finds a retry the newest of `messages`, in a database that is new.
 *
 * A plan that is made while the table is empty finds every index as good as any other that begins with the room, and of equal ones
 * Postgres takes the newest. That was the one by rev: until the first ANALYZE each send read all messages of its room. Where there
 * are messages already, plans are made by what they cost.
 */
export class SentOnceFirst1764900000000 implements MigrationInterface {
  name = 'SentOnceFirst1764900000000';

  async up(runner: QueryRunner): Promise<void> {
    const rows: unknown = await runner.query('select from messages limit 1');
    if ((rows as unknown[]).length > 0) return;
    await runner.query('alter table messages drop constraint messages_sent_once');
    await runner.query(
      'alter table messages add constraint messages_sent_once unique (room_id, sender_id, client_msg_id)',
    );
  }

  async down(): Promise<void> {
    // Which index is the newest tells nobody anything.
  }
}
