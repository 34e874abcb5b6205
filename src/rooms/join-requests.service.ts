import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import type {
  AnswerRequest,
  JoinRequest,
  ListMembers,
  RequestAnswered,
  RequestPage,
  RequestResult,
  RequestToJoin,
} from '../protocol/index.js';
import { Limits } from '../limits/limits.js';
import { RoomBroadcaster } from '../realtime/room-broadcaster.js';
import { UsersService } from '../users/users.service.js';
import { mustNotBeBanned } from './bans.js';
import { enrol, present } from './enrolment.js';
import { MembersService, notMember } from './members.service.js';
import { FIRST_ID, pageOfUsers, userIdOf } from './pages.js';
import { RoomLedger } from './room-ledger.js';

/** Asking to be let into a private room that takes requests. */
@Injectable()
export class JoinRequestsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly ledger: RoomLedger,
    private readonly members: MembersService,
    private readonly broadcaster: RoomBroadcaster,
    private readonly users: UsersService,
    private readonly limits: Limits,
  ) {}

  /**
   * Asking twice is asking once.
   * @throws ChatError `not_found` for a private room that takes no requests, `not_member` for a public one, which is joined;
   * `conflict` for a member, `banned`, `room_archived`, `rate_limited`
   */
  async request(caller: Caller, { roomId, on }: RequestToJoin): Promise<RequestResult> {
    this.limits.takeOf('joins', caller);
    return this.ledger.change<RequestResult>(roomId, async (locked) => {
      const { manager, room, now } = locked;
      if ((await present(locked, caller.id)) !== null) throw new ChatError('conflict', 'You are a member of this room');
      if (room.visibility === 'public' || !room.joinRequests) throw notMember(room);
      if (!on) {
        await manager.query(`delete from room_requests where room_id = $1 and user_id = $2`, [roomId, caller.id]);
        return { result: { request: null }, changes: [] };
      }
      await mustNotBeBanned(locked, caller.id);
      if (room.archivedAt !== null) throw new ChatError('room_archived', 'The room is archived');
      const rows: unknown = await manager.query(
        `with asked as (
           insert into room_requests (room_id, user_id, created_at) values ($1, $2, $3) on conflict do nothing returning created_at
         )
         select created_at as "createdAt" from asked
         union all select created_at from room_requests where room_id = $1 and user_id = $2`,
        [roomId, caller.id, now],
      );
      const { createdAt } = (rows as { createdAt: Date }[])[0] ?? { createdAt: now };
      const user = { id: caller.id, name: caller.name };
      return { result: { request: { roomId, user, createdAt: createdAt.toISOString() } }, changes: [] };
    });
  }

  /** By user id. @throws ChatError `not_member`, `not_found`, `forbidden` */
  async list(caller: Caller, { roomId, cursor, limit }: ListMembers): Promise<RequestPage> {
    await this.members.mustBeOneWhoMay(caller.id, roomId, 'request:list');
    const rows: unknown = await this.dataSource.query(
      `select asked.user_id as "userId", users.name, asked.created_at as "createdAt"
       from room_requests asked join users on users.id = asked.user_id
       where asked.room_id = $1 and asked.user_id > $2 order by asked.user_id limit $3`,
      [roomId, cursor === undefined ? FIRST_ID : userIdOf(cursor), limit + 1],
    );
    const requests = (rows as { userId: string; name: string; createdAt: Date }[]).map(
      ({ userId, name, createdAt }): JoinRequest => ({
        roomId,
        user: { id: userId, name },
        createdAt: createdAt.toISOString(),
      }),
    );
    return pageOfUsers(requests, limit);
  }

  /** @throws ChatError `not_member`, `not_found` also where he did not ask, `forbidden`, `room_full`, `room_archived` */
  async answer(caller: Caller, { roomId, userId, approve }: AnswerRequest): Promise<RequestAnswered> {
    const user = await this.users.get(userId);
    const answered = await this.ledger.change<RequestAnswered>(roomId, async (locked) => {
      await this.members.mustMay(locked, caller.id, 'request:answer');
      const [asked] = (await locked.manager.query(
        `delete from room_requests where room_id = $1 and user_id = $2 returning user_id`,
        [roomId, userId],
      )) as unknown as [unknown[], number];
      if (asked.length === 0) throw new ChatError('not_found', 'This user does not ask to join');
      if (!approve) return { result: { member: null }, changes: [] };
      const { result, changes } = await enrol(locked, user, await present(locked, userId));
      return { result: { member: result.member }, changes };
    });
    if (approve) await this.broadcaster.admit(userId, roomId);
    return answered;
  }
}
