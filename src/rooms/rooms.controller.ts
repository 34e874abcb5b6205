import { Body, Controller, Get, Param, Patch, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { Caller } from '../auth/caller.js';
import { RestCaller, SignedInGuard } from '../auth/signed-in.guard.js';
import {
  AddMember,
  ArchiveRoom,
  CreateRoom,
  DirectRoom,
  DiscoverRooms,
  Id,
  ListMembers,
  MemberPage,
  MemberResult,
  RoomAndMember,
  RoomPage,
  RoomResult,
  RoomSettings,
  RoomSummary,
} from '../protocol/index.js';
import { Answers } from '../rest/answers.js';
import { queryOf } from '../rest/query.js';
import { DirectRoomsService } from './direct-rooms.service.js';
import { MembersService } from './members.service.js';
import { RoomsService } from './rooms.service.js';

const MyRooms = z.object({ items: z.array(RoomSummary) });
const DiscoverQuery = queryOf(DiscoverRooms);
const MembersQuery = queryOf(ListMembers.omit({ roomId: true }));
const ArchiveBody = ArchiveRoom.omit({ roomId: true });
const AddBody = AddMember.omit({ roomId: true });

@ApiTags('rooms')
@ApiBearerAuth()
@UseGuards(SignedInGuard)
@Controller('v1/rooms')
export class RoomsController {
  constructor(
    private readonly rooms: RoomsService,
    private readonly members: MembersService,
    private readonly directRooms: DirectRoomsService,
  ) {}

  @Get()
  @Answers(200, MyRooms)
  async mine(@RestCaller() caller: Caller): Promise<z.output<typeof MyRooms>> {
    return { items: await this.rooms.mine(caller) };
  }

  @Post()
  @Answers(201, RoomAndMember)
  create(@RestCaller() caller: Caller, @Body({ schema: CreateRoom }) request: CreateRoom): Promise<RoomAndMember> {
    return this.rooms.create(caller, request);
  }

  @Post('direct')
  @Answers(200, RoomAndMember)
  direct(@RestCaller() caller: Caller, @Body({ schema: DirectRoom }) request: DirectRoom): Promise<RoomAndMember> {
    return this.directRooms.open(caller, request);
  }

  @Get('discover')
  @Answers(200, RoomPage)
  discover(@RestCaller() caller: Caller, @Query({ schema: DiscoverQuery }) query: DiscoverRooms): Promise<RoomPage> {
    return this.rooms.discover(caller, query);
  }

  @Get(':roomId')
  @Answers(200, RoomSummary)
  get(@RestCaller() caller: Caller, @Param('roomId', { schema: Id }) roomId: string): Promise<RoomSummary> {
    return this.rooms.get(caller, roomId);
  }

  @Patch(':roomId')
  @Answers(200, RoomResult)
  update(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Body({ schema: RoomSettings }) settings: RoomSettings,
  ): Promise<RoomResult> {
    return this.rooms.update(caller, { roomId, ...settings });
  }

  @Post(':roomId/archive')
  @Answers(200, RoomResult)
  archive(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Body({ schema: ArchiveBody }) { on }: z.output<typeof ArchiveBody>,
  ): Promise<RoomResult> {
    return this.rooms.archive(caller, { roomId, on });
  }

  @Post(':roomId/join')
  @Answers(200, RoomAndMember)
  join(@RestCaller() caller: Caller, @Param('roomId', { schema: Id }) roomId: string): Promise<RoomAndMember> {
    return this.members.join(caller, { roomId });
  }

  @Post(':roomId/leave')
  @Answers(200, RoomAndMember)
  leave(@RestCaller() caller: Caller, @Param('roomId', { schema: Id }) roomId: string): Promise<RoomAndMember> {
    return this.members.leave(caller, { roomId });
  }

  @Get(':roomId/members')
  @Answers(200, MemberPage)
  listMembers(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Query({ schema: MembersQuery }) query: z.output<typeof MembersQuery>,
  ): Promise<MemberPage> {
    return this.members.list(caller, { roomId, ...query });
  }

  @Post(':roomId/members')
  @Answers(200, MemberResult)
  addMember(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Body({ schema: AddBody }) { userId }: z.output<typeof AddBody>,
  ): Promise<MemberResult> {
    return this.members.add(caller, { roomId, userId });
  }
}
