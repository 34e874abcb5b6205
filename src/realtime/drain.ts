import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import type { ChatServer, ChatSocket } from './chat-socket.js';

/** Requests under way get this long to be answered, in ms. */
const IN_FLIGHT_PATIENCE = 3_000;
/** Between the polite close of what is left and its cutting, in ms. */
const CLOSE_PATIENCE = 500;
const LOOK_EVERY = 25;

/**
 * Going away without anyone noticing: takes no new clients, asks those that are here to come back spread out over
 * `drainMs`, answers what is under way, and cuts who does not leave. The rest of the application stops only after that.
 */
@Injectable()
export class Drain implements OnModuleDestroy, BeforeApplicationShutdown {
  private readonly logger = new Logger(Drain.name);
  private server: ChatServer | undefined;
  /** True from the first sign of a stop on: no readiness, no new sockets. */
  draining = false;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  attach(server: ChatServer): void {
    this.server = server;
  }

  onModuleDestroy(): void {
    this.draining = true;
  }

  async beforeApplicationShutdown(): Promise<void> {
    const { drainMs } = this.config;
    if (this.sockets().length === 0) return;
    this.logger.log(`Asking ${this.sockets().length} clients to come back elsewhere within ${drainMs} ms`);
    this.server?.local.emit('session:reconnect', {
      reason: 'draining',
      afterMs: 0,
      spreadMs: Math.floor(drainMs * 0.8),
    });
    await this.until(() => this.sockets().length === 0, drainMs);
    await this.until(() => this.sockets().every(({ data }) => data.inFlight === 0), IN_FLIGHT_PATIENCE);
    for (const socket of this.sockets()) socket.disconnect(true);
    await this.until(() => this.connections() === 0, CLOSE_PATIENCE);
    this.terminate();
  }

  /** A client that does not read would hold up the close for the thirty seconds that `ws` waits for its handshake. */
  private terminate(): void {
    const clients = (
      this.server?.engine as
        | {
            clients?: Record<string, { transport: { socket?: { terminate?(): void } }; close(discard: boolean): void }>;
          }
        | undefined
    )?.clients;
    for (const client of Object.values(clients ?? {})) {
      client.transport.socket?.terminate?.();
      client.close(true);
    }
  }

  private sockets(): ChatSocket[] {
    return [...(this.server?.of('/').sockets.values() ?? [])];
  }

  private connections(): number {
    return this.server?.engine.clientsCount ?? 0;
  }

  private async until(condition: () => boolean, patience: number): Promise<void> {
    const deadline = performance.now() + patience;
    while (!condition() && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
}
