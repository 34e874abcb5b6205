import { Injectable } from '@nestjs/common';
import type { ChatServer, ChatSocket } from './chat-socket.js';
import { ConnectionGuard, type SocketIoClient } from './connection-guard.js';
import { Outlet, type Frame } from './outlet.js';

/** Types of Socket.IO packets. */
const EVENT = '2';
const ACK = '3';
/** The type of Engine.IO packets that carry them. */
const MESSAGE = '4';
/** The first byte of a WebSocket frame that is a whole text. */
const TEXT = 0x81;

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
    const outlet = new Outlet(socket.client as unknown as SocketIoClient);
    socket.data.outlet = outlet;
    // What Socket.IO itself sends must not overtake what waits for the end of the turn.
    outlet.connection.on('packetCreate', () => this.empty(outlet));
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

  /** To each socket of the room its own; encoded once for all that are given the same. */
  emitEach(server: ChatServer, room: string, event: string, payloadOf: (socketId: string) => object): void {
    const { adapter, sockets } = server.of('/');
    const encoded = new Map<object, Frame>();
    for (const id of adapter.rooms.get(room) ?? []) {
      const socket = sockets.get(id);
      if (socket === undefined) continue;
      const payload = payloadOf(id);
      const frame = encoded.get(payload) ?? framed(`${EVENT}${JSON.stringify([event, payload])}`);
      encoded.set(payload, frame);
      this.put(socket, frame);
    }
  }

  /** The same for what may be lost: a socket that is behind is not sent it. */
  signal(server: ChatServer, room: string, event: string, payload: object): void {
    const { adapter, sockets } = server.of('/');
    const frame = { ...framed(`${EVENT}${JSON.stringify([event, payload])}`), volatile: true };
    for (const id of adapter.rooms.get(room) ?? []) {
      const socket = sockets.get(id);
      if (socket !== undefined) this.put(socket, frame);
    }
  }

  /** The reply to the request that came under this number. */
  answer(socket: ChatSocket, number: number, reply: object): void {
    this.put(socket, framed(`${ACK}${number}${JSON.stringify([reply])}`));
  }

  private put({ data: { outlet } }: ChatSocket, frame: Frame): void {
    if (outlet?.put(frame) === true && this.filled.push(outlet) === 1) setImmediate(() => this.emptyAll());
  }

  private emptyAll(): void {
    const { filled } = this;
    this.filled = [];
    for (const outlet of filled) this.empty(outlet);
  }

  private empty(outlet: Outlet): void {
    const length = outlet.empty();
    if (length > 0) this.guard.noteSent(outlet.connection, length);
  }
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
