import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import { limits } from '../protocol/index.js';
import type { ChatSocket } from './chat-socket.js';
import { Epoch } from './epoch.js';

/** Greets a socket. By now the handshake has joined it to its rooms, so nothing that happens from here on is missed. */
@WebSocketGateway()
export class SessionGateway implements OnGatewayConnection<ChatSocket> {
  constructor(private readonly epoch: Epoch) {}

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
}
