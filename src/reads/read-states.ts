import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { BatchedRead } from '../database/batched-read.js';
import { EVERYONE } from '../messages/mention.entity.js';
import { limits, type ReadState } from '../protocol/index.js';

/** Rooms that one query tells of, at most: those of several users who ask at the same time. */
const ROOMS = 2 * limits.roomsPerUser;

/**
 * The one formula. Unread are the messages of others behind the marker that are not deleted or sent in the shadow, counted from the newest back to one's
 * own newest message, which counts as reading; and no further than to `unreadCap`, so that a room of a million
 * unread messages costs no more than one of a hundred. Mentions are those of them that name the user or the whole room, from the
 * marker that is told on. All of it is seen at one moment.
 */
const STATES = `
  select wanted.place, greatest(member.read_seq, newest.own) as "readSeq", coalesce(newest.unread, 0)::int as unread,
         coalesce(mentioned.count, 0)::int as mentions, room.seq as "lastSeq", room.rev as "headRev", member.read_version as version
  from unnest($1::uuid[], $2::uuid[]) with ordinality as wanted(user_id, room_id, place)
  join memberships member on member.room_id = wanted.room_id and member.user_id = wanted.user_id
  join rooms room on room.id = member.room_id
  left join lateral (
    -- Not asked where nothing is behind the marker: a condition beside the join would be looked at afterwards.
    select * from unread_of(room.id, member.user_id, member.read_seq, member.unread_since, ${limits.unreadCap})
    where room.seq > member.read_seq offset 0
  ) newest on true
  left join lateral (
    select count(*) from (
      select from mentions named where named.room_id = member.room_id and named.user_id = member.user_id
        and named.seq > greatest(member.read_seq, newest.own)
      union all
      select from mentions called where called.room_id = member.room_id and called.user_id = '${EVERYONE}'
        and called.seq > greatest(member.read_seq, newest.own)
        and member.user_id <> (select sender_id from messages where room_id = called.room_id and seq = called.seq)
      limit ${limits.unreadCap}
    ) counted
  ) mentioned on newest.unread > 0
  where member.left_at is null`;

interface Wanted {
  userId: string;
  roomIds: readonly string[];
}

/** How far users have read their rooms; what is asked for at the same time is read by one query. */
@Injectable()
export class ReadStates {
  private readonly reads = new BatchedRead(
    (wanted: readonly Wanted[]) => this.read(wanted),
    ({ roomIds }) => roomIds.length,
    ROOMS,
  );

  constructor(private readonly dataSource: DataSource) {}

  /** Of those of the rooms that the user is a member of. */
  of(userId: string, roomIds: readonly string[]): Promise<Map<string, ReadState>> {
    return roomIds.length === 0 ? Promise.resolve(new Map<string, ReadState>()) : this.reads.get({ userId, roomIds });
  }

  private async read(wanted: readonly Wanted[]): Promise<Map<string, ReadState>[]> {
    const pairs = wanted.flatMap(({ userId, roomIds }, i) => roomIds.map((roomId) => ({ userId, roomId, i })));
    const rows: unknown = await this.dataSource.query(STATES, [
      pairs.map(({ userId }) => userId),
      pairs.map(({ roomId }) => roomId),
    ]);
    const states = wanted.map(() => new Map<string, ReadState>());
    for (const { place, ...state } of rows as (ReadState & { place: number })[]) {
      const pair = pairs[place - 1];
      if (pair !== undefined) states[pair.i]?.set(pair.roomId, state);
    }
    return states;
  }
}
