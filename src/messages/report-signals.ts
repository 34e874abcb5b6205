import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { limits } from '../protocol/index.js';
import { RoomSignals } from '../realtime/room-signals.js';

/** From the first news of reports until those who govern are told of all that came, in ms. */
const PAUSE = 1_000;
/** Rooms of which is told at once; news of more is let go. */
const ROOMS = 500;
/** Of a room so many are told. */
const TOLD = 50;

/** Tells those who govern a room how many reports wait there; may be lost, and costs one query a second for all rooms together. */
@Injectable()
export class ReportSignals implements BeforeApplicationShutdown {
  private readonly logger = new Logger(ReportSignals.name);
  private rooms = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly signals: RoomSignals,
  ) {}

  /** Called after what moved the queue of the room was committed. */
  note(roomId: string): void {
    if (this.rooms.size < ROOMS) this.rooms.add(roomId);
    this.timer ??= setTimeout(() => void this.tell(), PAUSE);
  }

  beforeApplicationShutdown(): void {
    clearTimeout(this.timer);
  }

  private async tell(): Promise<void> {
    const rooms = [...this.rooms];
    this.rooms = new Set();
    this.timer = undefined;
    try {
      const rows: unknown = await this.dataSource.query(
        `select room.id as "roomId", (
           select count(*)::int from (
             select from reports where room_id = room.id and answered_at is null limit ${limits.unreadCap}
           ) waiting
         ) as open, array(
           select user_id from (
             select user_id from memberships where room_id = room.id and role = 'owner' and left_at is null
             union all
             select user_id from memberships where room_id = room.id and role = 'moderator' and left_at is null
           ) governing limit ${TOLD}
         ) as users
         from unnest($1::uuid[]) as room(id)`,
        [rooms],
      );
      for (const { roomId, open, users } of rows as { roomId: string; open: number; users: string[] }[])
        this.signals.tellReports(users, { roomId, open });
    } catch (error) {
      this.logger.warn(`Telling of reports failed: ${String(error)}`);
    }
  }
}
