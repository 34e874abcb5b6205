import { connect, type Socket } from 'node:net';

/** The opcodes of RFC 6455 that are written here. */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Engine.IO's ping, the packet `2`. */
const PING = 0x32;
/** What stands for the status of a close frame that has none. */
const NO_STATUS = 1005;

/** Where what comes is put, of any connection, until it is read. */
const incoming = Buffer.alloc(1024 * 1024);

/**
 * A WebSocket on a bare TCP connection: sends whatever it is told to, at any speed, and reads what comes. It answers the
 * server's pings, so that it is cut for what it sends and for nothing else.
 */
export class RawConnection {
  /** Text frames that came, whole. */
  received = 0;
  /** The status with which the server closed the WebSocket (RFC 6455, section 7.4); undefined where it cut the connection. */
  closeStatus: number | undefined;
  /** Called with each. */
  onText: (text: string) => void = () => undefined;
  /** Called with each before it is text, by who wants no string of it. What it is given is only good during the call. */
  onPayload: (payload: Buffer) => void = (payload) => this.onText(payload.toString());
  /** The other side ended it, or this one did. */
  readonly closed: Promise<void>;
  private readonly socket: Socket;
  /** What came last, up to where it is not whole. */
  private rest: Buffer = Buffer.alloc(0);
  private upgraded = false;
  private over = false;
  private onUpgrade: () => void = () => undefined;

  private constructor({ hostname, port }: URL, localAddress: string | undefined) {
    // Of all connections one reads at a time, so that one buffer does for all; a stream of each would cost as much as the reading.
    const onread = {
      buffer: incoming,
      callback: (length: number): boolean => {
        this.read(incoming.subarray(0, length));
        return true;
      },
    };
    this.socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread,
      ...(localAddress !== undefined && { localAddress }),
    });
    this.socket.on('error', () => this.socket.destroy());
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.over = true;
        resolve();
      });
    });
  }

  /**
   * Undefined when the server does not answer with an upgrade within `patienceMs`. What it sends first may come before this returns.
   * @param localAddress where it comes from
   */
  static async open(address: string, patienceMs = 5_000, localAddress?: string): Promise<RawConnection | undefined> {
    const url = new URL(address);
    const connection = new RawConnection(url, localAddress);
    connection.socket.write(
      `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16, 1).toString('base64')}\r\n\r\n`,
    );
    const late = setTimeout(() => connection.destroy(), patienceMs);
    const upgrade = new Promise<void>((resolve) => (connection.onUpgrade = resolve));
    await Promise.race([upgrade, connection.closed]);
    clearTimeout(late);
    return connection.upgraded ? connection : undefined;
  }

  get isOver(): boolean {
    return this.over || this.socket.destroyed;
  }

  /** Bytes that wait here because the other side does not take them. */
  get waiting(): number {
    return this.socket.writableLength;
  }

  /** False when it is over. */
  write(bytes: Buffer): boolean {
    if (this.isOver) return false;
    this.socket.write(bytes);
    return true;
  }

  send(text: string): void {
    this.write(frame(text));
  }

  destroy(): void {
    this.over = true;
    this.socket.destroy();
  }

  /** @param chunk only good during the call */
  private read(chunk: Buffer): void {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const read = this.upgraded ? this.readFrames(bytes, 0) : this.readHead(bytes);
    if (read < bytes.length) this.rest = Buffer.from(bytes.subarray(read));
    else if (this.rest.length > 0) this.rest = Buffer.alloc(0);
  }

  /** @returns how much of it was read */
  private readHead(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return 0;
    if (!bytes.subarray(0, end).toString('latin1').startsWith('HTTP/1.1 101')) {
      this.destroy();
      return bytes.length;
    }
    this.upgraded = true;
    this.onUpgrade();
    return this.readFrames(bytes, end + 4);
  }

  /** @returns where what is not a whole frame begins */
  private readFrames(bytes: Buffer, from: number): number {
    let at = from;
    for (;;) {
      const first = bytes[at];
      const second = bytes[at + 1];
      if (first === undefined || second === undefined) return at;
      const short = second & 0x7f;
      const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
      if (bytes.length < start) return at;
      const length =
        short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
      if (bytes.length < start + length) return at;
      this.take(first & 0x0f, bytes.subarray(start, start + length));
      at = start + length;
    }
  }

  private take(opcode: number, payload: Buffer): void {
    if (opcode === opcodes.ping) this.write(frame(payload, opcodes.pong));
    if (opcode === opcodes.close) {
      this.closeStatus = payload.length < 2 ? NO_STATUS : payload.readUInt16BE(0);
      this.destroy();
    }
    if (opcode !== opcodes.text) return;
    this.received += 1;
    if (payload.length === 1 && payload[0] === PING) this.send('3');
    this.onPayload(payload);
  }
}

/** A frame as a client writes it: masked, with a mask of zeros. */
export function frame(payload: string | Buffer, opcode: number = opcodes.text, final = true): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const first = (final ? 0x80 : 0) | (opcode & 0x0f);
  const { length } = body;
  const header = Buffer.alloc(length < 126 ? 6 : length < 65_536 ? 8 : 14);
  header[0] = first;
  if (length < 126) header[1] = 0x80 | length;
  else if (length < 65_536) {
    header[1] = 0x80 | 126;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] = 0x80 | 127;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([header, body]);
}
