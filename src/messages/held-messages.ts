import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import { byCaller, record, type Act } from '../audit/audit-log.js';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import { limits, type HeldMessage, type SendMessage } from '../protocol/index.js';

/** Of one sender in a room; one more is rejected, so that nobody fills the room's list alone. */
const OF_SENDER = 20;
/** So long it waits, and so long it is known what became of it. */
const KEPT = `created_at > now() - interval '7 days'`;

/** What is to be stored once it is approved. */
export type HeldRequest = SendMessage | { roomId: string; seq: number; text: string; version?: number | undefined };

export interface HeldRow {
  id: string;
  senderId: string;
  senderName: string;
  seq: number;
  fingerprint: string;
  request: HeldRequest;
  reason: string;
  createdAt: Date;
}

const WAITS = `held.room_id = $1 and held.request is not null and (answer is null or answer = 'approving') and held.${KEPT}`;
const SELECT = `
  select held.id, sender_id as "senderId", sender.name as "senderName", held.seq, encode(held.fingerprint, 'hex') as fingerprint,
         request, reason, held.created_at as "createdAt"
  from held_messages held join users sender on sender.id = held.sender_id`;

/** Messages and edits that wait for a moderator. */
@Injectable()
export class HeldMessages {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Keeps it, or finds that it is kept already.
   * @throws ChatError always: `held` as long as it waits, `rejected` once it was declined and where too many wait, `idempotency_mismatch`
   */
  async keep(caller: Caller, request: HeldRequest, fingerprint: string, reason: string): Promise<never> {
    const { roomId } = request;
    const [clientMsgId, seq] = 'clientMsgId' in request ? [request.clientMsgId, 0] : ['', request.seq];
    const key = [roomId, caller.id, clientMsgId, seq];
    await this.dataSource.query(`delete from held_messages where room_id = $1 and not ${KEPT}`, [roomId]);
    await this.dataSource.query(
      `insert into held_messages (room_id, sender_id, client_msg_id, seq, id, fingerprint, request, reason)
       select $1, $2, $3, $4::bigint, $5, decode($6, 'hex'), $7, $8
       where (select count(*) from held_messages where room_id = $1 and request is not null) < ${limits.heldPerRoom}
         and (select count(*) from held_messages where room_id = $1 and sender_id = $2 and request is not null) < ${OF_SENDER}
       on conflict (room_id, sender_id, client_msg_id, seq) do update
       set fingerprint = excluded.fingerprint, request = excluded.request, reason = excluded.reason, answer = null,
           created_at = excluded.created_at
       where held_messages.seq > 0 and held_messages.fingerprint <> excluded.fingerprint
         and held_messages.answer is distinct from 'approving'`,
      [...key, uuidv7(), fingerprint, JSON.stringify(request), reason],
    );
    const rows: unknown = await this.dataSource.query(
      `select encode(fingerprint, 'hex') as fingerprint, answer from held_messages
       where room_id = $1 and sender_id = $2 and client_msg_id = $3 and seq = $4`,
      key,
    );
    const [kept] = rows as { fingerprint: string; answer: string | null }[];
    if (kept === undefined) throw new ChatError('rejected', 'Too many messages wait for the moderators of this room');
    if (kept.fingerprint !== fingerprint && seq === 0)
      throw new ChatError('idempotency_mismatch', 'This clientMsgId was used for another message; make a new one');
    if (kept.answer === 'declined') throw new ChatError('rejected', 'A moderator has declined this message');
    throw new ChatError('held', 'A moderator has to approve this first');
  }

  /** By id, oldest first. */
  async list(roomId: string, after: string, limit: number): Promise<HeldMessage[]> {
    const rows: unknown = await this.dataSource.query(
      `${SELECT} where ${WAITS} and held.id > $2 order by held.id limit $3`,
      [roomId, after, limit],
    );
    return (rows as HeldRow[]).map(({ id, senderId, senderName, seq, request: { text }, reason, createdAt }) => ({
      id,
      roomId,
      sender: { id: senderId, name: senderName },
      text,
      seq: seq === 0 ? null : seq,
      reason,
      createdAt: createdAt.toISOString(),
    }));
  }

  /**
   * From now on it can only be approved: whoever asks for that again gets the same message.
   * @throws ChatError `not_found`
   */
  async claim(roomId: string, heldId: string, caller: Caller): Promise<HeldRow> {
    await this.answered(
      roomId,
      caller,
      { action: 'held.approve', target: heldId },
      `update held_messages held set answer = 'approving', answered_by = $3 where held.id = $2 and ${WAITS} and answer is null returning held.id`,
    );
    const rows: unknown = await this.dataSource.query(
      `${SELECT} where ${WAITS} and held.id = $2 and answer = 'approving'`,
      [roomId, heldId],
    );
    const [claimed] = rows as HeldRow[];
    if (claimed === undefined) throw noneWaits();
    return claimed;
  }

  /** What was claimed ended so. Null: it waits again. */
  async settle(heldId: string, answer: 'approved' | null): Promise<void> {
    await this.dataSource.query(
      `update held_messages set answer = $2::text, request = case when $2::text is null then request end
       where id = $1 and ($2::text is not null or answer = 'approving')`,
      [heldId, answer],
    );
  }

  /** @throws ChatError `not_found` also where it was approved meanwhile */
  async decline(roomId: string, heldId: string, caller: Caller): Promise<void> {
    const done = await this.answered(
      roomId,
      caller,
      { action: 'held.decline', target: heldId },
      `update held_messages held set answer = 'declined', answered_by = $3, request = null
       where held.id = $2 and ${WAITS} and answer is null returning held.id`,
    );
    if (!done) throw noneWaits();
  }

  /** @param update of one row, by the room's id, its own and that of who answers. @returns whether there was one */
  private answered(
    roomId: string,
    caller: Caller,
    act: Pick<Act, 'action'> & { target: string },
    update: string,
  ): Promise<boolean> {
    return this.dataSource.transaction(async (manager) => {
      const [rows] = (await manager.query(update, [roomId, act.target, caller.id])) as unknown as [unknown[], number];
      if (rows.length > 0) await record(manager, { ...act, by: byCaller(caller), roomId });
      return rows.length > 0;
    });
  }
}

function noneWaits(): ChatError {
  return new ChatError('not_found', 'There is no such message that waits');
}
