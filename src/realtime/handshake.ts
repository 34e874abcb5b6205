import { Inject, Injectable, Logger } from '@nestjs/common';
import { checkScope } from '../auth/caller.js';
import { TokensService } from '../auth/tokens.service.js';
import { ChatError } from '../chat-error.js';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import { Admission } from '../database/admission.js';
import { errorBodyOf } from '../error-body.js';
import { isWithinBounds } from '../payload.js';
import { HandshakeAuth, type ErrorBody } from '../protocol/index.js';
import type { ChatServer, ChatSocket } from './chat-socket.js';
import { Doorway } from './doorway.js';
import { Drain } from './drain.js';
import { Flooders } from './flooders.js';
import { Isolation } from './isolation.js';
import { RoomBroadcaster } from './room-broadcaster.js';
import { TokenBucket } from './token-bucket.js';

/** The refusal gets this long to reach the client before the connection is closed, in ms. */
const LAST_WORD = 50;
/** How many seconds of connects may wait for their turn; the next one is told when to come back. */
const BACKLOG_SECONDS = 6;

/**
 * Decides who gets a socket. It runs as Socket.IO middleware, before the socket exists for Nest: no event is handled
 * and nothing is sent to a connection that did not pass. When everyone comes back at once, they are let in at a rate.
 */
@Injectable()
export class Handshake {
  private readonly logger = new Logger(Handshake.name);
  private readonly admitted: TokenBucket;
  private waiting = 0;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly tokens: TokensService,
    private readonly broadcaster: RoomBroadcaster,
    private readonly drain: Drain,
    private readonly isolation: Isolation,
    private readonly admission: Admission,
    private readonly flooders: Flooders,
    private readonly door: Doorway,
  ) {
    const { connectsPerSecond } = config.limits;
    this.admitted = new TokenBucket(connectsPerSecond, connectsPerSecond);
  }

  attach(server: ChatServer): void {
    server.use((socket, next) => {
      this.check(socket).then(
        () => next(),
        (error: unknown) => {
          if (error instanceof ChatError && error.code === 'unauthenticated') this.door.noteRefused(socket.conn);
          next(new Refusal(errorBodyOf(error)));
          setTimeout(() => socket.conn.close(), LAST_WORD);
        },
      );
    });
  }

  /** @throws ChatError, or what the database says */
  private async check(socket: ChatSocket): Promise<void> {
    const auth: unknown = socket.handshake.auth;
    const parsed = isWithinBounds(auth) ? HandshakeAuth.safeParse(auth) : undefined;
    forgetSecrets(socket);
    if (this.drain.draining)
      throw new ChatError('draining', 'This instance is going away; connect again', { retryAfterMs: 200 });
    if (this.isolation.isolated)
      throw new ChatError('unavailable', 'This instance is cut off; connect to another one', { retryAfterMs: 500 });
    if (parsed?.success !== true) throw new ChatError('unauthenticated', 'Connect with auth: { token }');
    // Before its turn: who has no token that holds must not take the turns of those who have one.
    const identity = await this.tokens.check(parsed.data.token);
    const address = this.door.noteChecked(socket.conn) ?? socket.handshake.address;
    this.flooders.enter(socket.conn, `${identity.kind} ${identity.subject}`);
    await this.takeTurn();
    const caller = await this.tokens.callerOf(identity);
    checkScope(caller, 'chat:read');
    this.door.enter(socket.conn, caller.id);
    socket.data.caller = { ...caller, sessionId: socket.id, address };
    if (parsed.data.background === true) socket.data.background = true;
    socket.data.inFlight = 0;
    socket.data.heldUntil = 0;
    this.admission.check();
    await this.broadcaster.enterOwnRooms(socket);
    this.logger.debug(`User ${socket.data.caller.id} connected as ${socket.id}`);
  }

  /** @throws ChatError `overloaded` */
  private async takeTurn(): Promise<void> {
    const { connectsPerSecond } = this.config.limits;
    if (this.waiting >= BACKLOG_SECONDS * connectsPerSecond) {
      const retryAfterMs = Math.floor(2_000 * (1 + Math.random() * 2));
      throw new ChatError('overloaded', 'Too many clients connect at once', { retryAfterMs });
    }
    this.waiting += 1;
    try {
      while (!this.admitted.take(1)) {
        // Those who wait share the tokens that come back, so each looks again at about its own place in the line.
        const pause = this.admitted.waitFor(this.waiting * Math.random() + 1);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    } finally {
      this.waiting -= 1;
    }
  }
}

/** What the handshake brought must not outlive the check: the adapter would send it to other instances, and memory would keep it. */
function forgetSecrets(socket: ChatSocket): void {
  const { handshake, conn } = socket;
  handshake.auth = {};
  handshake.headers = {};
  handshake.query = {};
  handshake.url = '';
  // The HTTP request of the first transport, with its headers and its address, for as long as the connection stands.
  (conn as { request?: unknown }).request = undefined;
}

class Refusal extends Error {
  constructor(readonly data: ErrorBody) {
    super(data.code);
  }
}
