import { Global, Module } from '@nestjs/common';
import { ConnectionGuard } from './connection-guard.js';
import { Drain } from './drain.js';
import { Epoch } from './epoch.js';
import { FrameWriter } from './frame-writer.js';
import { Flooders } from './flooders.js';
import { Handshake } from './handshake.js';
import { Isolation } from './isolation.js';
import { RedisBus } from './redis-bus.js';
import { RequestDispatcher } from './request-dispatcher.js';
import { RoomBroadcaster } from './room-broadcaster.js';
import { SessionGateway } from './session.gateway.js';

@Global()
@Module({
  providers: [
    ConnectionGuard,
    Drain,
    Epoch,
    Flooders,
    FrameWriter,
    Handshake,
    Isolation,
    RedisBus,
    RequestDispatcher,
    RoomBroadcaster,
    SessionGateway,
  ],
  exports: [Drain, Epoch, RedisBus, RoomBroadcaster],
})
export class RealtimeModule {}
