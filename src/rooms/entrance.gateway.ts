import type { Caller } from '../auth/caller.js';
import type {
  AcceptInvite,
  AnswerRequest,
  CreateInvite,
  InviteMade,
  InvitePage,
  InviteRef,
  InviteResult,
  ListMembers,
  RequestAnswered,
  RequestPage,
  RequestResult,
  RequestToJoin,
  RoomAndMember,
} from '../protocol/index.js';
import { ChatGateway, On } from '../realtime/chat-gateway.js';
import { InvitesService } from './invites.service.js';
import { JoinRequestsService } from './join-requests.service.js';

@ChatGateway()
export class EntranceGateway {
  constructor(
    private readonly invites: InvitesService,
    private readonly requests: JoinRequestsService,
  ) {}

  @On('invite:create')
  createInvite(caller: Caller, request: CreateInvite): Promise<InviteMade> {
    return this.invites.create(caller, request);
  }

  @On('invite:revoke')
  revokeInvite(caller: Caller, request: InviteRef): Promise<InviteResult> {
    return this.invites.revoke(caller, request);
  }

  @On('invite:accept')
  acceptInvite(caller: Caller, request: AcceptInvite): Promise<RoomAndMember> {
    return this.invites.accept(caller, request);
  }

  @On('invites:list')
  listInvites(caller: Caller, request: ListMembers): Promise<InvitePage> {
    return this.invites.list(caller, request);
  }

  @On('room:request')
  request(caller: Caller, request: RequestToJoin): Promise<RequestResult> {
    return this.requests.request(caller, request);
  }

  @On('request:answer')
  answer(caller: Caller, request: AnswerRequest): Promise<RequestAnswered> {
    return this.requests.answer(caller, request);
  }

  @On('requests:list')
  listRequests(caller: Caller, request: ListMembers): Promise<RequestPage> {
    return this.requests.list(caller, request);
  }
}
