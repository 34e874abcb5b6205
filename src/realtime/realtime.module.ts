import { Global, Module } from '@nestjs/common';
import { ConnectionGuard } from './connection-guard.js';
import { Drain } from './drain.js';
import { Epoch } from './epoch.js';
import { Flooders } from './flooders.js';
import { Handshake } from './handshake.js';
import { Isolation } from './isolation.js';
import { RedisBus } from './redis-bus.js';
import { RoomBroadcaster } from './room-broadcaster.js';
import { SessionGateway } from './session.gateway.js';

@Global()
@Module({
  providers: [ConnectionGuard, Drain, Epoch, Flooders, Handshake, Isolation, RedisBus, RoomBroadcaster, SessionGateway],
  exports: [Drain, Epoch, RedisBus, RoomBroadcaster],
})
export class RealtimeModule {}
