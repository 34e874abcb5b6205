import { Body, Controller, Get, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Caller } from '../auth/caller.js';
import { Reads, RestCaller, SignedInGuard } from '../auth/signed-in.guard.js';
import { Id, RoomsSynced, RoomSynced, SyncRoom, SyncRooms } from '../protocol/index.js';
import { Answers } from '../rest/answers.js';
import { queryOf } from '../rest/query.js';
import { SyncService } from './sync.service.js';

const ChangesQuery = queryOf(SyncRoom.omit({ roomId: true }));

@ApiTags('sync')
@ApiBearerAuth()
@UseGuards(SignedInGuard)
@Controller('v1')
export class SyncController {
  constructor(private readonly sync: SyncService) {}

  @Post('sync')
  @Reads()
  @Answers(200, RoomsSynced)
  rooms(@RestCaller() caller: Caller, @Body({ schema: SyncRooms }) request: SyncRooms): Promise<RoomsSynced> {
    return this.sync.rooms(caller, request);
  }

  @Get('rooms/:roomId/changes')
  @Answers(200, RoomSynced)
  room(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Query({ schema: ChangesQuery }) request: z.output<typeof ChangesQuery>,
  ): Promise<RoomSynced> {
    return this.sync.room(caller, { roomId, ...request });
  }
}
