import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Hints } from '../realtime/hints.js';

/** How often Postgres is asked, in ms: so late it is where the bus has lost the news. */
const LOOK_EVERY = 5_000;
/** Those whose shadow ends last; past that, more are not known here. */
const MOST = 10_000;

/**
 * Who is in the shadow in which room, for what is told without a look at the database: that somebody types. What is written looks
 * at the membership itself.
 */
@Injectable()
export class ShadowList implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ShadowList.name);
  private members = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly hints: Hints,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.hints.on('shadows', () => void this.look());
    await this.look();
  }

  beforeApplicationShutdown(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  has(roomId: string, userId: string): boolean {
    return this.members.size > 0 && this.members.has(keyOf(roomId, userId));
  }

  /** Never rejects. */
  async look(): Promise<void> {
    clearTimeout(this.timer);
    try {
      const rows: unknown = await this.dataSource.query(
        `select room_id as "roomId", user_id as "userId" from memberships where shadow_until > now()
         order by shadow_until desc limit ${MOST}`,
      );
      this.members = new Set((rows as Key[]).map(({ roomId, userId }) => keyOf(roomId, userId)));
    } catch (error) {
      if (!this.stopped) this.logger.warn(`Looking for members in the shadow failed: ${String(error)}`);
    }
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => void this.look(), LOOK_EVERY);
  }
}

interface Key {
  roomId: string;
  userId: string;
}

function keyOf(roomId: string, userId: string): string {
  return `${roomId} ${userId}`;
}
