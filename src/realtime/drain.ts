import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import type { ChatServer, ChatSocket } from './chat-socket.js';

/** Requests under way get this long to be answered, in ms. */
const IN_FLIGHT_PATIENCE = 3_000;
/** Between the polite close of what is left and its cutting, in ms. */
const CLOSE_PATIENCE = 500;
const LOOK_EVERY = 25;
/** `WebSocket.CLOSED` */
const CLOSED = 3;

interface WebSocketLink {
  readonly readyState: number;
  terminate(): void;
}

/**
 * Going away without anyone noticing: takes no new clients, asks those that are here to come back spread out over
 * `drainMs`, answers what is under way, and cuts who does not leave. The rest of the application stops only after that.
 */
@Injectable()
export class Drain implements OnModuleDestroy, BeforeApplicationShutdown {
  private readonly logger = new Logger(Drain.name);
  private server: ChatServer | undefined;
  /** Every connection of the HTTP server, WebSockets too. */
  private readonly connections = new Set<Socket>();
  /** True from the first sign of a stop on: no readiness, no new sockets. */
  draining = false;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  attach(server: ChatServer): void {
    this.server = server;
    const http = server.httpServer as Server;
    http.on('connection', (connection: Socket) => {
      this.connections.add(connection);
      connection.once('close', () => this.connections.delete(connection));
    });
    // Who keeps a connection for his next request would keep the server; he is told to make the next one elsewhere.
    http.prependListener('request', (_request, response) => {
      if (this.draining) response.setHeader('connection', 'close');
    });
  }

  onModuleDestroy(): void {
    this.draining = true;
  }

  async beforeApplicationShutdown(): Promise<void> {
    if (this.sockets().length > 0) await this.sendAway();
    // The HTTP server stops listening next, and ends with its last connection: one that asks for nothing would keep it for ever.
    setTimeout(() => {
      for (const connection of this.connections) connection.destroy();
    }, IN_FLIGHT_PATIENCE).unref();
  }

  private async sendAway(): Promise<void> {
    const { drainMs } = this.config;
    this.logger.log(`Asking ${this.sockets().length} clients to come back elsewhere within ${drainMs} ms`);
    this.server?.local.emit('session:reconnect', {
      reason: 'draining',
      afterMs: 0,
      spreadMs: Math.floor(drainMs * 0.8),
    });
    await this.until(() => this.sockets().length === 0, drainMs);
    await this.until(() => this.sockets().every(({ data }) => data.inFlight === 0), IN_FLIGHT_PATIENCE);
    const links = this.links();
    for (const socket of this.sockets()) socket.disconnect(true);
    await this.until(() => links.every((link) => link.readyState === CLOSED), CLOSE_PATIENCE);
    for (const link of links) link.terminate();
  }

  /**
   * The WebSockets beneath, taken before the close: Engine.IO lets go of them at once, but a client that does not read would
   * hold up the end of the server for the thirty seconds that `ws` waits for its part of the close.
   */
  private links(): WebSocketLink[] {
    const { clients } = this.server?.engine as unknown as {
      clients: Record<string, { transport: { socket?: WebSocketLink } }>;
    };
    return Object.values(clients).flatMap(({ transport }) => transport.socket ?? []);
  }

  private sockets(): ChatSocket[] {
    return [...(this.server?.of('/').sockets.values() ?? [])];
  }

  private async until(condition: () => boolean, patience: number): Promise<void> {
    const deadline = performance.now() + patience;
    while (!condition() && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
}
