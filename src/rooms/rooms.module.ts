import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { UsersModule } from '../users/users.module.js';
import { MemberEntity } from './member.entity.js';
import { MembersService } from './members.service.js';
import { RoomEntity } from './room.entity.js';
import { RoomLedger } from './room-ledger.js';
import { RoomsController } from './rooms.controller.js';
import { RoomsGateway } from './rooms.gateway.js';
import { RoomsService } from './rooms.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([RoomEntity, MemberEntity]), UsersModule],
  controllers: [RoomsController],
  providers: [RoomsService, MembersService, RoomLedger, RoomsGateway],
  exports: [MembersService, RoomsService, RoomLedger],
})
export class RoomsModule {}
