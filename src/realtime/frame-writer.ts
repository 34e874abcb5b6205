import { Injectable } from '@nestjs/common';
import type { ChatServer, ChatSocket } from './chat-socket.js';
import { ConnectionGuard, type EngineConnection, type SocketIoClient, type TcpSocket } from './connection-guard.js';

/** Of what waits for a connection so much may wait in its TCP socket, in bytes; the rest in Engine.IO, where it is bounded. */
const IN_TCP = 64 * 1024;

/** Types of Socket.IO packets. */
const EVENT = '2';
const ACK = '3';
/** The type of Engine.IO packets that carry them. */
const MESSAGE = '4';
/** The first byte of a WebSocket frame that is a whole text. */
const TEXT = 0x81;

/**
 * Gives one event to many sockets: it is encoded and framed once, and written straight to the TCP sockets beneath.
 *
 * Socket.IO's own way ends at the same `write`, but passes some twenty functions for every socket on it. It is taken wherever
 * anything is unusual (polling, an upgrade under way, something that waits already), so nothing is overtaken, and what a slow
 * client is behind is counted and bounded as ever.
 */
@Injectable()
export class FrameWriter {
  constructor(private readonly guard: ConnectionGuard) {}

  /** To the sockets of this instance that are in the room. */
  emit(server: ChatServer, room: string, event: string, payload: object): void {
    const { adapter, sockets } = server.of('/');
    const members = adapter.rooms.get(room);
    if (members === undefined) return;
    const packet = `${EVENT}${JSON.stringify([event, payload])}`;
    const frame = framed(packet);
    for (const id of members) {
      const socket = sockets.get(id);
      if (socket !== undefined) this.write(socket, packet, frame);
    }
  }

  /** The reply to the request that came under this number. */
  answer(socket: ChatSocket, number: number, reply: object): void {
    const packet = `${ACK}${number}${JSON.stringify([reply])}`;
    this.write(socket, packet, framed(packet));
  }

  private write(socket: ChatSocket, packet: string, frame: Buffer): void {
    const connection = socket.conn as unknown as EngineConnection;
    const tcp = straightWayOf(connection);
    if (tcp === undefined) (socket.client as unknown as SocketIoClient).writeToEngine([packet], {});
    else {
      tcp.write(frame);
      this.guard.noteSent(connection, frame.length);
    }
  }
}

/** Undefined where Engine.IO or `ws` has something to do or to send before. A test fails when a new version moves any of it. */
function straightWayOf({ readyState, upgrading, transport, writeBuffer }: EngineConnection): TcpSocket | undefined {
  if (readyState !== 'open' || upgrading || writeBuffer.length > 0) return undefined;
  const { name, writable, socket } = transport;
  if (name !== 'websocket' || !writable || socket?.readyState !== OPEN || socket.extensions !== '') return undefined;
  const tcp = socket._socket;
  return tcp?.writable === true && tcp.writableLength < IN_TCP ? tcp : undefined;
}

/** `WebSocket.OPEN` */
const OPEN = 1;

/** A packet as a WebSocket server sends it: a text frame, not masked (RFC 6455, section 5.2). */
function framed(packet: string): Buffer {
  const payload = Buffer.from(`${MESSAGE}${packet}`);
  const { length } = payload;
  const header = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  header[0] = TEXT;
  if (length < 126) header[1] = length;
  else if (length < 65_536) {
    header[1] = 126;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] = 127;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([header, payload]);
}
