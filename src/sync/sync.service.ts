import { Injectable } from '@nestjs/common';
import { DataSource, In, IsNull } from 'typeorm';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import { MESSAGE_COLUMNS, toMessage, type StoredMessage } from '../messages/message.entity.js';
import {
  limits,
  type Message,
  type ReadState,
  type RoomCatchUp,
  type RoomSnapshot,
  type RoomSynced,
  type RoomsSynced,
  type SyncRoom,
  type SyncRooms,
} from '../protocol/index.js';
import { ChangeLog } from '../realtime/change-log.js';
import { Epoch } from '../realtime/epoch.js';
import { RoomBroadcaster, type Entry } from '../realtime/room-broadcaster.js';
import { seenBy, shaded, visible } from '../realtime/veils.js';
import { MemberEntity, toMember } from '../rooms/member.entity.js';
import { MembersService } from '../rooms/members.service.js';
import { ReadStates } from '../reads/read-states.js';
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
    private readonly readStates: ReadStates,
  ) {
    this.reads = new SharedReads(log);
  }

  /** Everything missed in all of the caller's rooms, as far as one reply holds; rooms with `more` are asked for one by one. */
  async rooms(caller: Caller, { epoch, cursors }: SyncRooms): Promise<RoomsSynced> {
    const entries = await this.broadcaster.enter(caller);
    const known = epoch === this.epoch.id ? new Map(Object.entries(cursors)) : new Map<string, number>();
    const unknown = [...entries].flatMap(([roomId, entry]) => (resumes(known.get(roomId), entry) ? [] : [roomId]));
    const resumed = [...entries].flatMap(([roomId, entry]) => {
      const after = known.get(roomId);
      return after !== undefined && resumes(after, entry) ? [{ roomId, after, entry }] : [];
    });
    const [snapshots, missed, read] = await Promise.all([
      this.snapshots(caller, unknown, entries),
      this.missed(caller, resumed),
      this.readStates.of(caller.id, [...entries.keys()]),
    ]);
    return {
      epoch: this.epoch.id,
      rooms: withRead([...snapshots, ...missed], read),
      gone: Object.keys(cursors).filter((roomId) => !entries.has(roomId)),
    };
  }

  /** @throws ChatError `not_member`, `not_found` */
  async room(caller: Caller, { roomId, epoch, after, limit }: SyncRoom): Promise<RoomSynced> {
    const entries = await this.broadcaster.enter(caller, [roomId]);
    const entry = entries.get(roomId);
    if (entry === undefined) {
      await this.members.mustBeMember(caller.id, roomId);
      throw new ChatError('not_member', 'You have just left this room');
    }
    const [found, read] = await Promise.all([
      after !== undefined && epoch === this.epoch.id && resumes(after, entry)
        ? this.missed(caller, [{ roomId, after, entry }], limit)
        : this.snapshots(caller, [roomId], entries),
      this.readStates.of(caller.id, [roomId]),
    ]);
    const [synced] = withRead(found, read);
    if (synced === undefined) throw new ChatError('not_found', 'There is no such room');
    return synced;
  }

  /** The more rooms have news, the fewer of each: what does not fit is asked for room by room. */
  private async missed(
    caller: Caller,
    resumed: Resumed[],
    limit: number = limits.syncPage,
  ): Promise<Unmarked<RoomCatchUp>[]> {
    const behind = resumed.flatMap(({ roomId, after, entry: { place } }) =>
      after < place ? [{ roomId, after, upTo: place }] : [],
    );
    const perRoom = Math.floor(limits.syncTotal / Math.max(1, behind.length));
    const slices = await this.reads.readMany(behind, Math.max(1, Math.min(limit, perRoom)));
    const news = new Map(behind.map(({ roomId }, i) => [roomId, slices[i]]));
    return resumed.map(({ roomId, after, entry: { place, visibleAfter } }) => {
      const { changes, upTo } = shaded(
        visible(news.get(roomId) ?? { changes: [], upTo: after }, visibleAfter),
        caller.id,
      );
      return { reset: false, roomId, after, upTo, changes, more: upTo < place };
    });
  }

  /** The more rooms, the fewer messages each brings; every room brings its newest one. */
  private async snapshots(
    caller: Caller,
    roomIds: string[],
    entries: ReadonlyMap<string, Entry>,
  ): Promise<Unmarked<RoomSnapshot>[]> {
    if (roomIds.length === 0) return [];
    const perRoom = Math.max(1, Math.min(limits.snapshotMessages, Math.floor(limits.syncTotal / roomIds.length)));
    const { manager } = this.dataSource;
    const [rooms, memberships, newest] = await Promise.all([
      manager.findBy(RoomEntity, { id: In(roomIds) }),
      manager.findBy(MemberEntity, { userId: caller.id, roomId: In(roomIds), leftAt: IsNull() }),
      this.newest(
        roomIds.map((roomId) => ({ roomId, after: entries.get(roomId)?.visibleAfter ?? 0 })),
        perRoom,
      ),
    ]);
    const mine = new Map(memberships.map((membership) => [membership.roomId, membership]));
    return rooms.flatMap((room): Unmarked<RoomSnapshot>[] => {
      const membership = mine.get(room.id);
      if (membership === undefined) return [];
      const messages = (newest.get(room.id) ?? []).map((message) => seenBy(message, caller.id));
      return [
        {
          reset: true,
          roomId: room.id,
          upTo: entries.get(room.id)?.place ?? 0,
          room: toRoom(room),
          member: toMember(membership, caller),
          memberCount: room.memberCount,
          messages,
          hasBefore: (messages[0]?.seq ?? 0) > membership.visibleAfter + 1,
        },
      ];
    });
  }

  private async newest(wanted: { roomId: string; after: number }[], perRoom: number): Promise<Map<string, Message[]>> {
    const rows: unknown = await this.dataSource.query(
      `select ${MESSAGE_COLUMNS}, sender.name as "senderName"
       from unnest($1::uuid[], $2::bigint[]) as wanted(room_id, after)
       cross join lateral (
         select * from messages where messages.room_id = wanted.room_id and seq > wanted.after order by seq desc limit $3
       ) as message
       join users sender on sender.id = message.sender_id
       order by message.room_id, message.seq`,
      [wanted.map(({ roomId }) => roomId), wanted.map(({ after }) => after), perRoom],
    );
    const byRoom = new Map<string, Message[]>();
    for (const row of rows as (StoredMessage & { senderName: string })[]) {
      const messages = byRoom.get(row.roomId) ?? [];
      messages.push(toMessage(row, { id: row.senderId, name: row.senderName }));
      byRoom.set(row.roomId, messages);
    }
    return byRoom;
  }
}

type Unmarked<T> = Omit<T, 'read'>;

/** Without the rooms that the caller has left meanwhile. */
function withRead(
  rooms: readonly (Unmarked<RoomCatchUp> | Unmarked<RoomSnapshot>)[],
  states: ReadonlyMap<string, ReadState>,
): RoomSynced[] {
  return rooms.flatMap((room) => {
    const read = states.get(room.roomId);
    return read === undefined ? [] : [{ ...room, read }];
  });
}

interface Resumed {
  roomId: string;
  after: number;
  entry: Entry;
}

/**
 * Whether a client at this rev can go on from there. One that is ahead of us saw a log that is no longer ours; and one that was
 * away while its user left and joined again may hold what is not for him any more.
 */
function resumes(after: number | undefined, entry: Entry): boolean {
  if (after === undefined || after > entry.place) return false;
  return entry.visibleAfter === 0 || entry.memberRev <= after;
}
