import { Injectable } from '@nestjs/common';
import type { ChatServer, ChatSocket } from './chat-socket.js';
import { ConnectionGuard, type EngineConnection, type SocketIoClient, type TcpSocket } from './connection-guard.js';

/** Of what waits for a connection so much may wait in its TCP socket, in bytes; the rest in Engine.IO, where it is bounded. */
const IN_TCP = 64 * 1024;
/** Frames that are smaller together, in bytes, are copied into one write. */
const COPIED = 16 * 1024;

/** Types of Socket.IO packets. */
const EVENT = '2';
const ACK = '3';
/** The type of Engine.IO packets that carry them. */
const MESSAGE = '4';
/** The first byte of a WebSocket frame that is a whole text. */
const TEXT = 0x81;
/** `WebSocket.OPEN` */
const OPEN = 1;

/** A Socket.IO packet as text and as the WebSocket frame that carries it, the same for all who are sent it. */
interface Frame {
  readonly packet: string;
  readonly bytes: Buffer;
}

/** What one socket is sent in the same turn of the event loop. */
export interface Outlet {
  readonly socket: ChatSocket;
  readonly connection: EngineConnection;
  /** Undefined where there is nothing. */
  frames: Frame[] | undefined;
}

/**
 * Sends events to rooms and replies to sockets: each is encoded and framed once, and written straight to the TCP sockets
 * beneath; what one socket is sent in a turn of the event loop, replies and changes of several rooms, is one write.
 *
 * Socket.IO's own way ends at the same `write`, but passes some twenty functions for every frame and socket on it. It is taken
 * wherever anything is unusual (polling, an upgrade under way, something that waits already), so nothing is overtaken, and what
 * a slow client is behind is counted and bounded as ever.
 */
@Injectable()
export class FrameWriter {
  /** Those who are sent something in this turn. */
  private filled: Outlet[] = [];

  constructor(private readonly guard: ConnectionGuard) {}

  /** Called once for each socket, before anything is sent to it. */
  attach(socket: ChatSocket): void {
    const connection = socket.conn as unknown as EngineConnection;
    const outlet: Outlet = { socket, connection, frames: undefined };
    socket.data.outlet = outlet;
    // What Socket.IO itself sends must not overtake what waits for the end of the turn.
    connection.on('packetCreate', () => this.empty(outlet));
  }

  /** To the sockets of this instance that are in the room. */
  emit(server: ChatServer, room: string, event: string, payload: object): void {
    const { adapter, sockets } = server.of('/');
    const members = adapter.rooms.get(room);
    if (members === undefined) return;
    const frame = framed(`${EVENT}${JSON.stringify([event, payload])}`);
    for (const id of members) {
      const socket = sockets.get(id);
      if (socket !== undefined) this.put(socket, frame);
    }
  }

  /** The reply to the request that came under this number. */
  answer(socket: ChatSocket, number: number, reply: object): void {
    this.put(socket, framed(`${ACK}${number}${JSON.stringify([reply])}`));
  }

  private put(socket: ChatSocket, frame: Frame): void {
    const { outlet } = socket.data;
    if (outlet === undefined) return;
    if (outlet.frames !== undefined) outlet.frames.push(frame);
    else {
      outlet.frames = [frame];
      if (this.filled.push(outlet) === 1) setImmediate(() => this.emptyAll());
    }
  }

  private emptyAll(): void {
    const { filled } = this;
    this.filled = [];
    for (const outlet of filled) this.empty(outlet);
  }

  private empty(outlet: Outlet): void {
    const { socket, connection, frames } = outlet;
    if (frames === undefined) return;
    outlet.frames = undefined;
    const tcp = straightWayOf(connection);
    if (tcp === undefined)
      for (const { packet } of frames) (socket.client as unknown as SocketIoClient).writeToEngine([packet], {});
    else this.guard.noteSent(connection, writeTogether(tcp, frames));
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

/** A packet as a WebSocket server sends it: a text frame, not masked (RFC 6455, section 5.2). */
function framed(packet: string): Frame {
  const text = `${MESSAGE}${packet}`;
  const length = Buffer.byteLength(text);
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const bytes = Buffer.allocUnsafe(header + length);
  bytes[0] = TEXT;
  if (length < 126) bytes[1] = length;
  else if (length < 65_536) {
    bytes[1] = 126;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = 127;
    bytes.writeBigUInt64BE(BigInt(length), 2);
  }
  bytes.write(text, header);
  return { packet, bytes };
}
