import { Body, Controller, Delete, Get, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Caller } from '../auth/caller.js';
import { RestCaller, SignedInGuard } from '../auth/signed-in.guard.js';
import { FilterPage, FilterResult, FilterRule, Id, ListMembers } from '../protocol/index.js';
import { Answers } from '../rest/answers.js';
import { queryOf } from '../rest/query.js';
import { FiltersService } from './filters.service.js';

const PageQuery = queryOf(ListMembers.omit({ roomId: true }));

@ApiTags('moderation')
@ApiBearerAuth()
@UseGuards(SignedInGuard)
@Controller('v1/rooms/:roomId/filters')
export class FiltersController {
  constructor(private readonly filters: FiltersService) {}

  @Get()
  @Answers(200, FilterPage)
  list(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Query({ schema: PageQuery }) query: z.output<typeof PageQuery>,
  ): Promise<FilterPage> {
    return this.filters.list(caller, { roomId, ...query });
  }

  @Post()
  @Answers(200, FilterResult)
  add(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Body({ schema: FilterRule }) rule: FilterRule,
  ): Promise<FilterResult> {
    return this.filters.add(caller, { roomId, ...rule });
  }

  @Delete(':filterId')
  @Answers(200, FilterResult)
  remove(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Param('filterId', { schema: Id }) filterId: string,
  ): Promise<FilterResult> {
    return this.filters.remove(caller, { roomId, filterId });
  }
}
