import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { Pulse } from '../database/pulse.js';
import type { ChatServer } from './chat-socket.js';
import { RedisBus } from './redis-bus.js';

const LOOK_EVERY = 1_000;
/**
 * Neither Redis nor Postgres for this long, in ms, and it is this instance that is cut off, as far as it can tell. A balancer that
 * asks for readiness every second has taken it out by then, so that clients come back to another one.
 */
const CUT_OFF_AFTER = 4_000;
/** Over this long the clients leave, in ms. */
const SPREAD = 4_000;

/**
 * Sends clients elsewhere when this instance can do nothing for them: their connections are fine, so they would stay. Without
 * Postgres alone they do stay, for it is the same Postgres elsewhere; that Redis is gone too tells the loss of a network from
 * that of a database. Where both are really gone for all, clients come back when they are.
 */
@Injectable()
export class Isolation implements BeforeApplicationShutdown {
  private readonly logger = new Logger(Isolation.name);
  private server: ChatServer | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private since: number | undefined;
  /** While it is true no new sockets are let in. */
  isolated = false;

  constructor(
    private readonly bus: RedisBus,
    private readonly pulse: Pulse,
  ) {}

  attach(server: ChatServer): void {
    this.server = server;
    if (!this.bus.enabled) return;
    this.bus.onTurn(() => this.lookIn(0));
    this.lookIn(LOOK_EVERY);
  }

  beforeApplicationShutdown(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private lookIn(pause: number): void {
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => void this.look(), pause);
  }

  private async look(): Promise<void> {
    const now = performance.now();
    if (this.bus.healthy || (await this.pulse.beats())) this.rejoin();
    else this.note(now);
    if (!this.bus.healthy) this.lookIn(LOOK_EVERY);
  }

  private note(now: number): void {
    this.since ??= now;
    if (this.isolated || now - this.since < CUT_OFF_AFTER) return;
    this.isolated = true;
    this.logger.error(
      'Neither Postgres nor Redis can be reached from here: clients are sent to other instances until one can',
    );
    this.server?.local.emit('session:reconnect', { reason: 'isolated', afterMs: 0, spreadMs: SPREAD });
  }

  private rejoin(): void {
    this.since = undefined;
    if (!this.isolated) return;
    this.isolated = false;
    this.logger.log('Postgres or Redis can be reached again: clients are welcome');
  }
}
