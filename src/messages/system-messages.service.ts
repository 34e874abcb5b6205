import { Injectable } from '@nestjs/common';
import type { Act, By } from '../audit/audit-log.js';
import { ChatError } from '../chat-error.js';
import type { Change, SendMessage, SentMessage, SystemMessage } from '../protocol/index.js';
import { RoomLedger, type LockedRoom } from '../rooms/room-ledger.js';
import { SYSTEM } from '../users/system-user.js';
import { messagesIn, shown } from './message-changes.js';
import { fingerprintOf } from './send-extras.js';

/** What the app itself says in a room. It takes its seq and rev like what users send, and is stored by the ledger: no membership allows it. */
@Injectable()
export class SystemMessagesService {
  constructor(private readonly ledger: RoomLedger) {}

  /**
   * The same `clientMsgId` in the room again, at any time, gives back the message of the first time with `duplicate: true`.
   * @throws ChatError `not_found`, `room_archived`, `idempotency_mismatch`
   */
  post(by: By, roomId: string, message: SystemMessage): Promise<SentMessage> {
    const request: SendMessage = { roomId, ...message };
    const fingerprint = Buffer.from(fingerprintOf(request), 'hex');
    return this.ledger.change<SentMessage>(roomId, async (locked) => {
      const known = await knownBy(locked, request.clientMsgId);
      if (known !== undefined) {
        if (!known.fingerprint.equals(fingerprint))
          throw new ChatError('idempotency_mismatch', 'This clientMsgId was used for another message; make a new one');
        return { result: { message: await messageAt(locked, known.seq), duplicate: true }, changes: [] };
      }
      if (locked.room.archivedAt !== null) throw new ChatError('room_archived', 'The room is archived');
      const stored = await messageAt(locked, await store(locked, request, fingerprint));
      const change: Change = { rev: stored.rev, kind: 'message', message: stored };
      const audit: Act = { by, action: 'message.post', target: String(stored.seq) };
      return { result: { message: stored, duplicate: false }, changes: [change], audit };
    });
  }
}

async function knownBy(
  { manager, room }: LockedRoom,
  clientMsgId: string,
): Promise<{ seq: number; fingerprint: Buffer } | undefined> {
  const rows: unknown = await manager.query(
    'select seq, fingerprint from messages where room_id = $1 and sender_id = $2 and client_msg_id = $3',
    [room.id, SYSTEM.id, clientMsgId],
  );
  return (rows as { seq: number; fingerprint: Buffer }[])[0];
}

/** @returns its seq */
async function store(locked: LockedRoom, request: SendMessage, fingerprint: Buffer): Promise<number> {
  const { manager, room, now } = locked;
  const { clientMsgId, text, meta = null } = request;
  room.seq += 1;
  await manager.query(
    `insert into messages (room_id, seq, rev, sender_id, client_msg_id, fingerprint, text, created_at, meta)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [room.id, room.seq, locked.nextRev(), SYSTEM.id, clientMsgId, fingerprint, text, now, meta],
  );
  await manager.query('update rooms set seq = $2 where id = $1', [room.id, room.seq]);
  return room.seq;
}

async function messageAt(locked: LockedRoom, seq: number): Promise<SentMessage['message']> {
  const found = (await messagesIn(locked, [seq])).get(seq);
  if (found === undefined) throw new Error('A message that was just found is gone');
  return shown(found);
}
