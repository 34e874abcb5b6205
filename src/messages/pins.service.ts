import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import { limits, type MessageResult, type Messages, type PinMessage, type RoomRef } from '../protocol/index.js';
import { seenBy } from '../realtime/veils.js';
import { MembersService } from '../rooms/members.service.js';
import { isGone, MessageChanges, mustBeAllowed, noSuchMessage } from './message-changes.js';
import { MessageEntity, withSender } from './message.entity.js';
import { PinEntity } from './pin.entity.js';

@Injectable()
export class PinsService {
  constructor(
    @InjectRepository(MessageEntity) private readonly messages: Repository<MessageEntity>,
    private readonly changes: MessageChanges,
    private readonly members: MembersService,
  ) {}

  /**
   * Pinning twice is pinning once.
   * @throws ChatError `not_member`, `not_found` also of a deleted message, `forbidden`, `room_archived`, `conflict` past `limits.pins`
   */
  pin(caller: Caller, { on, ...ref }: PinMessage): Promise<MessageResult> {
    return this.changes.byMember(caller, ref, async (message, locked, member) => {
      if (isGone(message, caller.id)) throw noSuchMessage();
      mustBeAllowed(member, 'message:pin', locked);
      const { manager, now } = locked;
      if (on === (message.pinnedAt !== null)) return undefined;
      if (!on) {
        await manager.delete(PinEntity, ref);
        return { pinnedAt: null, pinnedBy: null };
      }
      if ((await manager.countBy(PinEntity, { roomId: ref.roomId })) >= limits.pins)
        throw new ChatError('conflict', `The room has ${limits.pins} pinned messages already`);
      await manager.insert(PinEntity, ref);
      return { pinnedAt: now, pinnedBy: caller.id };
    });
  }

  /** What was pinned last comes first. @throws ChatError `not_member`, `not_found` */
  async list(caller: Caller, { roomId }: RoomRef): Promise<Messages> {
    const { visibleAfter } = await this.members.mustBeMember(caller.id, roomId);
    const rows = await this.messages
      .createQueryBuilder('message')
      .innerJoin(PinEntity, 'pin', 'pin.roomId = message.roomId and pin.seq = message.seq')
      .innerJoinAndSelect('message.sender', 'sender')
      .where('pin.roomId = :roomId and pin.seq > :visibleAfter', { roomId, visibleAfter })
      .orderBy('message.pinnedAt', 'DESC')
      .addOrderBy('message.seq', 'DESC')
      .getMany();
    return {
      messages: rows
        .filter((row) => row.shadowedAt === null || row.senderId === caller.id)
        .map((row) => seenBy(withSender(row), caller.id)),
    };
  }
}
