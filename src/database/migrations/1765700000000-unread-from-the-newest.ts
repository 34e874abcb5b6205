import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Counting what is unread reads a room from its newest message back, and ends soon. As part of a larger query its plan follows from how long
 * rooms are on the average: where that is short the whole room is read and sorted, also the one that is not.
 */
export class UnreadFromTheNewest1765700000000 implements MigrationInterface {
  name = 'UnreadFromTheNewest1765700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(unreadOf);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop function unread_of');
  }
}

/**
 * `unread`: messages of others behind the marker, neither deleted nor in the shadow, back to the reader's own newest, up to the cap. `own`: the
 * seq of that one, where it was come to. Own ones up to `p_unread_since` do not count as reading: he marked as unread what is before them.
 */
const unreadOf = `
create function unread_of(
  p_room_id uuid, p_user_id uuid, p_read_seq bigint, p_unread_since bigint, p_cap int, out unread int, out own bigint
)
language plpgsql stable
set enable_sort = off set enable_bitmapscan = off set enable_seqscan = off
as $$
declare
  message record;
begin
  unread := 0;
  for message in
    select seq, sender_id, deleted_at is null and shadowed_at is null as shown
    from messages where room_id = p_room_id and seq > p_read_seq order by seq desc
  loop
    if message.sender_id = p_user_id then
      if message.seq > p_unread_since then
        own := message.seq;
        exit;
      end if;
    elsif message.shown then
      unread := unread + 1;
      exit when unread = p_cap;
    end if;
  end loop;
end
$$`;
