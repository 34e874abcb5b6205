import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Caller } from '../auth/caller.js';
import { BatchedRead } from '../database/batched-read.js';
import type { CountOnline, Done, OnlineCount, PresenceStates, SetPresence, WatchPresence } from '../protocol/index.js';
import { OnlineCounts } from '../realtime/online-counts.js';
import { PresenceBoard } from '../realtime/presence-board.js';
import { RoomSignals } from '../realtime/room-signals.js';
import { MembersService } from '../rooms/members.service.js';

/** Who is there, for those who share a room with him. */
@Injectable()
export class PresenceService {
  /** When an instance goes, its clients come back together and all ask. */
  private readonly shared = new BatchedRead(
    (wanted: readonly Wanted[]) => this.sharing(wanted),
    ({ userIds }) => userIds.length,
    2_000,
  );

  constructor(
    private readonly dataSource: DataSource,
    private readonly board: PresenceBoard,
    private readonly counts: OnlineCounts,
    private readonly members: MembersService,
    private readonly signals: RoomSignals,
  ) {}

  set({ id, sessionId }: Caller, { status, background }: SetPresence): Promise<Done> {
    if (sessionId !== undefined) this.board.set(id, sessionId, status, background);
    return Promise.resolve({});
  }

  /** Users with whom the caller shares no room are left out, as are those who do not exist. @throws ChatError `forbidden` */
  async watch({ id, sessionId }: Caller, { userIds }: WatchPresence): Promise<PresenceStates> {
    if (sessionId === undefined) return { states: [] };
    return { states: this.board.watch(sessionId, await this.shared.get({ id, userIds })) };
  }

  unwatch({ sessionId }: Caller, { userIds }: WatchPresence): Promise<Done> {
    if (sessionId !== undefined) this.board.unwatch(sessionId, userIds);
    return Promise.resolve({});
  }

  /** How many are online in the room; with `on` the connection is told when that changes. @throws ChatError `not_member`, `not_found`, `forbidden` */
  async count(caller: Caller, { roomId, on }: CountOnline): Promise<OnlineCount> {
    const { sessionId } = caller;
    if (!this.signals.isIn(caller, roomId)) await this.members.mustBeMember(caller.id, roomId);
    if (sessionId === undefined) return { online: 0 };
    const online = this.counts.watch(sessionId, roomId);
    if (!on) this.counts.unwatch(sessionId, roomId);
    return { online };
  }

  /** Of those whom each wants to watch, the ones that he shares a room with, and himself. */
  private async sharing(wanted: readonly Wanted[]): Promise<string[][]> {
    const pairs = wanted.flatMap(({ id, userIds }, i) => [...new Set(userIds)].map((other) => ({ id, other, i })));
    const rows: unknown = await this.dataSource.query(
      // `limit 1` looks into the indices for each pair, whatever the planner thinks of the tables.
      `select wanted.place from unnest($1::uuid[], $2::uuid[]) with ordinality as wanted(id, other, place)
       left join lateral (
         select true as shared from memberships other
         join memberships mine on mine.room_id = other.room_id and mine.user_id = wanted.id and mine.left_at is null
         where other.user_id = wanted.other and other.left_at is null limit 1
       ) room on true
       where room.shared or wanted.id = wanted.other`,
      [pairs.map(({ id }) => id), pairs.map(({ other }) => other)],
    );
    const shared = wanted.map((): string[] => []);
    for (const { place } of rows as { place: number }[]) {
      const pair = pairs[place - 1];
      if (pair !== undefined) shared[pair.i]?.push(pair.other);
    }
    return shared;
  }
}

interface Wanted {
  id: string;
  userIds: readonly string[];
}
