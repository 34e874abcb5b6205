import { Module } from '@nestjs/common';
import { RoomsModule } from '../rooms/rooms.module.js';
import { PresenceGateway } from './presence.gateway.js';
import { PresenceService } from './presence.service.js';
import { TypingController } from './typing.controller.js';
import { TypingGateway } from './typing.gateway.js';
import { TypingService } from './typing.service.js';

@Module({
  imports: [RoomsModule],
  controllers: [TypingController],
  providers: [TypingService, TypingGateway, PresenceService, PresenceGateway],
})
export class PresenceModule {}
