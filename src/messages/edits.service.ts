import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Not, Repository } from 'typeorm';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import {
  limits,
  may,
  type EditMessage,
  type MessageRef,
  type MessageResult,
  type MessageVersions,
} from '../protocol/index.js';
import { MembersService } from '../rooms/members.service.js';
import { Screening } from '../screening/screening.js';
import type { Verdict } from '../screening/verdict.js';
import { HeldMessages } from './held-messages.js';
import { isGone, isInShadow, MessageChanges, mustBeAllowed, mustBeVisible, noSuchMessage } from './message-changes.js';
import { MessageEntity } from './message.entity.js';
import { intoShadow } from './messages.service.js';
import { MessageVersionEntity } from './message-version.entity.js';

@Injectable()
export class EditsService {
  constructor(
    @InjectRepository(MessageVersionEntity) private readonly versions: Repository<MessageVersionEntity>,
    private readonly changes: MessageChanges,
    private readonly members: MembersService,
    private readonly screening: Screening,
    private readonly held: HeldMessages,
  ) {}

  /**
   * Own messages only. The text that it has already is no edit, whatever version it was to begin from: so an edit may be asked
   * for again.
   * @throws ChatError `not_member`, `not_found` also of a deleted one, `forbidden`, `muted`, `room_archived`, `version_mismatch`, `conflict`
   * past `limits.messageVersions`, `rejected`, `held`
   */
  edit(caller: Caller, request: EditMessage): Promise<MessageResult> {
    const { roomId, text } = request;
    if (!this.screening.applies(roomId)) return this.change(caller, request, { text });
    return this.screening.run(caller, { roomId, text }, (verdict) =>
      'held' in verdict ? this.hold(caller, request, verdict) : this.change(caller, request, verdict),
    );
  }

  /** What a moderator has approved. @throws ChatError as `edit` */
  apply(caller: Caller, request: EditMessage): Promise<MessageResult> {
    return this.change(caller, request, { text: request.text });
  }

  /** Nothing waits that would not be taken; what stands there already is no edit. @throws ChatError as `edit` */
  private async hold(
    caller: Caller,
    request: EditMessage,
    { held: text, reason }: { held: string; reason: string },
  ): Promise<MessageResult> {
    const refusal = new ChatError('held', 'A moderator has to approve this first');
    try {
      return await this.change(caller, request, { refusal });
    } catch (error) {
      if (error !== refusal) throw error;
      const fingerprint = hash('sha256', request.text).slice(0, 32);
      return this.held.keep(caller, { ...request, text }, fingerprint, reason);
    }
  }

  private change(caller: Caller, request: EditMessage, verdict: Verdict): Promise<MessageResult> {
    const { version, text: asked, ...ref } = request;
    const text = 'text' in verdict ? verdict.text : asked;
    return this.changes.byMember(caller, ref, async (message, locked, member) => {
      if (isGone(message, caller.id)) throw noSuchMessage();
      if (message.senderId !== caller.id) throw new ChatError('forbidden', 'Only the sender may edit this message');
      mustBeAllowed(member, 'message:editOwn', locked);
      if (locked.room.readOnly) mustBeAllowed(member, 'message:announce', locked);
      const { manager, now } = locked;
      if (message.text === text) return undefined;
      if ('refusal' in verdict) throw verdict.refusal;
      const current = message.version ?? 1;
      if (version !== undefined && version !== current)
        throw new ChatError('version_mismatch', `The message is at version ${current}`);
      if (current >= limits.messageVersions) throw new ChatError('conflict', 'The message was edited too often');
      await manager.insert(MessageVersionEntity, {
        ...ref,
        version: current,
        text: message.text,
        saidAt: message.editedAt ?? message.createdAt,
      });
      const edited = { text, version: current + 1, editedAt: now };
      return isInShadow(member, locked) ? { ...edited, ...(await intoShadow(message, locked)) } : edited;
    });
  }

  /** What the message said before; what it says now, too, where only its sender sees that. @throws ChatError `not_member`, `not_found`, `forbidden` */
  async versionsOf(caller: Caller, ref: MessageRef): Promise<MessageVersions> {
    const member = await this.members.mustBeMember(caller.id, ref.roomId);
    if (!may(member.role, 'message:versions'))
      throw new ChatError('forbidden', 'Only moderators may read what a message said before');
    mustBeVisible(member, ref.seq);
    const { manager } = this.versions;
    const versions = await this.versions.find({ where: ref, order: { version: 'ASC' } });
    const now = await manager.findOneBy(MessageEntity, { ...ref, shadowedAt: Not(IsNull()), deletedAt: IsNull() });
    const all =
      now === null
        ? versions
        : [...versions, { version: now.version ?? 1, text: now.text, saidAt: now.editedAt ?? now.createdAt }];
    return { versions: all.map(({ version, text, saidAt }) => ({ version, text, saidAt: saidAt.toISOString() })) };
  }
}
