import { randomUUID } from 'node:crypto';
import { limits, type PresenceStatus } from '../../src/protocol/index.js';
import { PresenceBoard } from '../../src/realtime/presence-board.js';
import type { PlainClient } from '../client.js';
import { Cluster } from './cluster.js';

describe('presence', () => {
  let cluster: Cluster;
  let ann: PlainClient;
  let ben: PlainClient;
  let roomId: string;
  const seen = (who: PlainClient, whom: PlainClient): PresenceStatus[] =>
    who.presence.flat().flatMap(({ userId, status }) => (userId === whom.session.userId ? [status] : []));
  const watch = (who: PlainClient, ...whom: PlainClient[]) =>
    who.ask('presence:watch', { userIds: whom.map(({ session }) => session.userId) });

  beforeAll(async () => {
    cluster = await Cluster.start(2);
  });
  beforeEach(async () => {
    ann = await cluster.connect('ann');
    ben = await cluster.connect('ben', 1);
    roomId = (await ann.ask('room:create', { name: 'Room' })).room.id;
    await ben.ask('room:join', { roomId });
  });
  afterEach(() => cluster.hangUp());
  afterAll(() => cluster.stop());

  it('is told of who is on another instance, of each change once, and of the end', async () => {
    await watch(ann, ben);
    await ben.ask('presence:set', { status: 'dnd' });
    await ann.until(() => seen(ann, ben).at(-1) === 'dnd');
    await ben.ask('presence:set', { status: 'invisible' });
    await ann.until(() => seen(ann, ben).at(-1) === 'offline');
    await ben.ask('presence:set', { status: 'online' });
    await ann.until(() => seen(ann, ben).at(-1) === 'online');
    ben.close();
    await ann.until(() => seen(ann, ben).at(-1) === 'offline');
    const told = seen(ann, ben);
    expect(told.every((status, i) => status !== told[i - 1])).toBe(true);
  });

  it('is made of all devices, and not of those in the background', async () => {
    const pad = await cluster.connect('cyd', 0, { background: true });
    await pad.ask('room:join', { roomId });
    const { states } = await watch(ann, pad);
    expect(states).toEqual([{ userId: pad.session.userId, status: 'offline' }]);
    const phone = await cluster.connect('cyd', 1);
    await ann.until(() => seen(ann, pad).length === 1);
    await phone.ask('presence:set', { status: 'away' });
    await ann.until(() => seen(ann, pad).length === 2);
    await pad.ask('presence:set', { status: 'online' });
    await ann.until(() => seen(ann, pad).length === 3);
    await pad.ask('presence:set', { status: 'online', background: true });
    await ann.until(() => seen(ann, pad).length === 4);
    phone.close();
    await ann.until(() => seen(ann, pad).length === 5);
    expect(seen(ann, pad)).toEqual(['online', 'away', 'online', 'away', 'offline']);
  });

  it('is nothing for who shares no room, and for at most two hundred', async () => {
    const eve = await cluster.connect('eve');
    expect(await watch(eve, ann)).toEqual({ states: [] });
    expect((await watch(ann, ben)).states).toHaveLength(1);
    const many = Array.from({ length: 201 }, () => randomUUID());
    expect((await ann.refusal('presence:watch', { userIds: many })).code).toBe('invalid_argument');
    await ben.ask('presence:set', { status: 'away' });
    await ann.until(() => seen(ann, ben).at(-1) === 'away');
    await ann.ask('presence:unwatch', { userIds: [ben.session.userId] });
    const cyd = await cluster.connect('cyd', 1);
    await cyd.ask('room:join', { roomId });
    await ben.ask('presence:set', { status: 'dnd' });
    await watch(ann, cyd);
    await cyd.ask('presence:set', { status: 'dnd' });
    await ann.until(() => seen(ann, cyd).at(-1) === 'dnd');
    expect(seen(ann, ben).at(-1)).toBe('away');
    expect(eve.presence).toEqual([]);
  });

  it('is a number where it is asked for by room: users of all instances, without the hidden ones', async () => {
    const counts = () =>
      ann.roomSignals.flatMap((signal) => (signal.kind === 'online' && signal.roomId === roomId ? [signal.count] : []));
    expect(await ann.ask('presence:count', { roomId, on: true })).toEqual({ online: 1 });
    await ann.until(() => counts().at(-1) === 2);
    await cluster.connect('ben');
    const pad = await cluster.connect('cyd', 0, { background: true });
    await pad.ask('room:join', { roomId });
    const devices = [await cluster.connect('cyd', 1), await cluster.connect('cyd', 1)];
    await ann.until(() => counts().at(-1) === 3);
    await devices[0]?.ask('presence:set', { status: 'invisible' });
    await ann.until(() => counts().at(-1) === 2);
    expect(counts()).toEqual([2, 3, 2]);

    const eve = await cluster.connect('eve');
    expect((await eve.refusal('presence:count', { roomId, on: true })).code).toBe('not_member');
    for (let i = 1; i < limits.roomsCounted; i += 1) {
      const { room } = await ann.ask('room:create', { name: `Room ${i}` });
      await ann.ask('presence:count', { roomId: room.id, on: true });
    }
    const { room } = await ann.ask('room:create', { name: 'One more' });
    expect((await ann.refusal('presence:count', { roomId: room.id, on: true })).code).toBe('forbidden');
    await ann.ask('presence:count', { roomId, on: false });
    expect(await ann.ask('presence:count', { roomId: room.id, on: true })).toEqual({ online: 1 });
  });

  it('does not flip when everyone comes back at once', async () => {
    const people = await Promise.all(Array.from({ length: 20 }, (_, i) => cluster.connect(`user ${i}`, i % 2)));
    for (const who of people) await who.ask('room:join', { roomId });
    await watch(ann, ...people);
    await cluster.eventually(() =>
      people.filter((_, i) => i % 2 === 1).every((who) => seen(ann, who).includes('online')),
    );
    const frames = ann.presence.length;
    for (const who of people) who.close();
    await Promise.all(people.map((_, i) => cluster.connect(`user ${i}`, (i + 1) % 2)));
    // Later than all of that would have been told.
    ben.close();
    await watch(ann, ben);
    await ann.until(() => seen(ann, ben).at(-1) === 'offline');
    const moved = ann.presence.slice(frames).flat();
    expect(moved.filter(({ userId }) => people.some(({ session }) => session.userId === userId))).toEqual([]);
  });

  it('ends by itself where an instance fell silent', async () => {
    await watch(ann, ben);
    const board = cluster.instance(0).app.get<
      unknown,
      {
        elsewhere: Map<string, Map<string, { until: number }>>;
        hear(news: object): void;
      }
    >(PresenceBoard);
    const { userId } = ben.session;
    ben.close();
    await cluster.eventually(() => (board.elsewhere.get(userId)?.size ?? 0) > 0);
    await ann.until(() => seen(ann, ben).at(-1) === 'offline');
    // As from an instance that was killed after this.
    board.hear({ instance: 'killed', states: [[userId, 'online']] });
    await ann.until(() => seen(ann, ben).at(-1) === 'online');
    const lease = board.elsewhere.get(userId)?.get('killed');
    if (lease === undefined) throw new Error('There is no lease');
    expect(lease.until - performance.now()).toBeLessThanOrEqual(30_000);
    lease.until = 0;
    await ann.until(() => seen(ann, ben).at(-1) === 'offline');
  });
});
