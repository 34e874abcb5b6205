import { Injectable, Logger } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { RoomChanges } from '../protocol/index.js';
import { RoomBroadcaster } from '../realtime/room-broadcaster.js';
import { MessageEntity, withSender } from './message.entity.js';

/**
 * Tells that threads have grown. `send_messages` gave their roots the revs after those of a batch; what a root says besides is read
 * after the commit, so that nobody's send waits for it. Where that fails, instances find the revs in Postgres like all that they miss.
 */
@Injectable()
export class ThreadRoots {
  private readonly logger = new Logger(ThreadRoots.name);

  constructor(
    @InjectRepository(MessageEntity) private readonly messages: Repository<MessageEntity>,
    private readonly broadcaster: RoomBroadcaster,
  ) {}

  /** Precondition: the frames of one batch, committed. */
  tellOf(frames: readonly RoomChanges[]): void {
    for (const { roomId, upTo, changes } of frames) {
      const roots = new Set<number>();
      for (const change of changes)
        if (
          change.kind === 'message' &&
          change.message.shadowedAt === undefined &&
          change.message.threadRoot !== undefined
        )
          roots.add(change.message.threadRoot);
      if (roots.size > 0) void this.tell(roomId, upTo, [...roots]);
    }
  }

  private async tell(roomId: string, after: number, roots: number[]): Promise<void> {
    try {
      const upTo = after + roots.length;
      const rows = await this.messages
        .createQueryBuilder('message')
        .innerJoinAndSelect('message.sender', 'sender')
        .where('message.roomId = :roomId and message.seq in (:...roots)', { roomId, roots })
        .orderBy('message.rev')
        .getMany();
      // One that changed again since comes with that later change.
      const changes = rows
        .filter(({ rev }) => rev <= upTo)
        .map((row) => ({ rev: row.rev, kind: 'message' as const, message: withSender(row) }));
      this.broadcaster.publish([{ roomId, after, upTo, changes }]);
    } catch (error) {
      this.logger.warn(`Reading threads of room ${roomId} failed: ${String(error)}`);
    }
  }
}
