import type { EngineConnection, SocketIoClient, TcpSocket } from './connection-guard.js';

/** Of what waits for a connection so much may wait in its TCP socket, in bytes; the rest in Engine.IO, where it is bounded. */
const IN_TCP = 64 * 1024;
/** Frames that are smaller together, in bytes, are copied into one write. */
const COPIED = 16 * 1024;
/** `WebSocket.OPEN` */
const OPEN = 1;

/** A Socket.IO packet as text and as the WebSocket frame that carries it, the same for all who are sent it. */
export interface Frame {
  readonly packet: string;
  readonly bytes: Buffer;
  /** Dropped where more waits for the socket than signals may wait behind. */
  readonly volatile?: boolean;
}

/** What one socket is sent in the same turn of the event loop. */
export class Outlet {
  private frames: Frame[] | undefined;

  constructor(private readonly client: SocketIoClient) {}

  get connection(): EngineConnection {
    return this.client.conn;
  }

  /** Whether it was empty before. */
  put(frame: Frame): boolean {
    if (this.frames === undefined) {
      this.frames = [frame];
      return true;
    }
    this.frames.push(frame);
    return false;
  }

  /** Sends what there is. @returns how many bytes went past Engine.IO */
  empty(): number {
    const { frames } = this;
    if (frames === undefined) return 0;
    this.frames = undefined;
    const tcp = straightWayOf(this.connection);
    if (tcp !== undefined) return writeTogether(tcp, frames);
    for (const { packet, volatile } of frames)
      this.client.writeToEngine([packet], volatile === true ? { volatile } : {});
    return 0;
  }
}

/** @returns how many bytes it were */
function writeTogether(tcp: TcpSocket, frames: readonly Frame[]): number {
  const [first] = frames;
  if (frames.length === 1 && first !== undefined) {
    tcp.write(first.bytes);
    return first.bytes.length;
  }
  let length = 0;
  for (const { bytes } of frames) length += bytes.length;
  if (length <= COPIED) {
    const all = Buffer.allocUnsafe(length);
    let at = 0;
    for (const { bytes } of frames) at += bytes.copy(all, at);
    tcp.write(all);
  } else {
    tcp.cork();
    for (const { bytes } of frames) tcp.write(bytes);
    tcp.uncork();
  }
  return length;
}

/** Undefined where Engine.IO or `ws` has something to do or to send before. A test fails when a new version moves any of it. */
function straightWayOf({ readyState, upgrading, transport, writeBuffer }: EngineConnection): TcpSocket | undefined {
  if (readyState !== 'open' || upgrading || writeBuffer.length > 0) return undefined;
  const { name, writable, socket } = transport;
  if (name !== 'websocket' || !writable || socket?.readyState !== OPEN || socket.extensions !== '') return undefined;
  const tcp = socket._socket;
  return tcp?.writable === true && tcp.writableLength < IN_TCP ? tcp : undefined;
}
