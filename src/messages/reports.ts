import type { EntityManager } from 'typeorm';
import { limits, type Report, type ReportReason } from '../protocol/index.js';
import type { LockedRoom } from '../rooms/room-ledger.js';
import { MESSAGE_COLUMNS, toMessage, type StoredMessage } from './message.entity.js';

type Row = StoredMessage & {
  id: string;
  senderName: string;
  count: number;
  reporters: { id: string; name: string; reason: ReportReason; text: string; at: string }[];
};

/**
 * Those that wait for an answer, in the order in which their messages were reported first; one more than `limit`, to tell whether
 * there are others.
 * @param after the id of the last one of the page before
 */
export async function openReports(
  manager: EntityManager,
  after: string,
  limit: number,
  of?: { roomId: string; visibleAfter: number },
): Promise<Report[]> {
  const rows: unknown = await manager.query(
    `select report.id, report.count, ${MESSAGE_COLUMNS}, sender.name as "senderName", (
       select jsonb_agg(jsonb_build_object('id', users.id, 'name', users.name, 'reason', first.reason, 'text', first.text, 'at', first.created_at)
                        order by first.created_at, users.id)
       from (
         select * from reporters where report_id = report.id order by created_at, user_id limit ${limits.reporters}
       ) first join users on users.id = first.user_id
     ) as reporters
     from reports report
     join messages message on message.room_id = report.room_id and message.seq = report.seq and message.deleted_at is null
     join users sender on sender.id = message.sender_id
     where report.answered_at is null and report.id > $1 ${of === undefined ? '' : 'and report.room_id = $3 and report.seq > $4'}
     order by report.id limit $2`,
    [after, limit + 1, ...(of === undefined ? [] : [of.roomId, of.visibleAfter])],
  );
  return (rows as Row[]).map((row) => ({
    id: row.id,
    message: toMessage(row, { id: row.senderId, name: row.senderName }),
    count: row.count,
    reporters: row.reporters.map(({ id, name, reason, text, at }) => ({
      user: { id, name },
      reason,
      text,
      at: new Date(at).toISOString(),
    })),
  }));
}

/** Takes the reports of a message out of the queue; also called where it is deleted. @returns whether there was one, at any time */
export async function closeReport(
  { manager, room, now }: LockedRoom,
  seq: number,
  by: string | null,
): Promise<boolean> {
  const [, count] = (await manager.query(
    `update reports set answered_at = coalesce(answered_at, $3), answered_by = case when answered_at is null then $4 else answered_by end
     where room_id = $1 and seq = $2`,
    [room.id, seq, now, by],
  )) as unknown as [unknown[], number];
  return count > 0;
}
