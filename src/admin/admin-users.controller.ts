import { Body, Controller, Delete, Get, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiSecurity, ApiTags } from '@nestjs/swagger';
import { Id } from '../protocol/index.js';
import { Answers } from '../rest/answers.js';
import { TheActor, type Actor } from './actor.js';
import { AdminGuard } from './admin.guard.js';
import { AdminUser, AdminUserPage, AdminUsersQuery, BanUser, PurgedUser, PurgeUser } from './admin-users.schemas.js';
import { AdminUsersService } from './admin-users.service.js';

@ApiTags('admin')
@ApiSecurity('admin')
@UseGuards(AdminGuard)
@Controller('admin/v1/users')
export class AdminUsersController {
  constructor(private readonly users: AdminUsersService) {}

  @Get()
  @Answers(200, AdminUserPage)
  list(@Query({ schema: AdminUsersQuery }) query: AdminUsersQuery): Promise<AdminUserPage> {
    return this.users.list(query);
  }

  @Get(':userId')
  @Answers(200, AdminUser)
  get(@Param('userId', { schema: Id }) userId: string): Promise<AdminUser> {
    return this.users.get(userId);
  }

  @Post(':userId/disconnect')
  @Answers(200, AdminUser)
  disconnect(@TheActor() actor: Actor, @Param('userId', { schema: Id }) userId: string): Promise<AdminUser> {
    return this.users.endSessions(actor, userId);
  }

  @Post(':userId/ban')
  @Answers(200, AdminUser)
  ban(
    @TheActor() actor: Actor,
    @Param('userId', { schema: Id }) userId: string,
    @Body({ schema: BanUser }) request: BanUser,
  ): Promise<AdminUser> {
    return this.users.ban(actor, userId, request);
  }

  @Delete(':userId/ban')
  @Answers(200, AdminUser)
  unban(@TheActor() actor: Actor, @Param('userId', { schema: Id }) userId: string): Promise<AdminUser> {
    return this.users.unban(actor, userId);
  }

  @Post(':userId/purge')
  @Answers(200, PurgedUser)
  purge(
    @TheActor() actor: Actor,
    @Param('userId', { schema: Id }) userId: string,
    @Body({ schema: PurgeUser }) request: PurgeUser,
  ): Promise<PurgedUser> {
    return this.users.purge(actor, userId, request);
  }
}
