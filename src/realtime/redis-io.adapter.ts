import { ServerResponse } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { ServerOptions } from 'socket.io';
import type { Config } from '../config.js';
import { limits } from '../protocol/index.js';
import { busAdapter } from './bus-adapter.js';
import type { ChatServer, ChatSocket } from './chat-socket.js';
import { ConnectionGuard, type EngineConnection, type SocketIoClient } from './connection-guard.js';
import { Doorway, type Trust } from './doorway.js';
import { Drain } from './drain.js';
import { Handshake } from './handshake.js';
import { Hints } from './hints.js';
import { readTexts } from './inlet.js';
import { Isolation } from './isolation.js';
import { originCheck } from './origins.js';
import { OnlineCounts } from './online-counts.js';
import { LimitShares } from './limit-shares.js';
import { PresenceBoard } from './presence-board.js';
import { RedisBus } from './redis-bus.js';
import { RequestDispatcher } from './request-dispatcher.js';
import { RoomBroadcaster } from './room-broadcaster.js';
import { Sessions } from './sessions.js';
import { RoomSignals } from './room-signals.js';

/** A connection that does not ask to come in within this time is closed, in ms … */
const CONNECT_WITHIN = 8_000;
/** … and one that does not answer its close within this time is cut, in ms; `ws` waits half a minute. */
const CLOSE_WITHIN = 2_000;

/**
 * Nest's WebSocket adapter, on the Socket.IO Redis adapter. Holds every server option, lets in who passes the handshake,
 * and answers each request exactly once.
 */
export class RedisIoAdapter extends IoAdapter {
  private readonly guard: ConnectionGuard;
  private isBound = false;

  constructor(
    private readonly app: INestApplication,
    private readonly config: Config,
  ) {
    super(app);
    this.guard = app.get(ConnectionGuard);
  }

  override createIOServer(port: number): ChatServer {
    const bus = this.app.get(RedisBus);
    const door = this.app.get(Doorway);
    door.believe(this.trust());
    const options: Partial<ServerOptions> = {
      transports: ['websocket', 'polling'],
      maxHttpBufferSize: limits.payloadBytes,
      connectTimeout: CONNECT_WITHIN,
      serveClient: false,
      perMessageDeflate: false,
      cleanupEmptyChildNamespaces: true,
      ...originCheck(this.config, (request) => door.mayKnock(request)),
    };
    if (this.config.redis !== undefined) options.adapter = busAdapter(bus, this.config.redis);
    const server = super.createIOServer(port, options as ServerOptions) as ChatServer;
    // Engine.IO makes its WebSocket server when the HTTP server begins to listen.
    server.httpServer.once('listening', () => {
      const { ws } = server.engine as unknown as { ws: { options: { closeTimeout: number } } };
      ws.options.closeTimeout = CLOSE_WITHIN;
    });
    // For what is attached here: many, and no more as time goes by.
    server.sockets.setMaxListeners(0);
    server.on('connection', (socket) => socket.setMaxListeners(0));
    this.app.get(RoomBroadcaster).attach(server);
    this.app.get(RoomSignals).attach(server);
    this.app.get(PresenceBoard).attach(server);
    this.app.get(OnlineCounts).attach(server);
    this.app.get(Handshake).attach(server);
    this.app.get(Drain).attach(server);
    this.app.get(Sessions).attach(server);
    this.app.get(Hints).attach(server);
    this.app.get(LimitShares).attach(server);
    this.app.get(Isolation).attach(server);
    this.app.get(RequestDispatcher).attach(server);
    server.engine.use(forgetRequest);
    server.engine.on('connection', (connection: EngineConnection) => {
      door.watch(connection as unknown as Parameters<Doorway['watch']>[0]);
      this.guard.watch(connection);
      readTexts(connection);
    });
    server.on('connection', (socket) => {
      this.guard.shedSignals(socket.client as unknown as SocketIoClient);
    });
    return server;
  }

  /** By the rule by which REST knows a client's address. */
  private trust(): Trust {
    const express = this.app.getHttpAdapter().getInstance() as { get(setting: string): unknown };
    return express.get('trust proxy fn') as Trust;
  }

  /**
   * Nest binds each gateway, and each binding then makes listeners and observables for each connection. All gateways share one
   * stream of connections, so the first binding feeds it for all; requests are taken by `RequestDispatcher`, and none of the
   * gateways asks to be told of disconnects.
   */
  override bindClientConnect(server: ChatServer, callback: (socket: ChatSocket) => void): void {
    if (this.isBound) return;
    this.isBound = true;
    super.bindClientConnect(server, callback);
  }

  override bindClientDisconnect(): void {}

  override bindMessageHandlers(): void {}
}

/**
 * What Engine.IO answers an upgrade with stays for as long as the connection, and with it the request, its headers and all that
 * is secret in them. It is needed there only by what runs before this.
 */
function forgetRequest(_request: unknown, response: { req?: unknown }, next: () => void): void {
  if (!(response instanceof ServerResponse)) response.req = undefined;
  next();
}
