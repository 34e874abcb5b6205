import { Global, Module } from '@nestjs/common';
import { MessagesModule } from '../messages/messages.module.js';
import { ReadsModule } from '../reads/reads.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { ChangeLog } from '../realtime/change-log.js';
import { PostgresChangeLog } from './postgres-change-log.js';
import { SyncController } from './sync.controller.js';
import { SyncGateway } from './sync.gateway.js';
import { SyncService } from './sync.service.js';

/** Global for the change log alone: delivery asks for it without knowing what a message is. */
@Global()
@Module({
  imports: [RoomsModule, MessagesModule, ReadsModule],
  controllers: [SyncController],
  providers: [SyncService, SyncGateway, { provide: ChangeLog, useClass: PostgresChangeLog }],
  exports: [ChangeLog],
})
export class SyncModule {}
