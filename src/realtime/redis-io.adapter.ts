import type { INestApplication } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { ServerOptions } from 'socket.io';
import type { Config } from '../config.js';
import { limits } from '../protocol/index.js';
import { busAdapter } from './bus-adapter.js';
import type { ChatServer } from './chat-socket.js';
import { ConnectionGuard, type EngineConnection, type SocketIoClient } from './connection-guard.js';
import { Drain } from './drain.js';
import { Handshake } from './handshake.js';
import { Isolation } from './isolation.js';
import { originCheck } from './origins.js';
import { RedisBus } from './redis-bus.js';
import { RequestDispatcher } from './request-dispatcher.js';
import { RoomBroadcaster } from './room-broadcaster.js';

/**
 * Nest's WebSocket adapter, on the Socket.IO Redis adapter. Holds every server option, lets in who passes the handshake,
 * and answers each request exactly once.
 */
export class RedisIoAdapter extends IoAdapter {
  private readonly guard: ConnectionGuard;

  constructor(
    private readonly app: INestApplication,
    private readonly config: Config,
  ) {
    super(app);
    this.guard = app.get(ConnectionGuard);
  }

  override createIOServer(port: number): ChatServer {
    const bus = this.app.get(RedisBus);
    const options: Partial<ServerOptions> = {
      transports: ['websocket', 'polling'],
      maxHttpBufferSize: limits.payloadBytes,
      connectTimeout: 10_000,
      serveClient: false,
      perMessageDeflate: false,
      cleanupEmptyChildNamespaces: true,
      ...originCheck(this.config),
    };
    if (this.config.redis !== undefined) options.adapter = busAdapter(bus, this.config.redis);
    const server = super.createIOServer(port, options as ServerOptions) as ChatServer;
    this.app.get(RoomBroadcaster).attach(server);
    this.app.get(Handshake).attach(server);
    this.app.get(Drain).attach(server);
    this.app.get(Isolation).attach(server);
    this.app.get(RequestDispatcher).attach(server);
    server.engine.on('connection', (connection: EngineConnection) => {
      this.guard.watch(connection);
    });
    server.on('connection', (socket) => {
      this.guard.shedSignals(socket.client as unknown as SocketIoClient);
    });
    return server;
  }
}
