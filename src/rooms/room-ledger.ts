import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { ChatError } from '../chat-error.js';
import { record, type Act } from '../audit/audit-log.js';
import type { Change, RoomChanges } from '../protocol/index.js';
import { RoomBroadcaster } from '../realtime/room-broadcaster.js';
import { RoomEntity } from './room.entity.js';

/** A room whose row is locked: nobody else can take a number in it until the transaction ends. */
export interface LockedRoom {
  readonly manager: EntityManager;
  readonly room: RoomEntity;
  /** The moment of the change, by the database's clock. */
  readonly now: Date;
  /** Takes the next rev, for the row that is about to change. */
  nextRev(): number;
}

const NOW = `date_trunc('milliseconds', clock_timestamp()) as now`;
/** The clock is read when the lock is held. By hand, as is what else every change needs: a query builder costs more than Postgres does. */
const LOCK = `
  with locked as materialized (select * from rooms where id = $1 for no key update)
  select id, name, topic, kind, direct_low as "directLow", direct_high as "directHigh", visibility, read_only as "readOnly", meta,
         slow_mode_s as "slowModeS", member_limit as "memberLimit", history_visible as "historyVisible",
         join_requests as "joinRequests", created_by as "createdBy", created_at as "createdAt", archived_at as "archivedAt",
         member_count as "memberCount", seq, rev, settings_rev as "settingsRev", ${NOW}
  from locked`;

export interface Outcome<T> {
  result: T;
  /** What changed, each with the rev that was taken for it. Where more revs were taken after those, what they are is read from the database. */
  changes: Change[];
  /** For the audit log; the room need not be said. */
  audit?: Act | undefined;
}

/**
 * Every durable change of a room other than a send: one transaction that locks the room, numbers what it changes and moves
 * the room's counters; told to everyone after the commit, never before.
 */
@Injectable()
export class RoomLedger {
  constructor(
    private readonly dataSource: DataSource,
    private readonly broadcaster: RoomBroadcaster,
  ) {}

  /**
   * Runs `work` on the locked room, commits and publishes. What `work` throws undoes everything.
   * @throws ChatError `not_found`
   */
  async change<T>(roomId: string, work: (locked: LockedRoom) => Promise<Outcome<T>>): Promise<T> {
    const { result, frames } = await this.dataSource.transaction(async (manager) => {
      const rows: unknown = await manager.query(LOCK, [roomId]);
      const [locked] = rows as (RoomEntity & { now: Date })[];
      if (locked === undefined) throw new ChatError('not_found', 'There is no such room');
      const { now, ...room } = locked;
      return number(manager, room, now, work);
    });
    if (frames.length > 0) this.broadcaster.publish(frames);
    return result;
  }

  /** The same for a room that `work` is the first to write to. `room` is inserted, if its id is free. */
  async create<T>(room: RoomEntity, work: (locked: LockedRoom) => Promise<Outcome<T>>): Promise<T | undefined> {
    const created = await this.dataSource.transaction(async (manager) => {
      const inserted = await manager
        .createQueryBuilder()
        .insert()
        .into(RoomEntity)
        .values({ ...room, meta: room.meta as object })
        .orIgnore()
        .returning('id')
        .execute();
      if ((inserted.raw as unknown[]).length === 0) return undefined;
      const clock: unknown = await manager.query(`select ${NOW}`);
      return number(manager, room, (clock as { now: Date }[])[0]?.now ?? new Date(), work);
    });
    if (created === undefined) return undefined;
    this.broadcaster.publish(created.frames);
    return created.result;
  }
}

async function number<T>(
  manager: EntityManager,
  room: RoomEntity,
  now: Date,
  work: (locked: LockedRoom) => Promise<Outcome<T>>,
): Promise<{ result: T; frames: RoomChanges[] }> {
  const after = room.rev;
  const { result, changes, audit } = await work({ manager, room, now, nextRev: () => (room.rev += 1) });
  if (room.rev > after) {
    const { id, rev, settingsRev, memberCount } = room;
    await manager.query(`update rooms set rev = $2, settings_rev = $3, member_count = $4 where id = $1`, [
      id,
      rev,
      settingsRev,
      memberCount,
    ]);
  }
  if (audit !== undefined) await record(manager, { roomId: room.id, ...audit });
  const upTo = changes.at(-1)?.rev ?? after;
  const frames: RoomChanges[] = changes.length > 0 ? [{ roomId: room.id, after, upTo, changes }] : [];
  // Empty, at the head: who gets it has missed what is before, and reads it in pages.
  if (room.rev > upTo) frames.push({ roomId: room.id, after: room.rev, upTo: room.rev, changes: [] });
  return { result, frames };
}
