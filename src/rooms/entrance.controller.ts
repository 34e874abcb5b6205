import { Body, Controller, Delete, Get, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Caller } from '../auth/caller.js';
import { RestCaller, SignedInGuard } from '../auth/signed-in.guard.js';
import {
  AcceptInvite,
  AnswerRequest,
  CreateInvite,
  Id,
  InviteMade,
  InvitePage,
  InviteResult,
  ListMembers,
  RequestAnswered,
  RequestPage,
  RequestResult,
  RequestToJoin,
  RoomAndMember,
} from '../protocol/index.js';
import { Answers } from '../rest/answers.js';
import { queryOf } from '../rest/query.js';
import { InvitesService } from './invites.service.js';
import { JoinRequestsService } from './join-requests.service.js';

const PageQuery = queryOf(ListMembers.omit({ roomId: true }));
const InviteBody = CreateInvite.omit({ roomId: true });
const RequestBody = RequestToJoin.omit({ roomId: true });
const AnswerBody = AnswerRequest.omit({ roomId: true, userId: true });

@ApiTags('invites and requests')
@ApiBearerAuth()
@UseGuards(SignedInGuard)
@Controller('v1')
export class EntranceController {
  constructor(
    private readonly invites: InvitesService,
    private readonly requests: JoinRequestsService,
  ) {}

  @Post('rooms/:roomId/invites')
  @Answers(201, InviteMade)
  createInvite(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Body({ schema: InviteBody }) body: z.output<typeof InviteBody>,
  ): Promise<InviteMade> {
    return this.invites.create(caller, { roomId, ...body });
  }

  @Get('rooms/:roomId/invites')
  @Answers(200, InvitePage)
  listInvites(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Query({ schema: PageQuery }) query: z.output<typeof PageQuery>,
  ): Promise<InvitePage> {
    return this.invites.list(caller, { roomId, ...query });
  }

  @Delete('rooms/:roomId/invites/:inviteId')
  @Answers(200, InviteResult)
  revokeInvite(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Param('inviteId', { schema: Id }) inviteId: string,
  ): Promise<InviteResult> {
    return this.invites.revoke(caller, { roomId, inviteId });
  }

  @Post('invites/accept')
  @Answers(200, RoomAndMember)
  acceptInvite(
    @RestCaller() caller: Caller,
    @Body({ schema: AcceptInvite }) request: AcceptInvite,
  ): Promise<RoomAndMember> {
    return this.invites.accept(caller, request);
  }

  @Post('rooms/:roomId/request')
  @Answers(200, RequestResult)
  request(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Body({ schema: RequestBody }) body: z.output<typeof RequestBody>,
  ): Promise<RequestResult> {
    return this.requests.request(caller, { roomId, ...body });
  }

  @Get('rooms/:roomId/requests')
  @Answers(200, RequestPage)
  listRequests(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Query({ schema: PageQuery }) query: z.output<typeof PageQuery>,
  ): Promise<RequestPage> {
    return this.requests.list(caller, { roomId, ...query });
  }

  @Post('rooms/:roomId/requests/:userId')
  @Answers(200, RequestAnswered)
  answer(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Param('userId', { schema: Id }) userId: string,
    @Body({ schema: AnswerBody }) { approve }: z.output<typeof AnswerBody>,
  ): Promise<RequestAnswered> {
    return this.requests.answer(caller, { roomId, userId, approve });
  }
}
