import type { Caller } from '../auth/caller.js';
import type {
  BanMember,
  BanPage,
  BanResult,
  ListMembers,
  MemberRef,
  MemberResult,
  ShadowMember,
  ShadowPage,
  ShadowResult,
  UpdateMember,
} from '../protocol/index.js';
import { ChatGateway, On } from '../realtime/chat-gateway.js';
import { ModerationService } from './moderation.service.js';
import { ShadowsService } from './shadows.service.js';

@ChatGateway()
export class ModerationGateway {
  constructor(
    private readonly moderation: ModerationService,
    private readonly shadows: ShadowsService,
  ) {}

  @On('member:update')
  update(caller: Caller, request: UpdateMember): Promise<MemberResult> {
    return this.moderation.update(caller, request);
  }

  @On('member:remove')
  remove(caller: Caller, request: MemberRef): Promise<MemberResult> {
    return this.moderation.remove(caller, request);
  }

  @On('member:ban')
  ban(caller: Caller, request: BanMember): Promise<BanResult> {
    return this.moderation.ban(caller, request);
  }

  @On('bans:list')
  bans(caller: Caller, request: ListMembers): Promise<BanPage> {
    return this.moderation.bans(caller, request);
  }

  @On('member:shadow')
  shadow(caller: Caller, request: ShadowMember): Promise<ShadowResult> {
    return this.shadows.set(caller, request);
  }

  @On('shadows:list')
  shadowed(caller: Caller, request: ListMembers): Promise<ShadowPage> {
    return this.shadows.page(caller, request);
  }
}
