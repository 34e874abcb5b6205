import type { Caller } from '../auth/caller.js';
import type { AddFilter, FilterPage, FilterRef, FilterResult, ListMembers } from '../protocol/index.js';
import { ChatGateway, On } from '../realtime/chat-gateway.js';
import { FiltersService } from './filters.service.js';

@ChatGateway()
export class FiltersGateway {
  constructor(private readonly filters: FiltersService) {}

  @On('filter:add')
  add(caller: Caller, request: AddFilter): Promise<FilterResult> {
    return this.filters.add(caller, request);
  }

  @On('filter:remove')
  remove(caller: Caller, request: FilterRef): Promise<FilterResult> {
    return this.filters.remove(caller, request);
  }

  @On('filters:list')
  list(caller: Caller, request: ListMembers): Promise<FilterPage> {
    return this.filters.list(caller, request);
  }
}
