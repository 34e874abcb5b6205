import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** The opcodes of RFC 6455 that are written here. */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/**
 * A WebSocket on a bare TCP connection: sends whatever it is told to, at any speed, and reads what comes. It answers the
 * server's pings, so that it is cut for what it sends and for nothing else.
 */
export class RawConnection {
  /** Text frames that came, whole. */
  received = 0;
  /** Called with each. */
  onText: (text: string) => void = () => undefined;
  /** The other side ended it, or this one did. */
  readonly closed: Promise<void>;
  private rest: Buffer = Buffer.alloc(0);
  private over = false;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => this.read(chunk));
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.over = true;
        resolve();
      });
    });
  }

  /** Undefined when the server does not answer with an upgrade within `patienceMs`. */
  static async open(url: string, patienceMs = 5_000): Promise<RawConnection | undefined> {
    const { hostname, port, host } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    socket.on('error', () => socket.destroy());
    socket.write(
      `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16, 1).toString('base64')}\r\n\r\n`,
    );
    const late = setTimeout(() => socket.destroy(), patienceMs);
    let head: Buffer = Buffer.alloc(0);
    while (!socket.destroyed) {
      const [chunk] = (await Promise.race([once(socket, 'data'), once(socket, 'close')]).catch(() => [])) as unknown[];
      if (!Buffer.isBuffer(chunk)) break;
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) continue;
      clearTimeout(late);
      if (!head.toString('latin1').startsWith('HTTP/1.1 101')) break;
      const connection = new RawConnection(socket);
      connection.read(head.subarray(end + 4));
      return connection;
    }
    clearTimeout(late);
    socket.destroy();
    return undefined;
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

  private read(chunk: Buffer): void {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    for (;;) {
      const [first, second] = this.rest;
      if (first === undefined || second === undefined) return;
      const short = second & 0x7f;
      const header = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (this.rest.length < header) return;
      const length =
        short < 126 ? short : short === 126 ? this.rest.readUInt16BE(2) : Number(this.rest.readBigUInt64BE(2));
      if (this.rest.length < header + length) return;
      const payload = this.rest.subarray(header, header + length);
      this.rest = this.rest.subarray(header + length);
      this.take(first & 0x0f, payload);
    }
  }

  private take(opcode: number, payload: Buffer): void {
    if (opcode === opcodes.ping) this.write(frame(payload, opcodes.pong));
    if (opcode === opcodes.close) this.destroy();
    if (opcode !== opcodes.text) return;
    this.received += 1;
    const text = payload.toString();
    if (text === '2') this.send('3');
    this.onText(text);
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
