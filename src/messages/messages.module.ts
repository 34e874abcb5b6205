import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RoomsModule } from '../rooms/rooms.module.js';
import { ScreeningModule } from '../screening/screening.module.js';
import { EditsService } from './edits.service.js';
import { HeldMessages } from './held-messages.js';
import { HeldController } from './held.controller.js';
import { HeldGateway } from './held.gateway.js';
import { HeldService } from './held.service.js';
import { MessageChanges } from './message-changes.js';
import { MessageVersionEntity } from './message-version.entity.js';
import { MessageEntity } from './message.entity.js';
import { MessageWriter } from './message-writer.js';
import { MessagesController } from './messages.controller.js';
import { MessagesGateway } from './messages.gateway.js';
import { MentionEntity } from './mention.entity.js';
import { ThreadReplyEntity } from './thread-reply.entity.js';
import { ThreadRoots } from './thread-roots.js';
import { ScreenedWriter } from './screened-writer.js';
import { PinEntity } from './pin.entity.js';
import { PinsService } from './pins.service.js';
import { ReactionEntity } from './reaction.entity.js';
import { ReactionsService } from './reactions.service.js';
import { MessagesService } from './messages.service.js';
import { SystemMessagesService } from './system-messages.service.js';
import { ReportSignals } from './report-signals.js';
import { ReportsController } from './reports.controller.js';
import { ReportsGateway } from './reports.gateway.js';
import { ReportsService } from './reports.service.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([
      MessageEntity,
      MessageVersionEntity,
      ReactionEntity,
      PinEntity,
      ThreadReplyEntity,
      MentionEntity,
    ]),
    RoomsModule,
    ScreeningModule,
  ],
  controllers: [MessagesController, ReportsController, HeldController],
  providers: [
    ThreadRoots,
    MessagesService,
    EditsService,
    ReactionsService,
    PinsService,
    MessageChanges,
    MessageWriter,
    ScreenedWriter,
    HeldMessages,
    HeldService,
    HeldGateway,
    MessagesGateway,
    SystemMessagesService,
    ReportsService,
    ReportsGateway,
    ReportSignals,
  ],
  exports: [MessagesService, MessageWriter, ReportsService, SystemMessagesService],
})
export class MessagesModule {}
