import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Caller } from '../auth/caller.js';
import { ChatError } from '../chat-error.js';
import { limits, type Change, type DirectRoom, type Member, type RoomAndMember, type User } from '../protocol/index.js';
import { Limits } from '../limits/limits.js';
import { RoomBroadcaster } from '../realtime/room-broadcaster.js';
import { UsersService } from '../users/users.service.js';
import { enrol, present } from './enrolment.js';
import { toRoom, type RoomEntity } from './room.entity.js';
import { RoomLedger, type LockedRoom, type Outcome } from './room-ledger.js';
import { newRoom } from './room-settings.js';

/** The room of two users: one for each pair, whoever asks, however often and wherever at the same time. */
@Injectable()
export class DirectRoomsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly ledger: RoomLedger,
    private readonly broadcaster: RoomBroadcaster,
    private readonly users: UsersService,
    private readonly limits: Limits,
  ) {}

  /** Both are in it afterwards, also one who had left it. @throws ChatError `not_found`, `invalid_argument` for oneself */
  async open(caller: Caller, { userId }: DirectRoom): Promise<RoomAndMember> {
    if (userId === caller.id) throw new ChatError('invalid_argument', 'A direct room takes two');
    this.limits.takeOf('rooms', caller);
    const pair: [User, User] = [caller, await this.users.get(userId)];
    const [directLow, directHigh] = [caller.id, userId].sort() as [string, string];
    const found = await this.find(directLow, directHigh);
    const room = found === undefined ? directRoom(pair, directLow, directHigh) : undefined;
    const created = room && (await this.ledger.create(room, (locked) => enterBoth(locked, pair, room)));
    const opened = created ?? (await this.reopen(found ?? (await this.find(directLow, directHigh)), pair));
    for (const { id } of pair) await this.broadcaster.admit(id, opened.room.id);
    return opened;
  }

  private async find(low: string, high: string): Promise<string | undefined> {
    const rows: unknown = await this.dataSource.query(
      `select id from rooms where direct_low = $1 and direct_high = $2`,
      [low, high],
    );
    return (rows as { id: string }[])[0]?.id;
  }

  private reopen(roomId: string | undefined, pair: readonly [User, User]): Promise<RoomAndMember> {
    if (roomId === undefined) throw new ChatError('unavailable', 'The room could not be made');
    return this.ledger.change(roomId, (locked) => enterBoth(locked, pair));
  }
}

/** The caller's membership is the result. @param made the room, where its making is a change of its own */
async function enterBoth(
  locked: LockedRoom,
  [caller, other]: readonly [User, User],
  made?: RoomEntity,
): Promise<Outcome<RoomAndMember>> {
  const changes: Change[] = [];
  if (made !== undefined) {
    made.settingsRev = locked.nextRev();
    changes.push({ rev: made.settingsRev, kind: 'room', room: toRoom(made) });
  }
  const enter = async (user: User): Promise<Member> => {
    const entered = await enrol(locked, user, await present(locked, user.id));
    changes.push(...entered.changes);
    return entered.result.member;
  };
  const member = await enter(caller);
  await enter(other);
  return { result: { room: toRoom(locked.room), member }, changes };
}

function directRoom(pair: readonly [User, User], directLow: string, directHigh: string): RoomEntity {
  const [{ id }] = pair;
  // What a client shows that does not know of direct rooms.
  const name = pair
    .map((user) => user.name)
    .join(', ')
    .slice(0, limits.roomNameLength)
    .toWellFormed();
  const room = newRoom(id, {
    name,
    topic: '',
    visibility: 'private',
    readOnly: false,
    meta: {},
    slowModeS: 0,
    memberLimit: null,
    historyVisible: 'all',
    joinRequests: false,
  });
  return { ...room, kind: 'direct', directLow, directHigh };
}
