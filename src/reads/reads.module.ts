import { Module } from '@nestjs/common';
import { RoomsModule } from '../rooms/rooms.module.js';
import { ReadStates } from './read-states.js';
import { ReadsController } from './reads.controller.js';
import { ReadsGateway } from './reads.gateway.js';
import { ReadsService } from './reads.service.js';

@Module({
  imports: [RoomsModule],
  controllers: [ReadsController],
  providers: [ReadsService, ReadsGateway, ReadStates],
  exports: [ReadStates],
})
export class ReadsModule {}
