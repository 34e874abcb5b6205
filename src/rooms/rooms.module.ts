import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { UsersModule } from '../users/users.module.js';
import { DirectRoomsService } from './direct-rooms.service.js';
import { EntranceController } from './entrance.controller.js';
import { EntranceGateway } from './entrance.gateway.js';
import { InvitesService } from './invites.service.js';
import { JoinRequestsService } from './join-requests.service.js';
import { MemberEntity } from './member.entity.js';
import { MembersService } from './members.service.js';
import { ModerationController } from './moderation.controller.js';
import { ModerationGateway } from './moderation.gateway.js';
import { ModerationService } from './moderation.service.js';
import { RoomEntity } from './room.entity.js';
import { RoomLedger } from './room-ledger.js';
import { RoomsController } from './rooms.controller.js';
import { RoomsGateway } from './rooms.gateway.js';
import { RoomsService } from './rooms.service.js';
import { ShadowList } from './shadow-list.js';
import { ShadowsService } from './shadows.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([RoomEntity, MemberEntity]), UsersModule],
  controllers: [RoomsController, ModerationController, EntranceController],
  providers: [
    RoomsService,
    MembersService,
    DirectRoomsService,
    ModerationService,
    ShadowsService,
    ShadowList,
    InvitesService,
    JoinRequestsService,
    RoomLedger,
    RoomsGateway,
    ModerationGateway,
    EntranceGateway,
  ],
  exports: [MembersService, RoomsService, RoomLedger, ShadowList],
})
export class RoomsModule {}
