import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import { byCaller, type Act, type By } from '../audit/audit-log.js';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import {
  limits,
  may,
  type AnswerReport,
  type Done,
  type ListMembers,
  type MessageResult,
  type ReportMessage,
  type ReportPage,
} from '../protocol/index.js';
import { MembersService } from '../rooms/members.service.js';
import { FIRST_ID, pageOf, userIdOf } from '../rooms/pages.js';
import { MessageChanges, noSuchMessage, type FoundMessage, type Patch } from './message-changes.js';
import type { LockedRoom } from '../rooms/room-ledger.js';
import { tombstone } from './messages.service.js';
import { ReportSignals } from './report-signals.js';
import { closeReport, openReports } from './reports.js';

/** A report of a message that the user may see, locked, whether it is new or not. */
const OPEN = `
  insert into reports (id, room_id, seq, count)
  select $4, message.room_id, message.seq, 0
  from messages message
  join memberships member on member.room_id = message.room_id and member.user_id = $3 and member.left_at is null
  where message.room_id = $1 and message.seq = $2 and message.deleted_at is null and message.shadowed_at is null and message.seq > member.visible_after
  on conflict (room_id, seq) do update set count = reports.count
  returning id, count`;

/** Messages that members find wrong, and what those who govern the room do about them. */
@Injectable()
export class ReportsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly members: MembersService,
    private readonly changes: MessageChanges,
    private readonly signals: ReportSignals,
  ) {}

  /**
   * Reporting a message twice is reporting it once. Where its report was answered, one more reporter opens it again.
   * @throws ChatError `not_member`, `not_found` also of a deleted message, `rate_limited`
   */
  async report(caller: Caller, { roomId, seq, reason, text }: ReportMessage): Promise<Done> {
    const isNew = await this.dataSource.transaction(async (manager) => {
      const opened: unknown = await manager.query(OPEN, [roomId, seq, caller.id, uuidv7()]);
      const [report] = opened as { id: string; count: number }[];
      if (report === undefined) return undefined;
      const told: unknown = await manager.query(
        `insert into reporters (report_id, user_id, reason, text) values ($1, $2, $3, $4)
         on conflict do nothing returning (
           select count(*)::int from reporters where user_id = $2 and created_at > now() - interval '1 h'
         ) as lately`,
        [report.id, caller.id, reason, report.count < limits.reporters ? text : ''],
      );
      const [reporter] = told as { lately: number }[];
      if (reporter === undefined) return false;
      if (reporter.lately >= limits.reportsPerHour)
        throw new ChatError('rate_limited', 'You have reported too many messages lately', { retryAfterMs: 600_000 });
      await manager.query(
        `update reports set count = count + 1, answered_at = null, answered_by = null where id = $1`,
        [report.id],
      );
      return true;
    });
    if (isNew === undefined) {
      await this.members.mustBeMember(caller.id, roomId);
      throw noSuchMessage();
    }
    if (isNew) this.signals.note(roomId);
    return {};
  }

  /** Those without an answer, the oldest first. @throws ChatError `not_member`, `not_found`, `forbidden` */
  async list(caller: Caller, { roomId, cursor, limit }: ListMembers): Promise<ReportPage> {
    const { visibleAfter } = await this.members.mustBeOneWhoMay(caller.id, roomId, 'report:list');
    const after = cursor === undefined ? FIRST_ID : userIdOf(cursor);
    const found = await openReports(this.dataSource.manager, after, limit, { roomId, visibleAfter });
    return pageOf(found, limit, ({ id }) => id);
  }

  /** Of all rooms, for admins. */
  async listAll({ cursor = FIRST_ID, limit }: { cursor?: string | undefined; limit: number }): Promise<ReportPage> {
    return pageOf(await openReports(this.dataSource.manager, cursor, limit), limit, ({ id }) => id);
  }

  /** Answering twice is answering once. @throws ChatError `not_member`, `not_found` also where nobody reported it, `forbidden` */
  async answer(caller: Caller, { action, ...ref }: AnswerReport): Promise<MessageResult> {
    const answered = await this.changes.byMember(
      caller,
      ref,
      (message, locked, { role }) => {
        if (!may(role, 'report:answer') || (action === 'delete' && !may(role, 'message:deleteOthers')))
          throw new ChatError('forbidden', 'Only those who govern the room may answer reports');
        return answer(message, locked, action, caller.id);
      },
      recorded(byCaller(caller), ref.seq, action),
    );
    this.signals.note(ref.roomId);
    return answered;
  }

  /** For admins: in any room. @throws ChatError `not_found` */
  async answerAny(by: By, { action, ...ref }: AnswerReport): Promise<MessageResult> {
    const answered = await this.changes.byAdmin(
      ref,
      (message, locked) => answer(message, locked, action, null),
      recorded(by, ref.seq, action),
    );
    this.signals.note(ref.roomId);
    return answered;
  }
}

function recorded(by: By, seq: number, action: AnswerReport['action']): () => Act {
  return () => ({ by, action: `report.${action}`, target: String(seq) });
}

async function answer(
  message: FoundMessage,
  locked: LockedRoom,
  action: AnswerReport['action'],
  by: string | null,
): Promise<Patch> {
  if (!(await closeReport(locked, message.seq, by))) throw new ChatError('not_found', 'Nobody reported this message');
  return action === 'delete' ? tombstone(message, locked, by) : undefined;
}
