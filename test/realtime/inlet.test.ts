import { createRequire } from 'node:module';
import fc from 'fast-check';
import type { EngineConnection } from '../../src/realtime/connection-guard.js';
import { readTexts } from '../../src/realtime/inlet.js';
import { RoomBroadcaster } from '../../src/realtime/room-broadcaster.js';
import type { ChatServer } from '../../src/realtime/chat-socket.js';
import { PlainClient } from '../client.js';
import { createDatabase } from '../environment/database.js';
import { startInstance } from '../instance.js';

/** The part of `ws` that reads, as it is in the server. */
interface Receiver {
  write(chunk: Buffer): boolean;
  on(event: string, listener: (...args: unknown[]) => void): void;
}
const { Receiver } = createRequire(import.meta.url)('ws') as {
  Receiver: new (options: { isServer: boolean; maxPayload: number; allowSynchronousEvents: boolean }) => Receiver;
};
const options = { isServer: true, maxPayload: 65_536, allowSynchronousEvents: true };

/** What the receiver tells of these chunks, in order. With `inlet` the texts that it read are told as if the receiver had. */
function heard(chunks: readonly Buffer[], inlet: boolean): { told: string[]; byInlet: number } {
  const receiver = new Receiver(options);
  const told: string[] = [];
  let byInlet = 0;
  for (const event of ['ping', 'pong', 'conclude']) receiver.on(event, (data) => told.push(`${event} ${String(data)}`));
  receiver.on('message', (data, isBinary) => told.push(`message ${String(isBinary)} ${String(data)}`));
  receiver.on('error', (error) => told.push(`error ${(error as { code: string }).code}`));
  const onData = (text: string): void => {
    byInlet += 1;
    told.push(`message false ${text}`);
  };
  const transport = { name: 'websocket', socket: { readyState: 1, extensions: '', _receiver: receiver }, onData };
  if (inlet) readTexts({ transport } as unknown as EngineConnection);
  // Both get bytes of their own: they are unmasked in place.
  for (const chunk of chunks) receiver.write(Buffer.from(chunk));
  return { told, byInlet };
}

interface FrameShape {
  /** FIN, RSV and opcode. */
  first: number;
  payload: Buffer;
  masked: boolean;
  mask: number;
}

function bytesOf({ first, payload, masked, mask }: FrameShape): Buffer {
  const flag = masked ? 0x80 : 0;
  const { length } = payload;
  const long = Buffer.alloc(length < 126 ? 0 : length < 65_536 ? 2 : 8);
  if (long.length === 2) long.writeUInt16BE(length);
  if (long.length === 8) long.writeBigUInt64BE(BigInt(length));
  const lengthByte = length < 126 ? length : length < 65_536 ? 126 : 127;
  const key = Buffer.alloc(4);
  key.writeUInt32BE(mask);
  const body = masked ? payload.map((byte, i) => byte ^ (key[i % 4] ?? 0)) : payload;
  return Buffer.concat([Buffer.from([first, flag | lengthByte]), long, ...(masked ? [key] : []), body]);
}

const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }).map((value) => Buffer.from(value)) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(125, 126, 127, 128, 300, 65_535, 65_536, 65_537).map((n) => Buffer.alloc(n, 'a')),
  },
);
const frame = fc.record({
  // Whole texts above all; beginnings and ends of parts, binary, control frames, and what is no frame.
  first: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0x81) },
    fc.constantFrom(0x01, 0x00, 0x80, 0x82, 0x89, 0x8a, 0x88, 0xc1, 0x83),
  ),
  payload: text,
  masked: fc.integer({ min: 0, max: 19 }).map((n) => n > 0),
  mask: fc.constantFrom(0, 1, 0x01020304, 0xffffffff, 0x80000001),
});

const stream = fc.tuple(fc.array(frame, { minLength: 1, maxLength: 8 }), fc.array(fc.nat(400), { maxLength: 12 }));

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const length of lengths) {
    if (length > 0 && at < bytes.length) chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  if (at < bytes.length) chunks.push(bytes.subarray(at));
  return chunks;
}

it('reads whatever bytes come as ws does, however they are cut', () => {
  let byInlet = 0;
  fc.assert(
    fc.property(stream, ([frames, lengths]) => {
      const chunks = cut(Buffer.concat(frames.map(bytesOf)), lengths);
      const ours = heard(chunks, true);
      expect(ours.told).toEqual(heard(chunks, false).told);
      byInlet += ours.byInlet;
    }),
    { numRuns: 2_000 },
  );
  expect(byInlet).toBeGreaterThan(1_000);
});

// Fails when a version of Engine.IO or ws moves what is looked at: all would go the long way then.
it('reads the requests of a WebSocket past ws, also of one that began with polling', async () => {
  const database = await createDatabase();
  const instance = await startInstance(database.url);
  const clients = [
    await PlainClient.connect(instance.url, 'ann'),
    await PlainClient.connect(instance.url, 'ben', { transports: ['polling', 'websocket'] }),
  ];
  try {
    const { server } = instance.app.get<RoomBroadcaster>(RoomBroadcaster) as unknown as { server: ChatServer };
    for (const client of clients) {
      const { engine } = client.socket.io;
      if (engine.transport.name !== 'websocket') await new Promise((resolve) => engine.once('upgrade', resolve));
      const conn = server.sockets.sockets.get(client.session.sessionId)?.conn as unknown as EngineConnection;
      const { socket } = conn.transport as unknown as { socket: { on(event: string, heard: () => void): void } };
      let byWs = 0;
      socket.on('message', () => (byWs += 1));
      for (let i = 0; i < 5; i++) await client.ask('rooms:discover', { limit: 1 });
      expect(byWs).toBe(0);
    }
  } finally {
    for (const client of clients) client.close();
    await instance.stop();
    await database.drop();
  }
});
