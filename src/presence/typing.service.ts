import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import type { Done, SetTyping } from '../protocol/index.js';
import { Limits } from '../limits/limits.js';
import { RoomSignals } from '../realtime/room-signals.js';
import { MembersService } from '../rooms/members.service.js';
import { ShadowList } from '../rooms/shadow-list.js';

@Injectable()
export class TypingService {
  constructor(
    private readonly members: MembersService,
    private readonly signals: RoomSignals,
    private readonly shadows: ShadowList,
    private readonly limits: Limits,
  ) {}

  /** Lasts eight seconds unless it is said again. @throws ChatError `not_member`, `not_found`, `rate_limited` */
  async set(caller: Caller, { roomId, on }: SetTyping): Promise<Done> {
    this.limits.takeOf('typing', caller);
    // A socket is in the room until its user's leaving is delivered there; nothing is granted by it that could be kept.
    if (!this.signals.isIn(caller, roomId)) await this.members.mustBeMember(caller.id, roomId);
    if (!this.shadows.has(roomId, caller.id)) this.signals.typing(roomId, { id: caller.id, name: caller.name }, on);
    return {};
  }
}
