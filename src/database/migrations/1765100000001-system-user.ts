import type { MigrationInterface, QueryRunner } from 'typeorm';

const ID = '00000000-0000-7000-8000-000000000000';

/** The sender of what the app itself says in rooms. Without a subject, so no token can be his. */
export class SystemUser1765100000001 implements MigrationInterface {
  name = 'SystemUser1765100000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `insert into users (id, kind, subject, name) values ($1, 'app', null, 'System') on conflict do nothing`,
      [ID],
    );
  }

  async down(): Promise<void> {
    // What he said keeps its sender.
  }
}
