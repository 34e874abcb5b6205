import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import { BatchedRead } from '../database/batched-read.js';
import type {
  GetHistory,
  HistoryPage,
  Message,
  MessageRef,
  MessageResult,
  SendMessage,
  SentMessage,
} from '../protocol/index.js';
import { MembersService } from '../rooms/members.service.js';
import { RoomLedger, type LockedRoom } from '../rooms/room-ledger.js';
import { MessageEntity, toMessage } from './message.entity.js';
import { MessageWriter } from './message-writer.js';

interface Place {
  roomId: string;
  seq: number;
}

/** `from` and `to` are moments: not older than, older than. The others are seqs. */
export interface MessageFilter {
  before?: number | undefined;
  after?: number | undefined;
  from?: string | undefined;
  to?: string | undefined;
  senderId?: string | undefined;
  limit: number;
}

@Injectable()
export class MessagesService {
  /** Of retries: they come many at once, from all clients of an instance that had stood still, or of a Postgres that had. */
  private readonly firstSent = new BatchedRead((places: readonly Place[]) => this.at(places));

  constructor(
    @InjectRepository(MessageEntity) private readonly messages: Repository<MessageEntity>,
    private readonly writer: MessageWriter,
    private readonly members: MembersService,
    private readonly ledger: RoomLedger,
  ) {}

  /**
   * Resolves after the commit. The same `clientMsgId` again, at any time and on any instance, gives the message of the first
   * time (as it is now) with `duplicate: true`.
   * @throws ChatError as `MessageWriter.write`
   */
  async send(caller: Caller, request: SendMessage): Promise<SentMessage> {
    const written = await this.writer.write(caller, request, fingerprintOf(request));
    if (written.kind === 'stored') return { message: written.message, duplicate: false };
    const message = await this.firstSent.get({ roomId: request.roomId, seq: written.seq });
    if (message === undefined) throw new ChatError('not_found', 'There is no such message any more');
    return { message, duplicate: true };
  }

  /** Own messages only. Deleting twice is deleting once. @throws ChatError `not_member`, `not_found`, `forbidden` */
  async delete(caller: Caller, ref: MessageRef): Promise<MessageResult> {
    await this.members.mustBeMember(caller.id, ref.roomId);
    return this.tombstone(ref, (message) => {
      if (message.senderId !== caller.id) throw new ChatError('forbidden', 'Only the sender may delete this message');
    });
  }

  /** For admins: any message of any room. @throws ChatError `not_found` */
  deleteAny(ref: MessageRef): Promise<MessageResult> {
    return this.tombstone(ref, () => undefined);
  }

  /** @throws ChatError `not_member`, `not_found` */
  async history(caller: Caller, request: GetHistory): Promise<HistoryPage> {
    await this.members.mustBeMember(caller.id, request.roomId);
    const { before, after, around, limit } = request;
    if (after !== undefined) return this.newerThan(request.roomId, after, limit);
    if (around === undefined) return this.olderThan(request.roomId, before, limit);
    const older = await this.olderThan(request.roomId, around, Math.floor(limit / 2));
    const newer = await this.newerThan(request.roomId, around - 1, limit - older.messages.length);
    return { messages: [...older.messages, ...newer.messages], hasBefore: older.hasBefore, hasAfter: newer.hasAfter };
  }

  /**
   * Any room's messages, for admins: a page by seq, of one sender or a span of time where asked for. Without `after` the newest
   * come first in line, as in `history`.
   */
  async listAny(roomId: string, filter: MessageFilter): Promise<HistoryPage> {
    const { before, after, from, to, senderId, limit } = filter;
    const forward = after !== undefined;
    const rows = this.page(roomId, limit).orderBy('message.seq', forward ? 'ASC' : 'DESC');
    if (after !== undefined) rows.andWhere('message.seq > :after', { after });
    if (before !== undefined) rows.andWhere('message.seq < :before', { before });
    if (from !== undefined) rows.andWhere('message.seq >= (select seq_at(:roomId, :from))', { from });
    if (to !== undefined) rows.andWhere('message.seq < (select seq_at(:roomId, :to))', { to });
    if (senderId !== undefined) rows.andWhere('message.senderId = :senderId', { senderId });
    const found = (await rows.getMany()).map(withSender);
    const messages = found.slice(0, limit);
    const more = found.length > limit;
    return forward
      ? { messages, hasBefore: after > 0, hasAfter: more }
      : { messages: messages.reverse(), hasBefore: more, hasAfter: before !== undefined };
  }

  private async olderThan(roomId: string, before: number | undefined, limit: number): Promise<HistoryPage> {
    const rows = this.page(roomId, limit).orderBy('message.seq', 'DESC');
    if (before !== undefined) rows.andWhere('message.seq < :before', { before });
    const found = (await rows.getMany()).map(withSender);
    const messages = found.slice(0, limit).reverse();
    return {
      messages,
      hasBefore: found.length > limit,
      hasAfter: before !== undefined && (await this.exists(roomId, before)),
    };
  }

  private async newerThan(roomId: string, after: number, limit: number): Promise<HistoryPage> {
    const rows = this.page(roomId, limit).andWhere('message.seq > :after', { after }).orderBy('message.seq', 'ASC');
    const found = (await rows.getMany()).map(withSender);
    return {
      messages: found.slice(0, limit),
      hasBefore: await this.exists(roomId, after),
      hasAfter: found.length > limit,
    };
  }

  private page(roomId: string, limit: number) {
    return this.messages
      .createQueryBuilder('message')
      .innerJoinAndSelect('message.sender', 'sender')
      .where('message.roomId = :roomId', { roomId })
      .limit(limit + 1);
  }

  private exists(roomId: string, seq: number): Promise<boolean> {
    return this.messages.existsBy({ roomId, seq });
  }

  /** What stands at these places, in their order. */
  private async at(places: readonly Place[]): Promise<(Message | undefined)[]> {
    const found = await this.messages
      .createQueryBuilder('message')
      .innerJoinAndSelect('message.sender', 'sender')
      .where(
        '(message.roomId, message.seq) in (select * from unnest(cast(:rooms as uuid[]), cast(:seqs as bigint[])))',
        { rooms: places.map(({ roomId }) => roomId), seqs: places.map(({ seq }) => seq) },
      )
      .getMany();
    const byPlace = new Map(found.map((row) => [`${row.roomId} ${row.seq}`, withSender(row)]));
    return places.map(({ roomId, seq }) => byPlace.get(`${roomId} ${seq}`));
  }

  /** The message stays in its place, without its text, for every client to learn that it is gone. */
  private tombstone(ref: MessageRef, mustBeAllowed: (message: MessageEntity) => void): Promise<MessageResult> {
    return this.ledger.change(ref.roomId, async (locked: LockedRoom) => {
      const { manager, now } = locked;
      const found = await manager.findOne(MessageEntity, { where: ref, relations: { sender: true } });
      if (found === null) throw new ChatError('not_found', 'There is no such message');
      mustBeAllowed(found);
      if (found.deletedAt !== null) return { result: { message: withSender(found) }, changes: [] };
      const gone = { text: '', deletedAt: now, rev: locked.nextRev() };
      await manager.update(MessageEntity, ref, gone);
      const message = withSender({ ...found, ...gone });
      return { result: { message }, changes: [{ rev: gone.rev, kind: 'message', message }] };
    });
  }
}

function withSender(row: MessageEntity): Message {
  return toMessage(row, row.sender ?? { id: row.senderId, name: '' });
}

/** Of what a retry must repeat, in hex. Half of a SHA-256 is plenty to tell two messages of one sender apart. */
function fingerprintOf({ text }: SendMessage): string {
  return hash('sha256', text).slice(0, 32);
}
