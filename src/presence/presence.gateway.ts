import type { Caller } from '../auth/caller.js';
import type { CountOnline, Done, OnlineCount, PresenceStates, SetPresence, WatchPresence } from '../protocol/index.js';
import { ChatGateway, On } from '../realtime/chat-gateway.js';
import { PresenceService } from './presence.service.js';

@ChatGateway()
export class PresenceGateway {
  constructor(private readonly presence: PresenceService) {}

  @On('presence:set')
  set(caller: Caller, request: SetPresence): Promise<Done> {
    return this.presence.set(caller, request);
  }

  @On('presence:watch')
  watch(caller: Caller, request: WatchPresence): Promise<PresenceStates> {
    return this.presence.watch(caller, request);
  }

  @On('presence:unwatch')
  unwatch(caller: Caller, request: WatchPresence): Promise<Done> {
    return this.presence.unwatch(caller, request);
  }

  @On('presence:count')
  count(caller: Caller, request: CountOnline): Promise<OnlineCount> {
    return this.presence.count(caller, request);
  }
}
