import type { OnGatewayConnection } from '@nestjs/websockets';
import type { Caller } from '../auth/caller.js';
import { limits, type Credentials, type Refreshed } from '../protocol/index.js';
import { ChatGateway, On } from './chat-gateway.js';
import type { ChatSocket } from './chat-socket.js';
import { Epoch } from './epoch.js';
import { Sessions } from './sessions.js';

/** Greets a socket. By now the handshake has joined it to its rooms, so nothing that happens from here on is missed. */
@ChatGateway()
export class SessionGateway implements OnGatewayConnection<ChatSocket> {
  constructor(
    private readonly epoch: Epoch,
    private readonly sessions: Sessions,
  ) {}

  /** Synchronous and free of throws: Nest does not wait for it, and what it throws ends the process. */
  handleConnection(socket: ChatSocket): void {
    const { caller } = socket.data;
    socket.emit('session:ready', {
      sessionId: socket.id,
      userId: caller.id,
      epoch: this.epoch.id,
      serverTime: new Date().toISOString(),
      tokenExpiresAt: new Date(caller.tokenExpiresAt).toISOString(),
      limits,
    });
  }

  @On('auth:refresh')
  refresh(caller: Caller, request: Credentials): Promise<Refreshed> {
    return this.sessions.refresh(caller, request);
  }
}
