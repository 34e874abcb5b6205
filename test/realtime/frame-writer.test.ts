import { ConnectionGuard, type EngineConnection } from '../../src/realtime/connection-guard.js';
import { RoomBroadcaster } from '../../src/realtime/room-broadcaster.js';
import type { ChatServer } from '../../src/realtime/chat-socket.js';
import { PlainClient } from '../client.js';
import { createDatabase } from '../environment/database.js';
import { startInstance, type Instance } from '../instance.js';
import { until } from './sharded-stage.js';

let database: Awaited<ReturnType<typeof createDatabase>>;
let instance: Instance;
const clients: PlainClient[] = [];

beforeAll(async () => {
  database = await createDatabase();
  instance = await startInstance(database.url);
});
afterEach(() => clients.splice(0).forEach((client) => client.close()));
afterAll(async () => {
  await instance.stop();
  await database.drop();
});

async function connect(user: string, transports?: string[]): Promise<PlainClient> {
  const client = await PlainClient.connect(instance.url, user, transports === undefined ? {} : { transports });
  clients.push(client);
  return client;
}

/** The server's end of a client's connection, and the text packets that went through Engine.IO from now on. */
function serverEndOf({ session }: PlainClient): { connection: EngineConnection; packets: string[] } {
  const { server } = instance.app.get<RoomBroadcaster>(RoomBroadcaster) as unknown as { server: ChatServer };
  const socket = server.sockets.sockets.get(session.sessionId);
  if (socket === undefined) throw new Error('The server does not know the socket');
  const connection = socket.conn as unknown as EngineConnection;
  const packets: string[] = [];
  connection.on('packetCreate', ({ type, data }) => {
    if (type === 'message') packets.push(String(data));
  });
  return { connection, packets };
}

const send = (client: PlainClient, roomId: string, text: string) =>
  client.ask('message:send', { roomId, clientMsgId: text.split(' ')[0] ?? '', text });

// Fails when a version of Engine.IO or ws moves what is looked at: all would go the long way then.
it('goes past Engine.IO to a WebSocket, replies and changes alike, and through it to who polls', async () => {
  const [ann, ben, cid] = [await connect('ann'), await connect('ben'), await connect('cid', ['polling'])];
  const { room } = await ann.ask('room:create', { name: 'Room' });
  for (const client of [ben, cid]) await client.ask('room:join', { roomId: room.id });
  const [annsEnd, bensEnd, cidsEnd] = [serverEndOf(ann), serverEndOf(ben), serverEndOf(cid)];
  for (let i = 0; i < 20; i++) await send(ann, room.id, `m${i}`);
  const texts = Array.from({ length: 20 }, (_, i) => `m${i}`);
  for (const client of [ann, ben, cid]) {
    await client.until(() => client.textsOf(room.id).length === 20);
    expect(client.textsOf(room.id)).toEqual(texts);
  }
  expect(annsEnd.packets).toEqual([]);
  expect(bensEnd.packets).toEqual([]);
  expect(cidsEnd.packets.length).toBeGreaterThan(0);
});

it.each([
  ['short', 1],
  ['of two bytes of length', 300],
  ['of eight bytes of length', 4_000],
])('frames what is %s', async (_, length) => {
  const ann = await connect('ann');
  const { room } = await ann.ask('room:create', { name: 'Room' });
  const text = 'é'.repeat(length);
  // Many in one commit make one frame.
  await Promise.all(
    Array.from({ length: 30 }, (_, i) => ann.ask('message:send', { roomId: room.id, clientMsgId: `m${i}`, text })),
  );
  await ann.until(() => ann.textsOf(room.id).length === 30);
  expect(new Set(ann.textsOf(room.id))).toEqual(new Set([text]));
});

it('overtakes nothing that waits, and counts what it writes against the connection', async () => {
  const [ann, ben] = [await connect('ann'), await connect('ben')];
  const { room } = await ann.ask('room:create', { name: 'Room' });
  await ben.ask('room:join', { roomId: room.id });
  const { connection, packets } = serverEndOf(ben);
  const tcp = connection.transport.socket?._socket as unknown as { cork(): void; uncork(): void };
  // The kernel takes nothing for a while.
  tcp.cork();
  const text = 'x'.repeat(3_900);
  try {
    for (let i = 0; i < 40; i++) await send(ann, room.id, `${i} ${text}`);
    expect(packets.length).toBeGreaterThan(0);
    expect(ben.textsOf(room.id)).toEqual([]);
  } finally {
    tcp.uncork();
  }
  await ben.until(() => ben.textsOf(room.id).length === 40);
  expect(ben.textsOf(room.id)).toEqual(Array.from({ length: 40 }, (_, i) => `${i} ${text}`));
  const { asked } = instance.app.get<ConnectionGuard>(ConnectionGuard) as unknown as { asked: Map<unknown, unknown> };
  // It was asked to prove that it reads, and does.
  await until(() => Promise.resolve(!asked.has(connection)));
});
