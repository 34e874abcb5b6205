import { Body, Controller, Delete, Get, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiSecurity, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { FilterPage, FilterResult, FilterRule, Id, ListMembers } from '../protocol/index.js';
import { Answers } from '../rest/answers.js';
import { queryOf } from '../rest/query.js';
import { FiltersService } from '../screening/filters.service.js';
import { TheActor, type Actor } from './actor.js';
import { AdminGuard } from './admin.guard.js';

const PageQuery = queryOf(ListMembers.omit({ roomId: true }));

@ApiTags('admin')
@ApiSecurity('admin')
@UseGuards(AdminGuard)
@Controller('admin/v1/filters')
export class AdminFiltersController {
  constructor(private readonly filters: FiltersService) {}

  @Get()
  @Answers(200, FilterPage)
  list(@Query({ schema: PageQuery }) query: z.output<typeof PageQuery>): Promise<FilterPage> {
    return this.filters.listEverywhere(query);
  }

  @Post()
  @Answers(200, FilterResult)
  add(@TheActor() actor: Actor, @Body({ schema: FilterRule }) rule: FilterRule): Promise<FilterResult> {
    return this.filters.addEverywhere(actor, rule);
  }

  @Delete(':filterId')
  @Answers(200, FilterResult)
  remove(@TheActor() actor: Actor, @Param('filterId', { schema: Id }) filterId: string): Promise<FilterResult> {
    return this.filters.removeEverywhere(actor, filterId);
  }
}
