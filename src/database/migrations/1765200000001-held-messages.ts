import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What waits for a moderator before it is stored, and for some days what became of it. */
export class HeldMessages1765200000001 implements MigrationInterface {
  name = 'HeldMessages1765200000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table held_messages (
        id uuid primary key,
        room_id uuid not null references rooms (id),
        sender_id uuid not null references users (id),
        -- of a send; empty for an edit
        client_msg_id text not null,
        -- of the message that is edited; 0 for a send
        seq bigint not null,
        fingerprint bytea not null,
        -- null once it is answered
        request jsonb,
        reason text not null,
        created_at timestamptz(3) not null default clock_timestamp(),
        -- null: it waits; 'approving': it is to be stored; 'approved' or 'declined'
        answer text,
        answered_by uuid references users (id),
        constraint held_messages_once unique (room_id, sender_id, client_msg_id, seq)
      )`);
    await runner.query(`create index held_messages_in_room on held_messages (room_id, id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table held_messages`);
  }
}
