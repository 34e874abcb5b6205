import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Between, MoreThanOrEqual, Repository, type FindOperator } from 'typeorm';
import { byCaller, type Act, type By } from '../audit/audit-log.js';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import { BatchedRead } from '../database/batched-read.js';
import {
  may,
  type GetHistory,
  type HistoryPage,
  type Message,
  type MessageRef,
  type MessageResult,
  type SendMessage,
  type SentMessage,
} from '../protocol/index.js';
import { Limits } from '../limits/limits.js';
import { MembersService } from '../rooms/members.service.js';
import { seenBy } from '../realtime/veils.js';
import type { LockedRoom } from '../rooms/room-ledger.js';
import { MessageChanges, type FoundMessage, type Patch } from './message-changes.js';
import { MessageEntity, withSender, type StoredMessage } from './message.entity.js';
import { MessageVersionEntity } from './message-version.entity.js';
import { closeReport } from './reports.js';
import { EVERYONE, MentionEntity } from './mention.entity.js';
import { ScreenedWriter } from './screened-writer.js';
import type { Written } from './send-statement.js';
import { ThreadReplyEntity } from './thread-reply.entity.js';
import { PinEntity } from './pin.entity.js';
import { ReactionEntity } from './reaction.entity.js';

interface Place {
  roomId: string;
  seq: number;
}

/** A room's messages as far as a member may see them, or those of one thread in it. */
interface Line {
  roomId: string;
  visibleAfter: number;
  /** Who reads; nobody in particular where it is an admin. */
  userId?: string;
  threadRoot?: number | undefined;
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
    private readonly writer: ScreenedWriter,
    private readonly members: MembersService,
    private readonly changes: MessageChanges,
    private readonly limits: Limits,
  ) {}

  /**
   * Resolves after the commit. The same `clientMsgId` again, at any time and on any instance, gives the message of the first
   * time (as it is now) with `duplicate: true`.
   * @throws ChatError as `ScreenedWriter.write`, `rate_limited`
   */
  async send(caller: Caller, request: SendMessage): Promise<SentMessage> {
    const { roomId } = request;
    // Asked before and counted after: who is no member of the room must not use up what its members may.
    this.limits.take('sends', roomId, 0);
    const written = await this.writer.write(caller, request);
    this.limits.spend('sends', roomId);
    return this.answerTo(request, written);
  }

  /** What a moderator has approved, under the fingerprint of what was sent. @throws ChatError as `MessageWriter.write` */
  async store(caller: Caller, request: SendMessage, fingerprint: string): Promise<SentMessage> {
    return this.answerTo(request, await this.writer.writeApproved(caller, request, fingerprint));
  }

  private async answerTo(request: SendMessage, written: Written): Promise<SentMessage> {
    if (written.kind !== 'duplicate') return { message: written.message, duplicate: false };
    const message = await this.firstSent.get({ roomId: request.roomId, seq: written.seq });
    if (message === undefined) throw new ChatError('not_found', 'There is no such message any more');
    return { message: seenBy(message, message.sender.id), duplicate: true };
  }

  /**
   * Own messages, and those of others for who may. The message stays in its place, without its text, what it said before, reactions and pin, for
   * every client to learn that it is gone. Deleting twice is deleting once.
   * @throws ChatError `not_member`, `not_found`, `forbidden`
   */
  delete(caller: Caller, ref: MessageRef): Promise<MessageResult> {
    return this.changes.byMember(
      caller,
      ref,
      (message, locked, { role }) => {
        if (!may(role, message.senderId === caller.id ? 'message:deleteOwn' : 'message:deleteOthers'))
          throw new ChatError('forbidden', 'Only the sender and moderators may delete this message');
        return tombstone(message, locked, caller.id);
      },
      ({ senderId }, changed) => (senderId === caller.id ? undefined : deleted(byCaller(caller), ref.seq, changed)),
    );
  }

  /** For admins: any message of any room. @throws ChatError `not_found` */
  deleteAny(by: By, ref: MessageRef): Promise<MessageResult> {
    return this.changes.byAdmin(
      ref,
      (message, locked) => tombstone(message, locked, null),
      (_, changed) => deleted(by, ref.seq, changed),
    );
  }

  /** @throws ChatError `not_member`, `not_found`, `rate_limited` */
  async history(caller: Caller, request: GetHistory): Promise<HistoryPage> {
    this.limits.takeOf('history', caller);
    const { visibleAfter } = await this.members.mustBeMember(caller.id, request.roomId);
    const { before, after, around, limit, ...place } = request;
    const of = { ...place, visibleAfter, userId: caller.id };
    if (after !== undefined) return this.newerThan(of, after, limit);
    if (around === undefined) return this.olderThan(of, before, limit);
    const older = await this.olderThan(of, around, Math.floor(limit / 2));
    const newer = await this.newerThan(of, around - 1, limit - older.messages.length);
    return { messages: [...older.messages, ...newer.messages], hasBefore: older.hasBefore, hasAfter: newer.hasAfter };
  }

  /**
   * Any room's messages, for admins: a page by seq, of one sender or a span of time where asked for. Without `after` the newest
   * come first in line, as in `history`.
   */
  async listAny(roomId: string, filter: MessageFilter): Promise<HistoryPage> {
    const { before, after, from, to, senderId, limit } = filter;
    const forward = after !== undefined;
    const rows = this.page({ roomId, visibleAfter: 0 }, limit).orderBy('message.seq', forward ? 'ASC' : 'DESC');
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

  private async olderThan(of: Line, before: number | undefined, limit: number): Promise<HistoryPage> {
    const rows = this.page(of, limit).orderBy('message.seq', 'DESC');
    if (before !== undefined) rows.andWhere('message.seq < :before', { before });
    const found = shownTo(of.userId, await rows.getMany());
    const messages = found.slice(0, limit).reverse();
    return {
      messages,
      hasBefore: found.length > limit,
      hasAfter: before !== undefined && (await this.exists(of, MoreThanOrEqual(before))),
    };
  }

  private async newerThan(of: Line, after: number, limit: number): Promise<HistoryPage> {
    const rows = this.page(of, limit).andWhere('message.seq > :after', { after }).orderBy('message.seq', 'ASC');
    const found = shownTo(of.userId, await rows.getMany());
    return {
      messages: found.slice(0, limit),
      hasBefore: await this.exists(of, Between(of.visibleAfter + 1, after)),
      hasAfter: found.length > limit,
    };
  }

  private page({ roomId, visibleAfter, threadRoot }: Line, limit: number) {
    const page = this.messages
      .createQueryBuilder('message')
      .innerJoinAndSelect('message.sender', 'sender')
      .where('message.roomId = :roomId and message.seq > :visibleAfter', { roomId, visibleAfter })
      .limit(limit + 1);
    const reply = 'reply.roomId = message.roomId and reply.seq = message.seq and reply.root = :threadRoot';
    return threadRoot === undefined ? page : page.innerJoin(ThreadReplyEntity, 'reply', reply, { threadRoot });
  }

  private exists({ roomId, threadRoot }: Line, seq: FindOperator<number>): Promise<boolean> {
    if (threadRoot === undefined) return this.messages.existsBy({ roomId, seq });
    return this.messages.manager.existsBy(ThreadReplyEntity, { roomId, root: threadRoot, seq });
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
}

function deleted(by: By, seq: number, changed: boolean): Act | undefined {
  return changed ? { by, action: 'message.delete', target: String(seq) } : undefined;
}

/** What deleting the message makes of it; nothing where that was done before. */
export async function tombstone(message: FoundMessage, locked: LockedRoom, by: string | null): Promise<Patch> {
  if (message.deletedAt !== null) return undefined;
  const { manager, now } = locked;
  const { roomId, seq } = message;
  for (const rows of [MessageVersionEntity, ReactionEntity, PinEntity]) await manager.delete(rows, { roomId, seq });
  await forgetMentions(message, locked);
  await closeReport(locked, seq, by);
  // The mentions stay: whose count of them falls by it.
  const nothing = { text: '', meta: null, reactions: null, pinnedAt: null, pinnedBy: null };
  return { ...nothing, deletedAt: now, deletedBy: by };
}

/** What an edit of one who is in the shadow makes of a message that all saw: it is his alone from then on. */
export async function intoShadow(message: FoundMessage, locked: LockedRoom): Promise<Partial<StoredMessage>> {
  if (message.shadowedAt !== null) return {};
  await forgetMentions(message, locked);
  await locked.manager.delete(PinEntity, { roomId: message.roomId, seq: message.seq });
  return { shadowedAt: locked.now, pinnedAt: null, pinnedBy: null };
}

async function forgetMentions({ roomId, seq, mentions }: FoundMessage, { manager }: LockedRoom): Promise<void> {
  if (mentions === null) return;
  await manager.delete(MentionEntity, { roomId, seq, userId: In([...mentions.users, EVERYONE]) });
}

function shownTo(userId: string | undefined, rows: MessageEntity[]): Message[] {
  return rows.map((row) => (userId === undefined ? withSender(row) : seenBy(withSender(row), userId)));
}
