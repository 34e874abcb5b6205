import { Global, Module } from '@nestjs/common';
import { Epoch } from './epoch.js';
import { Handshake } from './handshake.js';
import { RedisBus } from './redis-bus.js';
import { RoomBroadcaster } from './room-broadcaster.js';
import { SessionGateway } from './session.gateway.js';

@Global()
@Module({
  providers: [Epoch, Handshake, RedisBus, RoomBroadcaster, SessionGateway],
  exports: [Epoch, RedisBus, RoomBroadcaster],
})
export class RealtimeModule {}
