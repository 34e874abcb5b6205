import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { AccessService } from '../auth/access.service.js';
import { checkScope, credentialOf, type Caller } from '../auth/caller.js';
import { TokensService } from '../auth/tokens.service.js';
import { ChatError } from '../chat-error.js';
import type { Credentials, Refreshed } from '../protocol/index.js';
import { refusalOf, type Access } from '../users/access.js';
import type { ChatServer, ChatSocket } from './chat-socket.js';
import { RedisBus } from './redis-bus.js';
import { userChannel } from './room-names.js';

/** So long before its token ends a client is told, in ms. */
const NOTICE = 60_000;
const LOOK_EVERY = 1_000;
/**
 * After the moment from which other tokens are wanted, in ms: a client that then asks its app for one shall get one that was made
 * later, also where the app's clock is a little behind.
 */
const CLOCKS = 250;

/**
 * A connection does not outlive its token: its client is told in good time, may bring another token, and is closed when the
 * time is over. One timer looks at all of them, so that a connection costs nothing for it.
 */
@Injectable()
export class Sessions implements BeforeApplicationShutdown {
  private server: ChatServer | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly tokens: TokensService,
    private readonly access: AccessService,
    private readonly bus: RedisBus,
  ) {}

  attach(server: ChatServer): void {
    this.server = server;
    this.timer = setInterval(() => this.look(), LOOK_EVERY);
    this.access.onChange((id, access) => this.planClosing(id, access));
    this.access.onOwnChange(() => {
      if (this.bus.enabled) server.serverSideEmit('access');
    });
    server.on('access', () => void this.access.look());
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /**
   * The connection goes on with this token; with the one it had where this one is refused.
   * @throws ChatError `forbidden` for another user's token, and for a key that may not read, otherwise as in the handshake
   */
  async refresh(caller: Caller, { token }: Credentials): Promise<Refreshed> {
    const fresh = await this.tokens.verify(token);
    checkScope(fresh, 'chat:read');
    if (fresh.id !== caller.id) throw new ChatError('forbidden', 'The token is another user’s: connect anew with it');
    const socket = this.sockets.get(caller.sessionId ?? '');
    if (socket === undefined) throw new ChatError('unavailable', 'The connection has ended');
    socket.data.caller = { ...fresh, sessionId: socket.id };
    return { tokenExpiresAt: new Date(fresh.tokenExpiresAt).toISOString() };
  }

  private get sockets(): ReadonlyMap<string, ChatSocket> {
    return this.server?.of('/').sockets ?? new Map<string, ChatSocket>();
  }

  private look(): void {
    const now = Date.now();
    const { lately } = this.access;
    for (const socket of this.sockets.values()) {
      const { caller } = socket.data;
      const inMs = caller.tokenExpiresAt - now;
      // A socket that was in its handshake when its user was shut out is found here.
      if (lately.size > 0) {
        endIfRefused(socket, lately.get(caller.id), now);
        endIfRefused(socket, lately.get(credentialOf(caller) ?? ''), now);
      }
      if (inMs <= 0) end(socket, new ChatError('token_expired', 'The token has expired; connect with another one'));
      else if (inMs <= NOTICE) tell(socket, inMs);
    }
  }

  private planClosing(id: string, access: Access): void {
    const dueIn = access.validFrom + CLOCKS - Date.now();
    this.closeRefused(id, access);
    if (dueIn > 0) setTimeout(() => this.closeRefused(id, access), dueIn).unref();
  }

  private closeRefused(id: string, access: Access): void {
    if (access.revoked) {
      for (const socket of this.sockets.values())
        if (credentialOf(socket.data.caller) === id) endIfRefused(socket, access, Date.now());
      return;
    }
    const ids = this.server?.of('/').adapter.rooms.get(userChannel(id)) ?? [];
    for (const sessionId of [...ids]) {
      const socket = this.sockets.get(sessionId);
      if (socket !== undefined) endIfRefused(socket, access, Date.now());
    }
  }
}

/** Once for each end: bringing a token that ends no later does not make the server ask for it again. */
function tell(socket: ChatSocket, inMs: number): void {
  const { data } = socket;
  const { tokenExpiresAt } = data.caller;
  if (data.toldOf === tokenExpiresAt) return;
  data.toldOf = tokenExpiresAt;
  socket.emit('session:expiring', { expiresAt: new Date(tokenExpiresAt).toISOString(), inMs });
}

function endIfRefused(socket: ChatSocket, access: Access | undefined, now: number): void {
  if (access === undefined) return;
  const isDue = access.validFrom + CLOCKS <= now;
  const refusal = refusalOf(isDue ? access : { ...access, validFrom: 0 }, socket.data.caller.issuedAt, now);
  if (refusal !== undefined) end(socket, refusal);
}

function end(socket: ChatSocket, reason: ChatError): void {
  socket.emit('session:closed', { error: reason.toBody() });
  socket.disconnect(true);
}
