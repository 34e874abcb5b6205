import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import { TokenBucket } from './token-bucket.js';

/** How often connections with something to send are looked at, in ms. */
const LOOK_EVERY = 1_000;
/** A connection that takes nothing for this long while something waits for it is cut, in ms. */
const STALLED = 10_000;
/** A connection may send this many times the requests of its limit; past that it is no client, and is cut. */
const FLOOD = 4;

/** What we use of an Engine.IO connection; a test fails when a new version moves any of it. */
export interface EngineConnection {
  readonly transport: { readonly name: string; readonly socket?: { terminate(): void } };
  on(
    event: 'packetCreate' | 'packet',
    listener: (packet: { type: string; data?: string | Buffer | null }) => void,
  ): void;
  on(event: 'flush' | 'close', listener: () => void): void;
  close(discard?: boolean): void;
}

interface Outbound {
  /** Bytes that Engine.IO holds for the connection and has not handed to its transport. */
  bytes: number;
  /** When the oldest of them came, by `performance.now()`. */
  since: number;
}

/**
 * Bounds what one connection can cost: the bytes that wait for it, and the bytes and packets it sends. Socket.IO bounds
 * neither: its buffer for a client that does not read grows for as long as the client answers pings (engine.io#420).
 * Cutting is safe, because a client that comes back gets all it missed.
 */
@Injectable()
export class ConnectionGuard implements BeforeApplicationShutdown {
  private readonly logger = new Logger(ConnectionGuard.name);
  private readonly behind = new Map<EngineConnection, Outbound>();
  private readonly gone = new WeakSet<EngineConnection>();
  private readonly timer: NodeJS.Timeout;
  /** Connections cut so far, by reason. */
  readonly cuts = { slow_consumer: 0, rate_limited: 0 };

  constructor(@Inject(CONFIG) private readonly config: Config) {
    this.timer = setInterval(() => this.cutStalled(), LOOK_EVERY);
  }

  /** From the connection's first packet, before anyone is known to be behind it. */
  watch(connection: EngineConnection): void {
    this.boundOutbound(connection);
    this.boundInbound(connection);
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.timer);
    this.behind.clear();
  }

  private boundOutbound(connection: EngineConnection): void {
    const outbound: Outbound = { bytes: 0, since: 0 };
    connection.on('packetCreate', ({ data }) => {
      // What waits already counts, not what comes: one reply may be larger than all that may wait.
      if (outbound.bytes > this.config.limits.outboundBytes) {
        this.cut(connection, 'slow_consumer');
        return;
      }
      if (outbound.bytes === 0) {
        outbound.since = performance.now();
        this.behind.set(connection, outbound);
      }
      outbound.bytes += data?.length ?? 1;
    });
    connection.on('flush', () => {
      outbound.bytes = 0;
      this.behind.delete(connection);
    });
    connection.on('close', () => this.behind.delete(connection));
  }

  private boundInbound(connection: EngineConnection): void {
    const { requestsPerSecond, inboundBytesPerSecond } = this.config.limits;
    const packets = new TokenBucket(FLOOD * requestsPerSecond, FLOOD * requestsPerSecond * 2);
    const bytes = new TokenBucket(inboundBytesPerSecond, inboundBytesPerSecond * 4);
    connection.on('packet', ({ data }) => {
      if (!packets.take(1) || !bytes.take(data?.length ?? 0)) this.cut(connection, 'rate_limited');
    });
  }

  private cutStalled(): void {
    const stalledSince = performance.now() - STALLED;
    for (const [connection, { since }] of this.behind) {
      // Between two polls everything waits; a polling client that stays away is found by the ping.
      if (since < stalledSince && connection.transport.name === 'websocket') this.cut(connection, 'slow_consumer');
    }
  }

  private cut(connection: EngineConnection, reason: keyof typeof this.cuts): void {
    this.behind.delete(connection);
    // What was read before the end still comes in.
    if (this.gone.has(connection)) return;
    this.gone.add(connection);
    this.cuts[reason] += 1;
    this.logger.debug(`Cut a connection: ${reason}`);
    // A close handshake would wait for the very client that does not read.
    const { socket } = connection.transport;
    if (connection.transport.name === 'websocket' && socket !== undefined) socket.terminate();
    else connection.close(true);
  }
}
