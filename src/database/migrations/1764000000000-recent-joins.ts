import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who became a member lately: instances look for it, because the bus may have lost the news. */
export class RecentJoins1764000000000 implements MigrationInterface {
  name = 'RecentJoins1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create index memberships_joined on memberships (joined_at) where left_at is null`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop index memberships_joined`);
  }
}
