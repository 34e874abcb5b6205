import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import type { MessageResult, MyReactions, MyReactionsSpan, ReactToMessage } from '../protocol/index.js';
import { MembersService } from '../rooms/members.service.js';
import { RoomLedger } from '../rooms/room-ledger.js';
import { ReactionEntity } from './reaction.entity.js';
import { applyReactions, type Reacting } from './reaction-batch.js';

/** Reactions that share a transaction, at most. */
const BATCH = 200;
/** Reactions that may wait on this instance; one more is answered `overloaded`. */
const WAITING = 10_000;
/** From the beginning of one transaction for a room to that of the next, at least, in ms. */
const PAUSE = 100;

interface Waiting extends Reacting {
  readonly resolve: (result: MessageResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reactions come in storms, to one message, and each change of it tells every member the whole message. So those that come while
 * others are being stored, or shortly after, are stored together: one change of each message, however many reacted.
 */
@Injectable()
export class ReactionsService {
  private readonly byRoom = new Map<string, Waiting[]>();
  private waiting = 0;

  constructor(
    @InjectRepository(ReactionEntity) private readonly reactions: Repository<ReactionEntity>,
    private readonly ledger: RoomLedger,
    private readonly members: MembersService,
  ) {}

  /**
   * What is on already stays on, what is off stays off.
   * @throws ChatError `not_member`, `not_found` also of a deleted message, `forbidden`, `muted`, `room_archived`, `conflict` past `limits.emojisPerMessage`,
   * `overloaded`
   */
  react(caller: Caller, request: ReactToMessage): Promise<MessageResult> {
    if (this.waiting >= WAITING)
      throw new ChatError('overloaded', 'Too many reactions wait to be stored', { retryAfterMs: 1_000 });
    return new Promise((resolve, reject) => {
      const waiting = { caller, request, resolve, reject };
      this.waiting += 1;
      const queue = this.byRoom.get(request.roomId);
      if (queue !== undefined) {
        queue.push(waiting);
        return;
      }
      this.byRoom.set(request.roomId, [waiting]);
      void this.store(request.roomId);
    });
  }

  /** With what the caller reacted to the messages from one seq to another. @throws ChatError `not_member`, `not_found` */
  async mine(caller: Caller, { roomId, from, to }: MyReactionsSpan): Promise<MyReactions> {
    const { visibleAfter } = await this.members.mustBeMember(caller.id, roomId);
    const rows: unknown = await this.reactions.query(
      `select seq, array_agg(emoji order by rev, emoji) as emojis from reactions
       where room_id = $1 and user_id = $2 and seq between $3 and $4 group by seq order by seq`,
      [roomId, caller.id, Math.max(from, visibleAfter + 1), to],
    );
    return { items: rows as MyReactions['items'] };
  }

  private async store(roomId: string): Promise<void> {
    for (let queue = this.byRoom.get(roomId) ?? []; queue.length > 0; queue = this.byRoom.get(roomId) ?? []) {
      const pause = new Promise((resolve) => setTimeout(resolve, PAUSE).unref());
      const batch = queue.splice(0, BATCH);
      await this.storeBatch(roomId, batch);
      this.waiting -= batch.length;
      await pause;
    }
    this.byRoom.delete(roomId);
  }

  private async storeBatch(roomId: string, batch: Waiting[]): Promise<void> {
    try {
      const results = await this.ledger.change(roomId, (locked) => applyReactions(locked, this.members, batch));
      batch.forEach(({ resolve, reject }, i) => {
        const result = results[i];
        if (result === undefined || result instanceof ChatError) reject(result);
        else resolve(result);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
