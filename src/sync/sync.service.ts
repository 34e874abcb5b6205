import { Injectable } from '@nestjs/common';
import { DataSource, In, IsNull } from 'typeorm';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import { MessageEntity, toMessage } from '../messages/message.entity.js';
import {
  limits,
  type Message,
  type RoomCatchUp,
  type RoomSnapshot,
  type RoomSynced,
  type RoomsSynced,
  type SyncRoom,
  type SyncRooms,
} from '../protocol/index.js';
import { ChangeLog, type ChangeRange } from '../realtime/change-log.js';
import { Epoch } from '../realtime/epoch.js';
import { RoomBroadcaster } from '../realtime/room-broadcaster.js';
import { MemberEntity, toMember } from '../rooms/member.entity.js';
import { MembersService } from '../rooms/members.service.js';
import { RoomEntity, toRoom } from '../rooms/room.entity.js';
import { SharedReads } from './shared-reads.js';

/**
 * Catching up. The caller's socket joins the rooms first, and what it then reads ends exactly where what it is sent begins:
 * together they are every change, once and in order.
 */
@Injectable()
export class SyncService {
  private readonly reads: SharedReads;

  constructor(
    log: ChangeLog,
    private readonly dataSource: DataSource,
    private readonly broadcaster: RoomBroadcaster,
    private readonly epoch: Epoch,
    private readonly members: MembersService,
  ) {
    this.reads = new SharedReads(log);
  }

  /** Everything missed in all of the caller's rooms, as far as one reply holds; rooms with `more` are asked for one by one. */
  async rooms(caller: Caller, { epoch, cursors }: SyncRooms): Promise<RoomsSynced> {
    const places = await this.broadcaster.enter(caller);
    const known = epoch === this.epoch.id ? new Map(Object.entries(cursors)) : new Map<string, number>();
    const unknown = [...places.keys()].filter((roomId) => !resumes(known.get(roomId), places.get(roomId)));
    const rooms: RoomSynced[] = await this.snapshots(caller, unknown, places);
    const resumed = [...places].flatMap(([roomId, upTo]) => {
      const after = known.get(roomId);
      return after !== undefined && resumes(after, upTo) ? [{ roomId, after, upTo }] : [];
    });
    rooms.push(...(await this.missed(resumed)));
    return { epoch: this.epoch.id, rooms, gone: Object.keys(cursors).filter((roomId) => !places.has(roomId)) };
  }

  /** @throws ChatError `not_member`, `not_found` */
  async room(caller: Caller, { roomId, epoch, after, limit }: SyncRoom): Promise<RoomSynced> {
    const places = await this.broadcaster.enter(caller, [roomId]);
    const place = places.get(roomId);
    if (place === undefined) {
      await this.members.mustBeMember(caller.id, roomId);
      throw new ChatError('not_member', 'You have just left this room');
    }
    const [synced] =
      after !== undefined && epoch === this.epoch.id && resumes(after, place)
        ? await this.missed([{ roomId, after, upTo: place }], limit)
        : await this.snapshots(caller, [roomId], places);
    if (synced === undefined) throw new ChatError('not_found', 'There is no such room');
    return synced;
  }

  /** The more rooms have news, the fewer of each: what does not fit is asked for room by room. */
  private async missed(ranges: ChangeRange[], limit: number = limits.syncPage): Promise<RoomCatchUp[]> {
    const behind = ranges.filter(({ after, upTo }) => after < upTo);
    const perRoom = Math.floor(limits.syncTotal / Math.max(1, behind.length));
    const slices = await this.reads.readMany(behind, Math.max(1, Math.min(limit, perRoom)));
    const news = new Map(behind.map(({ roomId }, i) => [roomId, slices[i]]));
    return ranges.map(({ roomId, after, upTo: place }) => {
      const { changes, upTo } = news.get(roomId) ?? { changes: [], upTo: after };
      return { reset: false, roomId, after, upTo, changes, more: upTo < place };
    });
  }

  /** The more rooms, the fewer messages each brings; every room brings its newest one. */
  private async snapshots(
    caller: Caller,
    roomIds: string[],
    places: ReadonlyMap<string, number>,
  ): Promise<RoomSnapshot[]> {
    if (roomIds.length === 0) return [];
    const perRoom = Math.max(1, Math.min(limits.snapshotMessages, Math.floor(limits.syncTotal / roomIds.length)));
    const { manager } = this.dataSource;
    const [rooms, memberships, newest] = await Promise.all([
      manager.findBy(RoomEntity, { id: In(roomIds) }),
      manager.findBy(MemberEntity, { userId: caller.id, roomId: In(roomIds), leftAt: IsNull() }),
      this.newest(roomIds, perRoom),
    ]);
    const mine = new Map(memberships.map((membership) => [membership.roomId, membership]));
    return rooms.flatMap((room): RoomSnapshot[] => {
      const membership = mine.get(room.id);
      if (membership === undefined) return [];
      const messages = newest.get(room.id) ?? [];
      return [
        {
          reset: true,
          roomId: room.id,
          upTo: places.get(room.id) ?? 0,
          room: toRoom(room),
          member: toMember(membership, caller),
          memberCount: room.memberCount,
          messages,
          hasBefore: (messages[0]?.seq ?? 1) > 1,
        },
      ];
    });
  }

  private async newest(roomIds: string[], perRoom: number): Promise<Map<string, Message[]>> {
    const rows: unknown = await this.dataSource.query(
      `select message.room_id as "roomId", message.seq, message.rev, message.sender_id as "senderId",
              message.client_msg_id as "clientMsgId", message.text, message.created_at as "createdAt",
              message.deleted_at as "deletedAt", sender.name as "senderName"
       from unnest($1::uuid[]) as wanted(room_id)
       cross join lateral (
         select * from messages where messages.room_id = wanted.room_id order by seq desc limit $2
       ) as message
       join users sender on sender.id = message.sender_id
       order by message.room_id, message.seq`,
      [roomIds, perRoom],
    );
    const byRoom = new Map<string, Message[]>();
    for (const row of rows as (MessageEntity & { senderName: string })[]) {
      const messages = byRoom.get(row.roomId) ?? [];
      messages.push(toMessage(row, { id: row.senderId, name: row.senderName }));
      byRoom.set(row.roomId, messages);
    }
    return byRoom;
  }
}

/** Whether a client at this rev can go on from there: one that is ahead of us saw a log that is no longer ours. */
function resumes(after: number | undefined, place: number | undefined): boolean {
  return after !== undefined && place !== undefined && after <= place;
}
