import { Global, Module } from '@nestjs/common';
import { ConnectionGuard } from './connection-guard.js';
import { Doorway } from './doorway.js';
import { Drain } from './drain.js';
import { Epoch } from './epoch.js';
import { FrameWriter } from './frame-writer.js';
import { Flooders } from './flooders.js';
import { Handshake } from './handshake.js';
import { Hints } from './hints.js';
import { Isolation } from './isolation.js';
import { OnlineCounts } from './online-counts.js';
import { LimitShares } from './limit-shares.js';
import { PresenceBoard } from './presence-board.js';
import { RedisBus } from './redis-bus.js';
import { RequestDispatcher } from './request-dispatcher.js';
import { RoomBroadcaster } from './room-broadcaster.js';
import { RoomSignals } from './room-signals.js';
import { SessionGateway } from './session.gateway.js';
import { Sessions } from './sessions.js';

@Global()
@Module({
  providers: [
    ConnectionGuard,
    Doorway,
    Drain,
    Epoch,
    Flooders,
    FrameWriter,
    Handshake,
    Hints,
    Isolation,
    OnlineCounts,
    LimitShares,
    PresenceBoard,
    RedisBus,
    RequestDispatcher,
    RoomBroadcaster,
    RoomSignals,
    SessionGateway,
    Sessions,
  ],
  exports: [Drain, Epoch, Hints, OnlineCounts, PresenceBoard, RedisBus, RoomBroadcaster, RoomSignals],
})
export class RealtimeModule {}
