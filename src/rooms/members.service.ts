import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, IsNull, MoreThan, Repository } from 'typeorm';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import {
  may,
  type Action,
  type AddMember,
  type ListMembers,
  type MemberPage,
  type MemberResult,
  type RoomAndMember,
  type RoomRef,
} from '../protocol/index.js';
import { Limits } from '../limits/limits.js';
import { RoomBroadcaster } from '../realtime/room-broadcaster.js';
import { UsersService } from '../users/users.service.js';
import { mustNotBeBanned } from './bans.js';
import { depart, enrol, present } from './enrolment.js';
import { MemberEntity, toMember } from './member.entity.js';
import { pageOfUsers, userIdOf } from './pages.js';
import { toRoom, type RoomEntity } from './room.entity.js';
import { RoomLedger, type LockedRoom } from './room-ledger.js';

/** Who is in a room. Each joining and leaving is a change of the room with a rev, like a message. */
@Injectable()
export class MembersService {
  constructor(
    @InjectRepository(MemberEntity) private readonly members: Repository<MemberEntity>,
    private readonly ledger: RoomLedger,
    private readonly broadcaster: RoomBroadcaster,
    private readonly users: UsersService,
    private readonly limits: Limits,
  ) {}

  /**
   * Joining a room twice is joining it once.
   * @throws ChatError `not_found` also for a private room, `banned`, `room_full`, `room_archived`
   */
  async join(caller: Caller, { roomId }: RoomRef): Promise<RoomAndMember> {
    this.limits.takeOf('joins', caller);
    const joined = await this.ledger.change(roomId, async (locked) => {
      const membership = await present(locked, caller.id);
      if (membership === null && locked.room.visibility === 'private') {
        await mustNotBeBanned(locked, caller.id, 'once a member');
        throw notMember(locked.room);
      }
      return enrol(locked, caller, membership);
    });
    await this.broadcaster.admit(caller.id, roomId);
    return joined;
  }

  /** @throws ChatError `not_member`, `not_found`, `forbidden`, `banned`, `room_full`, `room_archived` */
  async add(caller: Caller, { roomId, userId }: AddMember): Promise<MemberResult> {
    const user = await this.users.get(userId);
    const { member } = await this.ledger.change(roomId, async (locked) => {
      await this.mustMay(locked, caller.id, 'member:add');
      return enrol(locked, user, await present(locked, userId));
    });
    await this.broadcaster.admit(userId, roomId);
    return { member };
  }

  /** The last owner may leave; the member who has been there longest then owns the room. @throws ChatError `not_member`, `not_found` */
  leave(caller: Caller, { roomId }: RoomRef): Promise<RoomAndMember> {
    return this.ledger.change(roomId, async (locked) => {
      const membership = await present(locked, caller.id);
      if (membership === null) throw notMember(locked.room);
      const { member, changes } = await depart(locked, membership, caller);
      return { result: { room: toRoom(locked.room), member }, changes };
    });
  }

  /** Present members by user id, so in the order in which users were made. @throws ChatError `not_member`, `not_found` */
  async list(caller: Caller, { roomId, cursor, limit }: ListMembers): Promise<MemberPage> {
    await this.mustBeMember(caller.id, roomId);
    const rows = await this.members.find({
      where: { roomId, leftAt: IsNull(), ...(cursor === undefined ? {} : { userId: MoreThan(userIdOf(cursor)) }) },
      order: { userId: 'ASC' },
      take: limit + 1,
      relations: { user: true },
      // Joined, TypeORM would read all members before it takes a page of them.
      relationLoadStrategy: 'query',
    });
    return pageOfUsers(
      rows.map((row) => toMember(row, row.user ?? { id: row.userId, name: '' })),
      limit,
    );
  }

  /** @throws ChatError `not_member`; `not_found` where the caller may not know that the room exists */
  async mustBeMember(userId: string, roomId: string): Promise<MemberEntity> {
    const membership = await this.members.findOneBy({ roomId, userId, leftAt: IsNull() });
    if (membership !== null) return membership;
    const rooms: unknown = await this.members.query(`select visibility from rooms where id = $1`, [roomId]);
    throw notMember((rooms as Pick<RoomEntity, 'visibility'>[])[0]);
  }

  /** For what only reads. @throws ChatError as `mustBeMember`, and `forbidden` */
  async mustBeOneWhoMay(userId: string, roomId: string, action: Action): Promise<MemberEntity> {
    return allowed(await this.mustBeMember(userId, roomId), action);
  }

  /** For what writes: looked at under the lock. @throws ChatError as `mustBeMember`, and `forbidden` */
  async mustMay(locked: LockedRoom, userId: string, action: Action): Promise<MemberEntity> {
    return allowed(await this.mustBePresent(locked, userId), action);
  }

  /** The same as it is while the room is locked. @throws ChatError as `mustBeMember` */
  async mustBePresent(locked: LockedRoom, userId: string): Promise<MemberEntity> {
    const membership = await present(locked, userId);
    if (membership === null) throw notMember(locked.room);
    return membership;
  }

  /** Those of these users who are members while the room is locked. */
  async presentAmong(locked: LockedRoom, userIds: readonly string[]): Promise<Map<string, MemberEntity>> {
    const found = await locked.manager.findBy(MemberEntity, {
      roomId: locked.room.id,
      userId: In(userIds),
      leftAt: IsNull(),
    });
    return new Map(found.map((membership) => [membership.userId, membership]));
  }
}

function allowed(membership: MemberEntity, action: Action): MemberEntity {
  if (!may(membership.role, action))
    throw new ChatError('forbidden', `Your role in this room does not allow ${action}`);
  return membership;
}

/** Whether a private room exists is nobody's business but its members'. */
export function notMember(room: Pick<RoomEntity, 'visibility'> | undefined): ChatError {
  return room?.visibility === 'public'
    ? new ChatError('not_member', 'You are no member of this room; join it first')
    : new ChatError('not_found', 'There is no such room');
}
