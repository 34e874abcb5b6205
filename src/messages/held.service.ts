import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import {
  errorCodes,
  type AnswerHeld,
  type HeldAnswered,
  type HeldPage,
  type ListMembers,
  type Message,
} from '../protocol/index.js';
import { MembersService } from '../rooms/members.service.js';
import { FIRST_ID, pageOf, userIdOf } from '../rooms/pages.js';
import { EditsService } from './edits.service.js';
import { HeldMessages, type HeldRow } from './held-messages.js';
import { MessagesService } from './messages.service.js';

/** What waits for a moderator, and his answers. */
@Injectable()
export class HeldService {
  constructor(
    private readonly held: HeldMessages,
    private readonly members: MembersService,
    private readonly messages: MessagesService,
    private readonly edits: EditsService,
  ) {}

  /** Oldest first. @throws ChatError `not_member`, `not_found`, `forbidden` */
  async list(caller: Caller, { roomId, cursor, limit }: ListMembers): Promise<HeldPage> {
    await this.members.mustBeOneWhoMay(caller.id, roomId, 'held:list');
    const found = await this.held.list(roomId, cursor === undefined ? FIRST_ID : userIdOf(cursor), limit + 1);
    return pageOf(found, limit, ({ id }) => id);
  }

  /**
   * What is approved is stored in the name of its sender, under its clientMsgId and so once, however many approve it.
   * @throws ChatError `not_member`, `not_found` also where it does not wait any more, `forbidden`, `conflict` where its sender may not
   * say it any more, and what may be tried again
   */
  async answer(caller: Caller, { roomId, heldId, approve }: AnswerHeld): Promise<HeldAnswered> {
    await this.members.mustBeOneWhoMay(caller.id, roomId, 'held:answer');
    if (!approve) {
      await this.held.decline(roomId, heldId, caller);
      return { message: null };
    }
    const row = await this.held.claim(roomId, heldId, caller);
    try {
      const message = await this.store(row);
      await this.held.settle(row.id, 'approved');
      return { message };
    } catch (error) {
      if (!(error instanceof ChatError) || errorCodes[error.code].retryable) throw error;
      await this.held.settle(row.id, null);
      throw new ChatError('conflict', `It cannot be stored any more (${error.code}); decline it`);
    }
  }

  private async store({ senderId: id, senderName: name, fingerprint, request }: HeldRow): Promise<Message> {
    const sender: Caller = { id, name, tokenExpiresAt: Infinity };
    const { message } =
      'clientMsgId' in request
        ? await this.messages.store(sender, request, fingerprint)
        : await this.edits.apply(sender, request);
    return message;
  }
}
