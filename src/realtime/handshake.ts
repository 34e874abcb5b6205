import { Injectable, Logger } from '@nestjs/common';
import { z } from 'zod';
import { ChatError } from '../chat-error.js';
import { errorBodyOf } from '../error-body.js';
import { TokensService } from '../auth/tokens.service.js';
import type { ErrorBody } from '../protocol/index.js';
import type { ChatServer, ChatSocket } from './chat-socket.js';
import { isWithinBounds } from '../payload.js';
import { RoomBroadcaster } from './room-broadcaster.js';

const Auth = z.strictObject({ token: z.string().min(1).max(8_192) });
/** The refusal gets this long to reach the client before the connection is closed, in ms. */
const LAST_WORD = 50;

/**
 * Decides who gets a socket. It runs as Socket.IO middleware, before the socket exists for Nest: no event is handled
 * and nothing is sent to a connection that did not pass.
 */
@Injectable()
export class Handshake {
  private readonly logger = new Logger(Handshake.name);
  private readonly seen = new WeakSet<object>();

  constructor(
    private readonly tokens: TokensService,
    private readonly broadcaster: RoomBroadcaster,
  ) {}

  attach(server: ChatServer): void {
    server.use((socket, next) => {
      // Marked at once: while a check is under way, every further CONNECT packet would start one more socket.
      if (this.seen.has(socket.conn)) {
        socket.conn.close();
        return;
      }
      this.seen.add(socket.conn);
      this.check(socket).then(
        () => next(),
        (error: unknown) => {
          next(new Refusal(errorBodyOf(error)));
          setTimeout(() => socket.conn.close(), LAST_WORD);
        },
      );
    });
    // There is one namespace; asking for another one is no mistake that a client of ours makes.
    server.engine.on(
      'connection',
      (connection: { on(event: 'packet', listener: (packet: unknown) => void): void; close(): void }) => {
        connection.on('packet', (packet) => {
          const { type, data } = packet as { type: string; data: unknown };
          if (type === 'message' && typeof data === 'string' && /^0\/[^,]/.test(data)) connection.close();
        });
      },
    );
  }

  /** @throws ChatError, or what the database says */
  private async check(socket: ChatSocket): Promise<void> {
    const auth: unknown = socket.handshake.auth;
    const parsed = isWithinBounds(auth) ? Auth.safeParse(auth) : undefined;
    forgetSecrets(socket);
    if (parsed?.success !== true) throw new ChatError('unauthenticated', 'Connect with auth: { token }');
    socket.data.caller = { ...(await this.tokens.verify(parsed.data.token)), sessionId: socket.id };
    socket.data.inFlight = 0;
    await this.broadcaster.enterOwnRooms(socket);
    this.logger.debug(`User ${socket.data.caller.id} connected as ${socket.id}`);
  }
}

/** What the handshake brought must not outlive the check: the adapter would send it to other instances, and memory would keep it. */
function forgetSecrets(socket: ChatSocket): void {
  const { handshake } = socket;
  handshake.auth = {};
  handshake.headers = {};
  handshake.query = {};
  handshake.url = '';
}

class Refusal extends Error {
  constructor(readonly data: ErrorBody) {
    super(data.code);
  }
}
