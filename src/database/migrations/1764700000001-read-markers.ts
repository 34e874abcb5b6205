import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Up to where each member has read each room. What was said before he joined is not unread. */
export class ReadMarkers1764700000001 implements MigrationInterface {
  name = 'ReadMarkers1764700000001';

  async up(runner: QueryRunner): Promise<void> {
    // In no index, and with room on the pages: moving a marker writes one row version and no index entry.
    await runner.query(`
      alter table memberships
        -- the seq up to which everything is read
        add column read_seq bigint not null default 0,
        -- where the room stood when it was marked as unread: own messages up to there do not count as reading
        add column unread_since bigint not null default 0,
        -- how often the marker was set; of two states of it the higher one is the later
        add column read_version int not null default 0`);
    await runner.query(`alter table memberships set (fillfactor = 80)`);
    await runner.query(`update memberships set read_seq = rooms.seq from rooms where rooms.id = memberships.room_id`);
    // By a trigger, because a marker must be right whoever makes a member. The room is locked by then, so its seq stands.
    await runner.query(`
      create function begin_reading() returns trigger language plpgsql as $$
      begin
        new.read_seq := (select seq from rooms where id = new.room_id);
        new.unread_since := 0;
        new.read_version := new.read_version + 1;
        return new;
      end
      $$`);
    await runner.query(`
      create trigger begins_reading before insert on memberships
        for each row execute function begin_reading()`);
    await runner.query(`
      create trigger begins_reading_again before update of left_at on memberships
        for each row when (old.left_at is not null and new.left_at is null) execute function begin_reading()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop trigger begins_reading on memberships`);
    await runner.query(`drop trigger begins_reading_again on memberships`);
    await runner.query(`drop function begin_reading`);
    await runner.query(
      `alter table memberships drop column read_seq, drop column unread_since, drop column read_version`,
    );
    await runner.query(`alter table memberships reset (fillfactor)`);
  }
}
