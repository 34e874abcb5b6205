import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';
import type { ChatServer } from './chat-socket.js';
import { RedisBus } from './redis-bus.js';

/** What other instances may have something new of. */
export type HintTopic = 'filters' | 'shadows';

/** Tells other instances that there is something to look at in Postgres. It may be lost: who listens looks by himself, too. */
@Injectable()
export class Hints {
  private readonly events = new EventEmitter();
  private server: ChatServer | undefined;

  constructor(private readonly bus: RedisBus) {}

  attach(server: ChatServer): void {
    this.server = server;
    server.on('hint', (topic) => this.events.emit(topic));
  }

  give(topic: HintTopic): void {
    if (this.bus.enabled) this.server?.serverSideEmit('hint', topic);
  }

  on(topic: HintTopic, listener: () => void): void {
    this.events.on(topic, listener);
  }
}
