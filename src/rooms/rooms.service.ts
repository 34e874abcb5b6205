import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Repository, type SelectQueryBuilder } from 'typeorm';
import { byCaller, type Act } from '../audit/audit-log.js';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import type {
  ArchiveRoom,
  CreateRoom,
  DiscoverRooms,
  RoomAndMember,
  RoomPage,
  RoomResult,
  RoomSummary,
  UpdateRoom,
} from '../protocol/index.js';
import { Limits } from '../limits/limits.js';
import { RoomBroadcaster } from '../realtime/room-broadcaster.js';
import { enrol } from './enrolment.js';
import { MemberEntity, toMember } from './member.entity.js';
import { MembersService } from './members.service.js';
import { RoomEntity, toRoom, toSummary } from './room.entity.js';
import { RoomLedger } from './room-ledger.js';
import { changeSettings, newRoom } from './room-settings.js';
import { decodeRoomCursor, encodeRoomCursor } from './room-cursor.js';

@Injectable()
export class RoomsService {
  constructor(
    @InjectRepository(RoomEntity) private readonly rooms: Repository<RoomEntity>,
    private readonly members: MembersService,
    private readonly ledger: RoomLedger,
    private readonly broadcaster: RoomBroadcaster,
    private readonly limits: Limits,
  ) {}

  /** The caller becomes the owner. @throws ChatError `conflict` when the id belongs to a room of someone else, `rate_limited` */
  async create(caller: Caller, { roomId, ...settings }: CreateRoom): Promise<RoomAndMember> {
    this.limits.takeOf('rooms', caller);
    const room = newRoom(caller.id, settings, roomId);
    const created = await this.ledger.create(room, async (locked) => {
      room.settingsRev = locked.nextRev();
      const { result, changes } = await enrol(locked, caller, null, 'owner');
      return { result, changes: [{ rev: room.settingsRev, kind: 'room', room: toRoom(room) }, ...changes] };
    });
    const result = created ?? (await this.createdBefore(caller, room.id));
    await this.broadcaster.admit(caller.id, room.id);
    return result;
  }

  /** @throws ChatError `not_member`, `not_found`, `forbidden`, `room_archived` */
  update(caller: Caller, { roomId, ...settings }: UpdateRoom): Promise<RoomResult> {
    return this.ledger.change(roomId, async (locked) => {
      const { name, topic, meta, slowModeS, ...governed } = settings;
      const shown = [name, topic, meta, slowModeS].some((setting) => setting !== undefined);
      if (shown) await this.members.mustMay(locked, caller.id, 'room:update');
      const governs = Object.keys(governed).length > 0;
      if (!shown || governs) await this.members.mustMay(locked, caller.id, 'room:govern');
      const { room } = locked;
      if (room.archivedAt !== null) throw new ChatError('room_archived', 'The room is archived');
      const wanted = { ...room, ...settings };
      if (isDeepStrictEqual(wanted, room)) return { result: { room: toRoom(room) }, changes: [] };
      const audit: Act | undefined = governs
        ? { by: byCaller(caller), action: 'room.govern', details: governed }
        : undefined;
      return { ...(await changeSettings(locked, settings)), audit };
    });
  }

  /** An archived room can be read, not written to, and is not found by its name. @throws ChatError `not_member`, `not_found`, `forbidden` */
  archive(caller: Caller, { roomId, on }: ArchiveRoom): Promise<RoomResult> {
    return this.ledger.change(roomId, async (locked) => {
      await this.members.mustMay(locked, caller.id, 'room:archive');
      const { room, now } = locked;
      if ((room.archivedAt !== null) === on) return { result: { room: toRoom(room) }, changes: [] };
      const audit: Act = { by: byCaller(caller), action: 'room.archive', details: { on } };
      return { ...(await changeSettings(locked, { archivedAt: on ? now : null })), audit };
    });
  }

  /** @throws ChatError `not_member`, `not_found` */
  async get(caller: Caller, roomId: string): Promise<RoomSummary> {
    await this.members.mustBeMember(caller.id, roomId);
    return toSummary(await this.rooms.findOneByOrFail({ id: roomId }));
  }

  /** The rooms that the caller is a member of, by name. */
  async mine(caller: Caller): Promise<RoomSummary[]> {
    const rooms = await this.rooms
      .createQueryBuilder('room')
      .innerJoin(
        MemberEntity,
        'member',
        'member.roomId = room.id and member.userId = :userId and member.leftAt is null',
        { userId: caller.id },
      )
      .orderBy('lower(room.name)')
      .addOrderBy('room.id')
      .getMany();
    return rooms.map(toSummary);
  }

  /** Public rooms by name. @throws ChatError `rate_limited` */
  async discover(caller: Caller, request: DiscoverRooms): Promise<RoomPage> {
    this.limits.takeOf('search', caller);
    return pageOf(this.byName(request).andWhere(`room.visibility = 'public' and room.archivedAt is null`), request);
  }

  /** Every room by name, also the private and the archived ones; for admins. */
  async listAll(request: DiscoverRooms): Promise<RoomPage & { total: number }> {
    const total = await this.byName({ ...request, cursor: undefined }).getCount();
    return { ...(await pageOf(this.byName(request), request)), total };
  }

  /** For admins. @throws ChatError `not_found` */
  async getAny(roomId: string): Promise<RoomSummary> {
    const room = await this.rooms.findOneBy({ id: roomId });
    if (room === null) throw new ChatError('not_found', 'There is no such room');
    return toSummary(room);
  }

  private byName({ query, cursor }: DiscoverRooms): SelectQueryBuilder<RoomEntity> {
    const rooms = this.rooms.createQueryBuilder('room').where('true').orderBy('lower(room.name)').addOrderBy('room.id');
    if (query !== undefined && query !== '')
      rooms.andWhere('lower(room.name) like :pattern', { pattern: `%${literally(query.toLowerCase())}%` });
    if (cursor !== undefined)
      rooms.andWhere('(lower(room.name), room.id) > (lower(:name), :id::uuid)', decodeRoomCursor(cursor));
    return rooms;
  }

  private async createdBefore(caller: Caller, roomId: string): Promise<RoomAndMember> {
    const room = await this.rooms.findOneByOrFail({ id: roomId });
    const member = await this.rooms.manager.findOneBy(MemberEntity, { roomId, userId: caller.id, leftAt: IsNull() });
    if (room.createdBy !== caller.id || member === null)
      throw new ChatError('conflict', 'This room id is taken; make another one');
    return { room: toRoom(room), member: toMember(member, caller) };
  }
}

async function pageOf(rooms: SelectQueryBuilder<RoomEntity>, { limit }: DiscoverRooms): Promise<RoomPage> {
  const found = await rooms.limit(limit + 1).getMany();
  const items = found.slice(0, limit).map(toSummary);
  return { items, nextCursor: found.length > limit ? encodeRoomCursor(items.at(-1)) : null };
}

/** For LIKE: the characters that mean something there mean themselves. */
function literally(text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&');
}
