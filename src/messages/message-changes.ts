import { Injectable } from '@nestjs/common';
import type { QueryDeepPartialEntity } from 'typeorm';
import type { Act } from '../audit/audit-log.js';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import { may, type Action, type Change, type Message, type MessageRef, type MessageResult } from '../protocol/index.js';
import type { MemberEntity } from '../rooms/member.entity.js';
import { MembersService } from '../rooms/members.service.js';
import { seenBy } from '../realtime/veils.js';
import { RoomLedger, type LockedRoom, type Outcome } from '../rooms/room-ledger.js';
import { MESSAGE_COLUMNS, MessageEntity, toMessage, type StoredMessage } from './message.entity.js';

/** A message as it is while its room is locked. */
export type FoundMessage = StoredMessage & { senderName: string };

/** What is to change of a message; undefined where nothing does. */
export type Patch = Partial<StoredMessage> | undefined;

/** What goes into the audit log of it, if anything does. */
export type Audited = (message: FoundMessage, changed: boolean) => Act | undefined;

/**
 * Changes of messages that were sent: decided and written under the lock of the room, on the rows themselves; each takes the next
 * rev and is told after the commit.
 */
@Injectable()
export class MessageChanges {
  constructor(
    private readonly ledger: RoomLedger,
    private readonly members: MembersService,
  ) {}

  /** @throws ChatError `not_member`, `not_found`, and what `decide` throws, which undoes everything */
  async byMember(
    caller: Caller,
    ref: MessageRef,
    decide: (message: FoundMessage, locked: LockedRoom, member: MemberEntity) => Promise<Patch> | Patch,
    audit?: Audited,
  ): Promise<MessageResult> {
    const { message } = await this.ledger.change(ref.roomId, async (locked) => {
      const member = await this.members.mustBePresent(locked, caller.id);
      mustBeVisible(member, ref.seq);
      return apply(locked, ref, (found) => decide(found, locked, member), audit);
    });
    return { message: seenBy(message, caller.id) };
  }

  /** For admins, who need not be members. @throws ChatError `not_found` */
  byAdmin(
    ref: MessageRef,
    decide: (message: FoundMessage, locked: LockedRoom) => Promise<Patch> | Patch,
    audit: Audited,
  ): Promise<MessageResult> {
    return this.ledger.change(ref.roomId, (locked) => apply(locked, ref, (message) => decide(message, locked), audit));
  }
}

/** Those of the room's messages, by seq. */
export async function messagesIn(
  { manager, room }: LockedRoom,
  seqs: readonly number[],
): Promise<Map<number, FoundMessage>> {
  const rows: unknown = await manager.query(
    `select ${MESSAGE_COLUMNS}, sender.name as "senderName"
     from messages message join users sender on sender.id = message.sender_id
     where message.room_id = $1 and message.seq = any($2::bigint[])`,
    [room.id, seqs],
  );
  return new Map((rows as FoundMessage[]).map((row) => [row.seq, row]));
}

/** Writes what changes of the message, under the next rev. */
export async function save(
  locked: LockedRoom,
  found: FoundMessage,
  patch: Partial<StoredMessage>,
): Promise<Change & { kind: 'message' }> {
  const changed = { ...patch, rev: locked.nextRev() };
  const { roomId, seq } = found;
  await locked.manager.update(MessageEntity, { roomId, seq }, changed as QueryDeepPartialEntity<MessageEntity>);
  return { rev: changed.rev, kind: 'message', message: shown({ ...found, ...changed }) };
}

export function shown(found: FoundMessage): Message {
  return toMessage(found, { id: found.senderId, name: found.senderName });
}

/** What was said before a member joined may not be for him. @throws ChatError `not_found` */
export function mustBeVisible({ visibleAfter }: MemberEntity, seq: number): void {
  if (seq <= visibleAfter) throw noSuchMessage();
}

/** Whether the member may write so at present. @throws ChatError `forbidden`, `muted`, `room_archived` */
export function mustBeAllowed({ role, mutedUntil }: MemberEntity, action: Action, { room, now }: LockedRoom): void {
  if (!may(role, action)) throw new ChatError('forbidden', 'Your role in this room does not allow this');
  if (mutedUntil !== null && mutedUntil > now) throw new ChatError('muted', 'You are muted in this room');
  if (room.archivedAt !== null) throw new ChatError('room_archived', 'The room is archived');
}

/** Whether what the member says is his alone at present. */
export function isInShadow({ shadowUntil }: MemberEntity, { now }: LockedRoom): boolean {
  return shadowUntil !== null && shadowUntil > now;
}

/** Deleted, or shown to its sender alone. */
export function isGone({ deletedAt, shadowedAt, senderId }: FoundMessage, userId: string): boolean {
  return deletedAt !== null || (shadowedAt !== null && senderId !== userId);
}

export function noSuchMessage(): ChatError {
  return new ChatError('not_found', 'There is no such message, or it was deleted');
}

async function apply(
  locked: LockedRoom,
  { seq }: MessageRef,
  decide: (message: FoundMessage) => Promise<Patch> | Patch,
  audited?: Audited,
): Promise<Outcome<MessageResult>> {
  const found = (await messagesIn(locked, [seq])).get(seq);
  if (found === undefined) throw noSuchMessage();
  const patch = await decide(found);
  const audit = audited?.(found, patch !== undefined);
  if (patch === undefined) return { result: { message: shown(found) }, changes: [], audit };
  const change = await save(locked, found, patch);
  const { threadRoot } = found;
  const isLost =
    found.shadowedAt === null &&
    (patch.deletedAt instanceof Date || patch.shadowedAt instanceof Date) &&
    threadRoot !== null;
  return {
    result: { message: change.message },
    changes: isLost ? [change, ...(await shrink(locked, threadRoot))] : [change],
    audit,
  };
}

/** A reply was deleted, or is its sender's alone now. */
async function shrink(locked: LockedRoom, threadRoot: number): Promise<Change[]> {
  const root = (await messagesIn(locked, [threadRoot])).get(threadRoot);
  return root === undefined ? [] : [await save(locked, root, { replyCount: (root.replyCount ?? 1) - 1 })];
}
