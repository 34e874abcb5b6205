import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import {
  limits,
  type AcceptInvite,
  type CreateInvite,
  type Invite,
  type InviteMade,
  type InvitePage,
  type InviteRef,
  type InviteResult,
  type ListMembers,
  type RoomAndMember,
} from '../protocol/index.js';
import { Limits } from '../limits/limits.js';
import { RoomBroadcaster } from '../realtime/room-broadcaster.js';
import { enrol, present } from './enrolment.js';
import { MembersService } from './members.service.js';
import { FIRST_ID, pageOf, userIdOf } from './pages.js';
import { RoomLedger } from './room-ledger.js';

interface InviteRow extends Omit<Invite, 'createdAt' | 'expiresAt'> {
  createdAt: Date;
  expiresAt: Date;
}

const COLUMNS = `id, room_id as "roomId", created_by as "createdBy", created_at as "createdAt", expires_at as "expiresAt",
  max_uses as "maxUses", uses`;
/** Of those that nobody can use any more nothing is told. */
const HOLDS = `expires_at > now() and (max_uses is null or uses < max_uses)`;

/** Links into a room. Who has the code may join, also where the room is private. */
@Injectable()
export class InvitesService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly ledger: RoomLedger,
    private readonly members: MembersService,
    private readonly broadcaster: RoomBroadcaster,
    private readonly limits: Limits,
  ) {}

  /** @throws ChatError `not_member`, `not_found`, `forbidden` also where too many hold */
  create(caller: Caller, { roomId, expiresInS, maxUses }: CreateInvite): Promise<InviteMade> {
    return this.ledger.change(roomId, async (locked) => {
      await this.members.mustMay(locked, caller.id, 'invite:create');
      const { manager, now } = locked;
      await manager.query(`delete from room_invites where room_id = $1 and not (${HOLDS})`, [roomId]);
      const code = randomBytes(16).toString('base64url');
      const expiresAt = new Date(now.getTime() + expiresInS * 1_000);
      const rows: unknown = await manager.query(
        `insert into room_invites (id, room_id, code_hash, created_by, created_at, expires_at, max_uses)
         select $1, $2, $3, $4, $5, $6, $7 where (select count(*) from room_invites where room_id = $2) < $8
         returning ${COLUMNS}`,
        [uuidv7(), roomId, hashOf(code), caller.id, now, expiresAt, maxUses, limits.invitesPerRoom],
      );
      const [made] = rows as InviteRow[];
      if (made === undefined)
        throw new ChatError('forbidden', `A room may have ${limits.invitesPerRoom} invites at most; revoke one`);
      return { result: { invite: toInvite(made), code }, changes: [] };
    });
  }

  /** Those that hold, oldest first. @throws ChatError `not_member`, `not_found`, `forbidden` */
  async list(caller: Caller, { roomId, cursor, limit }: ListMembers): Promise<InvitePage> {
    await this.members.mustBeOneWhoMay(caller.id, roomId, 'invite:list');
    const rows: unknown = await this.dataSource.query(
      `select ${COLUMNS} from room_invites where room_id = $1 and id > $2 and ${HOLDS} order by id limit $3`,
      [roomId, cursor === undefined ? FIRST_ID : userIdOf(cursor), limit + 1],
    );
    return pageOf((rows as InviteRow[]).map(toInvite), limit, ({ id }) => id);
  }

  /** @throws ChatError `not_member`, `not_found` also for an invite, `forbidden` */
  revoke(caller: Caller, { roomId, inviteId }: InviteRef): Promise<InviteResult> {
    return this.ledger.change(roomId, async (locked) => {
      await this.members.mustMay(locked, caller.id, 'invite:revoke');
      // A statement that changes gives TypeORM's query() the rows and their number.
      const [rows] = (await locked.manager.query(
        `delete from room_invites where room_id = $1 and id = $2 returning ${COLUMNS}`,
        [roomId, inviteId],
      )) as unknown as [InviteRow[], number];
      const [gone] = rows;
      if (gone === undefined) throw new ChatError('not_found', 'There is no such invite');
      return { result: { invite: toInvite(gone) }, changes: [] };
    });
  }

  /** Who is a member already uses nothing up. @throws ChatError `not_found` where the invite does not hold; as `MembersService.join` */
  async accept(caller: Caller, { code }: AcceptInvite): Promise<RoomAndMember> {
    this.limits.takeOf('joins', caller);
    const found: unknown = await this.dataSource.query(
      `select room_id as "roomId" from room_invites where code_hash = $1`,
      [hashOf(code)],
    );
    const [invite] = found as Pick<Invite, 'roomId'>[];
    if (invite === undefined) throw noInvite();
    const joined = await this.ledger.change(invite.roomId, async (locked) => {
      const { manager, now } = locked;
      const rows: unknown = await manager.query(
        `select id from room_invites where code_hash = $1 and expires_at > $2 and (max_uses is null or uses < max_uses)`,
        [hashOf(code), now],
      );
      const membership = await present(locked, caller.id);
      const [holding] = rows as Pick<Invite, 'id'>[];
      if (membership === null && holding === undefined) throw noInvite();
      const entered = await enrol(locked, caller, membership);
      if (membership === null)
        await manager.query(`update room_invites set uses = uses + 1 where id = $1`, [holding?.id]);
      return entered;
    });
    await this.broadcaster.admit(caller.id, invite.roomId);
    return joined;
  }
}

/** The code is as random as a key, so that a plain hash is enough. */
function hashOf(code: string): Buffer {
  return createHash('sha256').update(code).digest();
}

function noInvite(): ChatError {
  return new ChatError('not_found', 'This invite does not hold (any more)');
}

function toInvite({ id, roomId, createdBy, createdAt, expiresAt, maxUses, uses }: InviteRow): Invite {
  return {
    id,
    roomId,
    createdBy,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    maxUses,
    uses,
  };
}
