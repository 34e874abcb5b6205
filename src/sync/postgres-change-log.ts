import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Change } from '../protocol/index.js';
import { ChangeLog, type ChangeRange, type ChangeSlice, type Standing } from '../realtime/change-log.js';
import { MessageEntity, toMessage } from '../messages/message.entity.js';
import { MemberEntity, toMember } from '../rooms/member.entity.js';
import { RoomEntity, toRoom } from '../rooms/room.entity.js';

/** The log is no table of its own: each row carries the rev of its latest change, so "all after rev N" is a query. */
@Injectable()
export class PostgresChangeLog extends ChangeLog {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async standings(userId: string, roomIds?: readonly string[]): Promise<Map<string, Standing>> {
    const rows: unknown = await this.dataSource.query(
      `select room.id, room.rev as head, member.rev as "memberRev"
       from memberships member join rooms room on room.id = member.room_id
       where member.user_id = $1 and member.left_at is null ${roomIds === undefined ? '' : 'and member.room_id = any($2)'}`,
      roomIds === undefined ? [userId] : [userId, roomIds],
    );
    return new Map((rows as (Standing & { id: string })[]).map(({ id, head, memberRev }) => [id, { head, memberRev }]));
  }

  async ahead(revs: ReadonlyMap<string, number>): Promise<Map<string, number>> {
    const rows: unknown = await this.dataSource.query(
      `select room.id, room.rev from unnest($1::uuid[], $2::bigint[]) as known(id, rev)
       join rooms room on room.id = known.id and room.rev > known.rev`,
      [[...revs.keys()], [...revs.values()]],
    );
    return new Map((rows as { id: string; rev: number }[]).map(({ id, rev }) => [id, rev]));
  }

  async read({ roomId, after, upTo }: ChangeRange, limit: number): Promise<ChangeSlice> {
    const room = await this.dataSource.manager.findOneBy(RoomEntity, { id: roomId });
    if (room === null) return { changes: [], upTo: after };
    const reach = Math.min(upTo, room.rev);
    const range = { after, reach };
    const messages = await this.dataSource.manager
      .createQueryBuilder(MessageEntity, 'message')
      .innerJoinAndSelect('message.sender', 'sender')
      .where('message.roomId = :roomId and message.rev > :after and message.rev <= :reach', { roomId, ...range })
      .orderBy('message.rev')
      .limit(limit)
      .getMany();
    const members = await this.dataSource.manager
      .createQueryBuilder(MemberEntity, 'member')
      .innerJoinAndSelect('member.user', 'user')
      .where('member.roomId = :roomId and member.rev > :after and member.rev <= :reach', { roomId, ...range })
      .orderBy('member.rev')
      .limit(limit)
      .getMany();
    const changes: Change[] = [
      ...messages.map((row): Change => ({
        rev: row.rev,
        kind: 'message',
        message: toMessage(row, row.sender ?? nobody(row.senderId)),
      })),
      ...members.map((row): Change => ({
        rev: row.rev,
        kind: 'member',
        member: toMember(row, row.user ?? nobody(row.userId)),
      })),
    ];
    const { settingsRev } = room;
    if (settingsRev > after && settingsRev <= reach)
      changes.push({ rev: settingsRev, kind: 'room', room: toRoom(room) });
    changes.sort((a, b) => a.rev - b.rev);
    const slice = changes.slice(0, limit);
    return { changes: slice, upTo: changes.length >= limit ? (slice.at(-1)?.rev ?? reach) : reach };
  }
}

function nobody(id: string): { id: string; name: string } {
  return { id, name: '' };
}
