import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Limits } from '../limits/limits.js';
import type { ChatServer } from './chat-socket.js';
import { RedisBus } from './redis-bus.js';

/** How often other instances are told what was used of limits here, in ms; and soon, where somebody uses much. */
const TELL_EVERY = 250;
const SOON = 10;
const SWEEP_EVERY = 10_000;

/** Has the instances tell each other what is used of limits. What is lost on the way lets somebody do more for a moment. */
@Injectable()
export class LimitShares implements BeforeApplicationShutdown {
  private readonly timers: NodeJS.Timeout[] = [];
  private soon: NodeJS.Timeout | undefined;
  private server: ChatServer | undefined;

  constructor(
    private readonly limits: Limits,
    private readonly bus: RedisBus,
  ) {}

  /** Called once, by the adapter, before the first connection. */
  attach(server: ChatServer): void {
    this.timers.push(setInterval(() => this.limits.sweep(), SWEEP_EVERY));
    if (!this.bus.enabled) return;
    this.server = server;
    server.on('limits', (told: unknown) => this.limits.hear(told));
    this.limits.share(
      () => this.bus.company,
      () => (this.soon ??= setTimeout(() => this.tell(), SOON)),
    );
    this.timers.push(setInterval(() => this.tell(), TELL_EVERY));
  }

  beforeApplicationShutdown(): void {
    this.timers.forEach(clearInterval);
    clearTimeout(this.soon);
  }

  private tell(): void {
    clearTimeout(this.soon);
    this.soon = undefined;
    for (const told of this.limits.tell()) this.server?.serverSideEmit('limits', told);
  }
}
