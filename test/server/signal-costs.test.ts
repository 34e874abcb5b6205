import type { PlainClient } from '../client.js';
import { Cluster } from './cluster.js';

/**
 * What a mark, a typing and a change of presence cost, in frames and bytes to all clients together. For the figures of docs/protocol.md:
 * `MEMBERS=1000 npm run jest -- test/server/signal-costs.test.ts`, which prints them.
 */
const count = Number(process.env['MEMBERS'] ?? 120);
const small = 100;

describe(`in a room of ${count}`, () => {
  let cluster: Cluster;
  let people: PlainClient[];
  const rooms = { large: '', small: '' };
  let frames: Map<string, { frames: number; bytes: number }>;
  let answers = 0;

  const listen = (client: PlainClient): PlainClient => {
    client.socket.io.engine.on('data', (data: unknown) => {
      const event = /^2\["([\w:]+)"/.exec(String(data))?.[1];
      if (event === undefined) return;
      const known = frames.get(event) ?? { frames: 0, bytes: 0 };
      frames.set(event, { frames: known.frames + 1, bytes: known.bytes + Buffer.byteLength(String(data)) + 2 });
    });
    return client;
  };
  const connectAll = async (): Promise<PlainClient[]> => {
    const clients: PlainClient[] = [];
    for (let i = 0; i < count; i += 50)
      clients.push(
        ...(await Promise.all(
          Array.from({ length: Math.min(50, count - i) }, (_, k) => cluster.connect(`user ${i + k}`)),
        )),
      );
    return clients.map(listen);
  };
  const first = (): PlainClient => people[0] as PlainClient;
  const last = (): PlainClient => people.at(-1) as PlainClient;
  const measured = (what: string): Record<string, number> => {
    const told = Object.fromEntries([...frames].map(([event, { frames: n }]) => [event, n]));
    const bytes = [...frames.values()].reduce((sum, each) => sum + each.bytes, 0);
    if (process.env['MEMBERS'] !== undefined) console.log(`${what}: ${JSON.stringify(told)}, ${bytes} bytes`);
    frames = new Map();
    return told;
  };
  /** Something later that everyone was sent after all that came before: a message in the large room. */
  const settle = async (): Promise<void> => {
    const before = frames.get('room:changes')?.frames ?? 0;
    await last().ask('message:send', { roomId: rooms.large, clientMsgId: `${(answers += 1)}`, text: 'x' });
    await cluster.eventually(() => (frames.get('room:changes')?.frames ?? 0) >= before + count);
    frames.delete('room:changes');
  };

  beforeAll(async () => {
    frames = new Map();
    cluster = await Cluster.start(1, {
      limits: {
        requestsPerSecond: 500,
        inboundBytesPerSecond: 1 << 20,
        outboundBytes: 1 << 20,
        connectsPerSecond: 1e4,
      },
    });
    people = await connectAll();
    for (const size of ['large', 'small'] as const) {
      rooms[size] = (await first().ask('room:create', { name: size })).room.id;
      await cluster.query(
        `insert into memberships (room_id, user_id, role, rev, joined_at)
         select $1, id, 'member', 3, now() from unnest($2::uuid[]) as id`,
        [rooms[size], people.slice(1, size === 'small' ? small : count).map(({ session }) => session.userId)],
      );
      await cluster.query(`update rooms set rev = 3, member_count = $2 where id = $1`, [
        rooms[size],
        size === 'small' ? small : count,
      ]);
    }
    cluster.hangUp();
    people = await connectAll();
    await settle();
    await first().ask('message:send', { roomId: rooms.small, clientMsgId: 'small', text: 'x' });
    await settle();
    measured('before');
  }, 120_000);
  afterAll(() => cluster.stop());

  it('a read mark is one frame to each of its user’s devices, and one to each member of a small room', async () => {
    await people[1]?.ask('read:mark', { roomId: rooms.large, seq: 1 });
    await settle();
    expect(measured('a read mark in a large room')).toEqual({ 'user:signal': 1 });
    await people[1]?.ask('read:mark', { roomId: rooms.small, seq: 1 });
    await cluster.eventually(() => frames.get('room:signal')?.frames === small);
    await settle();
    expect(measured(`a read mark in a room of ${small}`)).toEqual({ 'room:signal': small, 'user:signal': 1 });
  });

  it('typing is one frame to each member of a small room, and nothing in a large one', async () => {
    await people[1]?.ask('typing:set', { roomId: rooms.large, on: true });
    await people[2]?.ask('typing:set', { roomId: rooms.small, on: true });
    await cluster.eventually(() => frames.get('room:signal')?.frames === small);
    await settle();
    expect(measured(`typing in rooms of ${count} and ${small}`)).toEqual({ 'room:signal': small });
  });

  it('a flip of presence is one frame to each who watches, and a storm of all is none', async () => {
    const ids = people.slice(0, 100).map(({ session }) => session.userId);
    await Promise.all(people.map((who) => who.ask('presence:watch', { userIds: ids })));
    await people[1]?.ask('presence:set', { status: 'away' });
    await cluster.eventually(() => frames.get('presence:changed')?.frames === count);
    await settle();
    expect(measured(`a flip that ${count} watch`)['presence:changed']).toBe(count);
    await people[1]?.ask('presence:set', { status: 'online' });
    await cluster.eventually(() => frames.get('presence:changed')?.frames === count);
    measured('back');
    for (const who of people) who.close();
    people = await connectAll();
    await Promise.all(people.map((who) => who.ask('presence:watch', { userIds: ids })));
    await settle();
    const { 'presence:changed': flips = 0 } = measured('everyone comes back');
    // Whoever took longer than the five seconds has gone for a moment, and is told of in the frame of that second.
    expect(flips).toBeLessThanOrEqual(count === 120 ? 0 : 2 * count);
  }, 60_000);
});
