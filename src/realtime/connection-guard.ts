import { randomBytes } from 'node:crypto';
import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import { Flooders } from './flooders.js';
import { TokenBucket } from './token-bucket.js';

/** How often connections with something to send are looked at, in ms. */
const LOOK_EVERY = 1_000;
/** A connection that takes nothing for this long while something waits for it is cut, in ms. */
const STALLED = 10_000;
/** After so many bytes a connection has to prove that it reads … */
const PROOF_EVERY = 32 * 1024;
/** … but not more often than this, in ms: in a busy room that many bytes are there several times a second … */
const PROOF_PAUSE = 1_000;
/** … within `STALLED`, and the time that what was on its way takes at this rate, in bytes a second. */
const SLOWEST_RATE = 32 * 1024;
/** Signals are shed as soon as this share of what may wait for a connection does. */
const SIGNALS_SHARE = 0.25;
/** A connection may send this many times the requests of its limit; past that it is no client, and is cut. */
const FLOOD = 4;
/** Requests that are refused for their number or their name: so many at once, and so many a second. More cut the connection. */
const REFUSALS = 256;
/** Who was told to wait, and went on asking until the end of the wait, so many times in a row, is cut. */
const STRIKES = 3;
const REFUSALS_PER_SECOND = 32;
/** Of a Socket.IO packet: its type, and one that is for another namespace than the main one. */
const CONNECT = '0';
const OTHER_NAMESPACE = /^0\/[^,]/;

/** What we use of the WebSocket beneath. */
export interface WebSocketLink {
  readonly readyState: number;
  readonly extensions: string;
  readonly _receiver: WebSocketReceiver | undefined;
  readonly _socket: TcpSocket | undefined;
  terminate(): void;
  ping(data: Buffer): void;
  on(event: 'pong', listener: (data: Buffer) => void): void;
}

/** What we use of the part of a WebSocket that reads: where it stands, and what it is given. */
export interface WebSocketReceiver {
  readonly _state: number;
  readonly _bufferedBytes: number;
  readonly _fragmented: number;
  write(chunk: Buffer): boolean;
}

/** What we use of the TCP socket beneath a WebSocket. */
export interface TcpSocket {
  readonly writable: boolean;
  /** Bytes that the kernel has not taken yet. */
  readonly writableLength: number;
  write(bytes: Buffer): boolean;
  /** Holds back what is written, up to `uncork`: it goes out as one. */
  cork(): void;
  uncork(): void;
}

/** What we use of an Engine.IO connection; a test fails when a new version moves any of it. */
export interface EngineConnection {
  readonly readyState: string;
  readonly upgrading: boolean;
  /** What waits for the transport. */
  readonly writeBuffer: readonly unknown[];
  readonly transport: {
    readonly name: string;
    readonly writable: boolean;
    readonly socket?: WebSocketLink;
    onData(packet: string): void;
  };
  on(
    event: 'packetCreate' | 'packet',
    listener: (packet: { type: string; data?: string | Buffer | null }) => void,
  ): void;
  on(event: 'flush', listener: () => void): void;
  on(event: 'close', listener: (reason: string) => void): void;
  once(event: 'upgrade', listener: () => void): void;
  close(discard?: boolean): void;
}

/** What we use of a Socket.IO client, the part of a connection that writes its packets. */
export interface SocketIoClient {
  readonly conn: EngineConnection;
  writeToEngine(packets: unknown, options: { volatile?: boolean }): void;
}

interface Outbound {
  /** Bytes that Engine.IO holds for the connection and has not handed to its transport. */
  bytes: number;
  /** When the oldest of them came, by `performance.now()`. */
  since: number;
  /** Bytes that were sent since the last proof was asked for. */
  unproven: number;
  /** The WebSocket whose pongs are listened to. */
  link: WebSocketLink | undefined;
  /** What the awaited pong has to carry. */
  nonce: Buffer | undefined;
  /** When it was asked for, and when the pong is overdue, by `performance.now()`. */
  askedAt: number;
  provenBy: number;
}

/**
 * Bounds what one connection can cost: the bytes that wait for it, and the bytes and packets it sends. Socket.IO bounds
 * neither: its buffer for a client that does not read grows for as long as the client answers pings (engine.io#420).
 * Cutting is safe, because a client that comes back gets all it missed.
 */
@Injectable()
export class ConnectionGuard implements BeforeApplicationShutdown {
  private readonly logger = new Logger(ConnectionGuard.name);
  private readonly outbound = new WeakMap<EngineConnection, Outbound>();
  private readonly behind = new Map<EngineConnection, Outbound>();
  /** Those whose proof is awaited. */
  private readonly asked = new Map<EngineConnection, Outbound>();
  private readonly gone = new WeakSet<EngineConnection>();
  private readonly refusals = new WeakMap<EngineConnection, TokenBucket>();
  /** How many waits in a row were ignored, and whether the present one was. */
  private readonly deafness = new WeakMap<EngineConnection, { strikes: number; deaf: boolean }>();
  private readonly timer: NodeJS.Timeout;
  /** Connections cut so far, by reason. */
  readonly cuts = { slow_consumer: 0, rate_limited: 0, bad_connect: 0 };
  /** Signals that were not sent to connections that are behind. */
  shed = 0;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly flooders: Flooders,
  ) {
    this.timer = setInterval(() => this.cutStalled(), LOOK_EVERY);
  }

  /** From the connection's first packet, before anyone is known to be behind it. */
  watch(connection: EngineConnection): void {
    this.boundOutbound(connection);
    this.boundInbound(connection);
    this.boundConnects(connection);
  }

  /**
   * Of what waits for a slow client, signals go first: what is emitted as `volatile` is dropped while the connection is
   * behind. Socket.IO itself drops such packets whenever anything at all is being written, also to the fastest client.
   */
  shedSignals(client: SocketIoClient): void {
    const write = client.writeToEngine.bind(client);
    client.writeToEngine = (packets, options) => {
      if (options.volatile !== true) {
        write(packets, options);
        return;
      }
      const waiting = this.behind.get(client.conn)?.bytes ?? 0;
      if (waiting > this.config.limits.outboundBytes * SIGNALS_SHARE) this.shed += 1;
      else write(packets, { ...options, volatile: false });
    };
  }

  /** A request of the connection is refused for its number or its name. Each costs about what an answer does. */
  noteRefusal(connection: EngineConnection): void {
    let refusals = this.refusals.get(connection);
    if (refusals === undefined)
      this.refusals.set(connection, (refusals = new TokenBucket(REFUSALS_PER_SECOND, REFUSALS)));
    if (!refusals.take(1)) this.cut(connection, 'rate_limited');
  }

  /** It is told to wait. */
  noteHold(connection: EngineConnection): void {
    const { strikes, deaf } = this.deafness.get(connection) ?? { strikes: 0, deaf: false };
    this.deafness.set(connection, { strikes: deaf ? strikes : 0, deaf: false });
  }

  /** It was told to wait, long enough ago to know it, and asks. */
  noteDeaf(connection: EngineConnection): void {
    const hold = this.deafness.get(connection);
    if (hold === undefined || hold.deaf) return;
    hold.deaf = true;
    hold.strikes += 1;
    if (hold.strikes >= STRIKES) this.cut(connection, 'rate_limited');
  }

  /** So many bytes more were sent to the connection, by Engine.IO or past it. */
  noteSent(connection: EngineConnection, length: number, outbound = this.outbound.get(connection)): void {
    if (outbound === undefined) return;
    outbound.unproven += length;
    if (outbound.unproven <= PROOF_EVERY || outbound.nonce !== undefined) return;
    const now = performance.now();
    if (now - outbound.askedAt >= PROOF_PAUSE) this.askForProof(connection, outbound, now);
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.timer);
    this.behind.clear();
    this.asked.clear();
  }

  private boundOutbound(connection: EngineConnection): void {
    const outbound: Outbound = {
      bytes: 0,
      since: 0,
      unproven: 0,
      link: undefined,
      nonce: undefined,
      askedAt: -PROOF_PAUSE,
      provenBy: 0,
    };
    this.outbound.set(connection, outbound);
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
      const length = data?.length ?? 1;
      outbound.bytes += length;
      this.noteSent(connection, length, outbound);
    });
    connection.on('flush', () => {
      outbound.bytes = 0;
      this.behind.delete(connection);
    });
    connection.on('close', (reason) => {
      this.behind.delete(connection);
      this.asked.delete(connection);
      // Who no longer answers pings does not answer the close handshake either, for which `ws` would wait 30 s.
      if (reason === 'ping timeout') connection.transport.socket?.terminate();
    });
  }

  /**
   * A client that does not read may look well for long: the kernels on both sides hold megabytes for it, and pongs of
   * Engine.IO can be sent unasked. What a WebSocket's own pong has to carry is known only to one who read the ping; every
   * WebSocket library and browser answers it by itself.
   */
  private askForProof(connection: EngineConnection, outbound: Outbound, now: number): void {
    const { name, socket } = connection.transport;
    if (name !== 'websocket' || socket === undefined) return;
    if (outbound.link !== socket) {
      outbound.link = socket;
      socket.on('pong', (data) => {
        if (outbound.nonce?.equals(data) !== true) return;
        outbound.nonce = undefined;
        this.asked.delete(connection);
      });
    }
    outbound.nonce = randomBytes(8);
    outbound.askedAt = now;
    outbound.provenBy = now + STALLED + (outbound.unproven / SLOWEST_RATE) * 1_000;
    outbound.unproven = 0;
    this.asked.set(connection, outbound);
    socket.ping(outbound.nonce);
  }

  private boundInbound(connection: EngineConnection): void {
    const { requestsPerSecond, inboundBytesPerSecond } = this.config.limits;
    const packets = new TokenBucket(FLOOD * requestsPerSecond, FLOOD * requestsPerSecond);
    const bytes = new TokenBucket(inboundBytesPerSecond, inboundBytesPerSecond * 4);
    connection.on('packet', ({ data }) => {
      if (!packets.take(1) || !bytes.take(data?.length ?? 0)) this.cut(connection, 'rate_limited');
    });
  }

  /**
   * There is one namespace, and a connection is connected to it once; no client of ours asks for more. Each further CONNECT
   * would make one more socket, before anything can refuse it.
   */
  private boundConnects(connection: EngineConnection): void {
    let connects = 0;
    connection.on('packet', ({ type, data }) => {
      if (type !== 'message' || typeof data !== 'string' || data[0] !== CONNECT) return;
      connects += 1;
      if (connects > 1 || OTHER_NAMESPACE.test(data)) this.cut(connection, 'bad_connect');
    });
  }

  private cutStalled(): void {
    const now = performance.now();
    const stalledSince = now - STALLED;
    for (const [connection, { provenBy }] of this.asked) if (provenBy < now) this.cut(connection, 'slow_consumer');
    for (const [connection, { since }] of this.behind) {
      // Between two polls everything waits; a polling client that stays away is found by the ping.
      if (since < stalledSince && connection.transport.name === 'websocket') this.cut(connection, 'slow_consumer');
    }
  }

  private cut(connection: EngineConnection, reason: keyof typeof this.cuts): void {
    this.behind.delete(connection);
    this.asked.delete(connection);
    if (this.gone.has(connection)) return;
    this.gone.add(connection);
    this.cuts[reason] += 1;
    if (reason === 'rate_limited') this.flooders.note(connection);
    this.logger.debug(`Cut a connection: ${reason}`);
    // A close handshake would wait for the very client that does not read.
    if (connection.transport.name === 'websocket') connection.transport.socket?.terminate();
    // At once: what was read before the end still comes in, thousands of packets of a flood, and nobody is to look at them.
    connection.close(true);
  }
}
