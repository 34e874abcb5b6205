import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import { BatchedRead } from '../database/batched-read.js';
import type { Change } from '../protocol/index.js';
import { ChangeLog, type ChangeRange, type ChangeSlice, type Joins, type Standing } from '../realtime/change-log.js';
import { MESSAGE_COLUMNS, toMessage, type StoredMessage } from '../messages/message.entity.js';
import { memberColumns, toMember, type MemberEntity } from '../rooms/member.entity.js';
import { RoomEntity, toRoom } from '../rooms/room.entity.js';

/** The log is no table of its own: each row carries the rev of its latest change, so "all after rev N" is a query. */
@Injectable()
export class PostgresChangeLog extends ChangeLog {
  private readonly ofUsers = new BatchedRead((userIds: readonly string[]) => this.standingsOf(userIds));

  private readonly ofMembers = new BatchedRead((members: readonly { userId: string; roomId: string }[]) =>
    this.standingsIn(members),
  );

  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async standings(userId: string, roomIds?: readonly string[]): Promise<Map<string, Standing>> {
    if (roomIds === undefined) return this.ofUsers.get(userId);
    const standings = await Promise.all(roomIds.map((roomId) => this.ofMembers.get({ userId, roomId })));
    return new Map(roomIds.flatMap((roomId, i) => (standings[i] === undefined ? [] : [[roomId, standings[i]]])));
  }

  private async standingsIn(members: readonly { userId: string; roomId: string }[]): Promise<(Standing | undefined)[]> {
    const rows: unknown = await this.dataSource.query(
      `select wanted.place, room.rev as head, member.rev as "memberRev", member.visible_after as "visibleAfter"
       from unnest($1::uuid[], $2::uuid[]) with ordinality as wanted(user_id, room_id, place)
       join memberships member on member.user_id = wanted.user_id and member.room_id = wanted.room_id
       join rooms room on room.id = member.room_id
       where member.left_at is null`,
      [members.map(({ userId }) => userId), members.map(({ roomId }) => roomId)],
    );
    const standings: (Standing | undefined)[] = members.map(() => undefined);
    for (const { place, ...standing } of rows as (Standing & { place: number })[]) standings[place - 1] = standing;
    return standings;
  }

  /** Everything that each of these users is a member of; a map of its own for each, because who gets one may change it. */
  private async standingsOf(userIds: readonly string[]): Promise<Map<string, Standing>[]> {
    const rows: unknown = await this.dataSource.query(
      `select member.user_id as "userId", room.id, room.rev as head, member.rev as "memberRev",
              member.visible_after as "visibleAfter"
       from memberships member join rooms room on room.id = member.room_id
       where member.user_id = any($1::uuid[]) and member.left_at is null`,
      [[...new Set(userIds)]],
    );
    const byUser = new Map<string, (Standing & { id: string })[]>();
    for (const row of rows as (Standing & { id: string; userId: string })[]) {
      const ofUser = byUser.get(row.userId);
      if (ofUser === undefined) byUser.set(row.userId, [row]);
      else ofUser.push(row);
    }
    return userIds.map(
      (userId) =>
        new Map(
          (byUser.get(userId) ?? []).map(({ id, head, memberRev, visibleAfter }) => [
            id,
            { head, memberRev, visibleAfter },
          ]),
        ),
    );
  }

  async ahead(revs: ReadonlyMap<string, number>): Promise<Map<string, number>> {
    const rows: unknown = await this.dataSource.query(
      `select room.id, room.rev from unnest($1::uuid[], $2::bigint[]) as known(id, rev)
       join rooms room on room.id = known.id and room.rev > known.rev`,
      [[...revs.keys()], [...revs.values()]],
    );
    return new Map((rows as { id: string; rev: number }[]).map(({ id, rev }) => [id, rev]));
  }

  async joins(since?: string): Promise<Joins> {
    // Longer than a transaction may take from dating a membership to its commit.
    const rows: unknown = await this.dataSource.query(
      `select now() as "lookedAt", member.user_id as "userId", member.room_id as "roomId"
       from (select) as always left join memberships member
         on member.left_at is null and member.joined_at > coalesce($1::timestamptz, now()) - interval '15 s'`,
      [since ?? null],
    );
    const found = rows as { lookedAt: Date; userId: string | null; roomId: string | null }[];
    return {
      joined: found.flatMap(({ userId, roomId }) => (userId === null || roomId === null ? [] : [{ userId, roomId }])),
      lookedAt: (found[0]?.lookedAt ?? new Date(0)).toISOString(),
    };
  }

  async readMany(ranges: readonly ChangeRange[], limit: number): Promise<ChangeSlice[]> {
    // The heads come first: what is committed after them lies past the slices.
    const rooms = await this.dataSource.manager.findBy(RoomEntity, {
      id: In([...new Set(ranges.map(({ roomId }) => roomId))]),
    });
    const byId = new Map(rooms.map((room) => [room.id, room]));
    const bounds = [
      ranges.map(({ roomId }) => roomId),
      ranges.map(({ after }) => after),
      ranges.map(({ roomId, upTo }) => Math.min(upTo, byId.get(roomId)?.rev ?? 0)),
    ] as const;
    const [messages, members] = await Promise.all([this.messages(bounds, limit), this.members(bounds, limit)]);
    return ranges.map(({ roomId, after }, i): ChangeSlice => {
      const room = byId.get(roomId);
      const reach = bounds[2][i] ?? after;
      if (room === undefined || reach <= after) return { changes: [], upTo: Math.min(after, reach) };
      const changes = [...(messages.get(i) ?? []), ...(members.get(i) ?? [])];
      const { settingsRev } = room;
      if (settingsRev > after && settingsRev <= reach)
        changes.push({ rev: settingsRev, kind: 'room', room: toRoom(room) });
      changes.sort((a, b) => a.rev - b.rev);
      if (changes.length < limit) return { changes, upTo: reach };
      const slice = changes.slice(0, limit);
      return { changes: slice, upTo: slice.at(-1)?.rev ?? reach };
    });
  }

  private async messages(bounds: Bounds, limit: number): Promise<Map<number, Change[]>> {
    const rows: unknown = await this.dataSource.query(
      `select wanted.place, ${MESSAGE_COLUMNS}, sender.name as "userName"
       from ${WANTED}
       cross join lateral (
         select * from messages where room_id = wanted.room_id and rev > wanted.after and rev <= wanted.up_to
         order by rev limit $4
       ) message
       join users sender on sender.id = message.sender_id`,
      [...bounds, limit],
    );
    return byRange(rows as (StoredMessage & { userName: string; place: number })[], (row) => {
      const message = toMessage(row, { id: row.senderId, name: row.userName });
      return { rev: message.rev, kind: 'message', message };
    });
  }

  private async members(bounds: Bounds, limit: number): Promise<Map<number, Change[]>> {
    const rows: unknown = await this.dataSource.query(
      `select wanted.place, ${memberColumns('member')}, coalesce(member.count_after, room.member_count) as "memberCount",
              member_user.name as "userName"
       from ${WANTED}
       cross join lateral (
         select * from memberships where room_id = wanted.room_id and rev > wanted.after and rev <= wanted.up_to
         order by rev limit $4
       ) member
       join rooms room on room.id = member.room_id
       join users member_user on member_user.id = member.user_id`,
      [...bounds, limit],
    );
    return byRange(rows as (MemberEntity & { userName: string; memberCount: number; place: number })[], (row) => {
      const member = toMember(row, { id: row.userId, name: row.userName });
      return { rev: member.rev, kind: 'member', member, memberCount: row.memberCount };
    });
  }
}

/** Room ids, and for each the revs after which and up to which. */
type Bounds = readonly [string[], number[], number[]];

/** The same room may be wanted from several revs on, so the range counts and not the room. */
const WANTED = `unnest($1::uuid[], $2::bigint[], $3::bigint[]) with ordinality as wanted(room_id, after, up_to, place)`;

/** By the range's place among those asked for, from 0. */
function byRange<T extends { place: number }>(rows: T[], toChange: (row: T) => Change): Map<number, Change[]> {
  const changes = new Map<number, Change[]>();
  for (const row of rows) {
    const ofRange = changes.get(row.place - 1);
    if (ofRange === undefined) changes.set(row.place - 1, [toChange(row)]);
    else ofRange.push(toChange(row));
  }
  return changes;
}
