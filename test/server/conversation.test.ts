import { uuidv7 } from 'uuidv7';
import type { Change } from '../../src/protocol/index.js';
import { Cluster } from './cluster.js';

let cluster: Cluster;
beforeAll(async () => (cluster = await Cluster.start(2)));
afterEach(() => cluster.hangUp());
afterAll(() => cluster.stop());

/** A change in a line: `7 ben left`. */
function line({ rev, ...change }: Change): string {
  if (change.kind === 'message') return `${rev} ${change.message.deletedAt === null ? change.message.text : 'deleted'}`;
  if (change.kind === 'room') return `${rev} named ${change.room.name}`;
  const { user, role, leftAt } = change.member;
  return `${rev} ${user.name} ${leftAt === null ? role : 'left'}`;
}

describe('a room', () => {
  it('shows the others each joining, leaving, renaming and adding, live and in sync, under the same revs', async () => {
    const [ann, ben, cid] = [
      await cluster.connect('ann'),
      await cluster.connect('ben', 1),
      await cluster.connect('cid', 1),
    ];
    const { room, member } = await ann.ask('room:create', { name: 'Draft', topic: 'All of it' });
    expect([room.rev, member.rev, member.role]).toEqual([1, 2, 'owner']);
    const { id: roomId } = room;
    expect((await ben.ask('room:join', { roomId })).member).toMatchObject({ rev: 3, role: 'member', leftAt: null });
    expect((await ann.ask('room:update', { roomId, name: 'Plans' })).room).toMatchObject({
      rev: 4,
      topic: 'All of it',
    });
    expect((await ann.ask('member:add', { roomId, userId: cid.session.userId })).member.rev).toBe(5);
    await cid.until(() => cid.signals.length > 0);
    expect(cid.signals).toEqual([{ kind: 'roomAdded', roomId }]);
    await cid.ask('message:send', { roomId, clientMsgId: 'hi', text: 'Hello' });
    expect((await ben.ask('room:leave', { roomId })).member).toMatchObject({ rev: 7, user: { name: 'ben' } });
    await ben.until(() => ben.signals.length > 1);
    expect(ben.signals.map(({ kind }) => kind)).toEqual(['roomAdded', 'roomRemoved']);

    for (const client of [ann, cid]) await client.until(() => client.changesOf(roomId).at(-1)?.rev === 7);
    const all = ['3 ben member', '4 named Plans', '5 cid member', '6 Hello', '7 ben left'];
    expect(ann.changesOf(roomId).map(line)).toEqual(all);
    expect(ben.changesOf(roomId).map(line)).toEqual(all.slice(1));
    expect(cid.changesOf(roomId).map(line)).toEqual(all.slice(3));
    const synced = await ann.ask('room:sync', { roomId, epoch: ann.session.epoch, after: 0 });
    if (synced.reset) throw new Error('Was reset');
    expect(synced.changes.map(line)).toEqual(['2 ann owner', '4 named Plans', '5 cid member', '6 Hello', '7 ben left']);
    expect([synced.upTo, synced.more]).toEqual([7, false]);
  });

  it('is made once, however often and wherever its making is tried again', async () => {
    const [here, there] = [await cluster.connect('ann'), await cluster.connect('ann', 1)];
    const request = { roomId: uuidv7(), name: 'Once' };
    const tries = await Promise.all(
      Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? here : there).ask('room:create', request)),
    );
    expect(new Set(tries.map((made) => JSON.stringify(made))).size).toBe(1);
    expect(await here.ask('room:create', { ...request, name: 'Otherwise' })).toEqual(tries[0]);
    const other = await cluster.connect('ben');
    expect((await other.refusal('room:create', request)).code).toBe('conflict');
    const { items } = await here.ask('members:list', { roomId: request.roomId });
    expect(items.map(({ user, role }) => [user.name, role])).toEqual([['ann', 'owner']]);
  });

  it('lets the socket in that tried its making again elsewhere, before the reply', async () => {
    const deaf = await Cluster.start(1);
    const beside = await Cluster.beside(deaf, 1);
    try {
      const [here, there] = [await deaf.connect('ann'), await beside.connect('ann')];
      const request = { roomId: uuidv7(), name: 'Heard of by its row alone' };
      await here.ask('room:create', request);
      await there.ask('room:create', request);
      await there.ask('message:send', { roomId: request.roomId, clientMsgId: 'a', text: 'Hello' });
      await there.until(() => there.textsOf(request.roomId).length > 0);
    } finally {
      await beside.stop();
      await deaf.stop();
    }
  });

  it('is joined once by who joins it twice', async () => {
    const [ann, ben, again] = [
      await cluster.connect('ann'),
      await cluster.connect('ben'),
      await cluster.connect('ben', 1),
    ];
    const { id: roomId } = (await ann.ask('room:create', { name: 'Twice' })).room;
    const joined = await Promise.all([ben, again, ben, again].map((client) => client.ask('room:join', { roomId })));
    expect(joined.map(({ member }) => member.rev)).toEqual([3, 3, 3, 3]);
    await ann.ask('message:send', { roomId, clientMsgId: 'a', text: 'Welcome' });
    await ann.until(() => ann.textsOf(roomId).length > 0);
    expect(ann.changesOf(roomId).map(line)).toEqual(['3 ben member', '4 Welcome']);
    await again.until(() => again.textsOf(roomId).length > 0);
    expect((await ann.ask('member:add', { roomId, userId: ben.session.userId })).member.rev).toBe(3);
  });

  it('goes to the member of longest standing when its last owner leaves', async () => {
    const [ann, ben, cid] = [
      await cluster.connect('ann'),
      await cluster.connect('ben', 1),
      await cluster.connect('cid'),
    ];
    const { id: roomId } = (await ann.ask('room:create', { name: 'Inherited' })).room;
    await ben.ask('room:join', { roomId });
    await cid.ask('room:join', { roomId });
    expect((await ben.refusal('room:update', { roomId, name: 'Mine' })).code).toBe('forbidden');
    expect((await ben.refusal('member:add', { roomId, userId: ann.session.userId })).code).toBe('forbidden');
    await ann.ask('room:leave', { roomId });
    await cid.until(() => cid.changesOf(roomId).length >= 2);
    expect(cid.changesOf(roomId).map(line)).toEqual(['5 ann left', '6 ben owner']);
    await ben.ask('room:update', { roomId, name: 'Mine' });
    expect((await ann.ask('room:join', { roomId })).member.role).toBe('member');
  });

  it('hears no more from who left', async () => {
    const [ann, ben] = [await cluster.connect('ann'), await cluster.connect('ben', 1)];
    const { id: roomId } = (await ann.ask('room:create', { name: 'Left' })).room;
    await ben.ask('room:join', { roomId });
    await ben.ask('room:leave', { roomId });
    const refusals = [
      await ben.refusal('room:leave', { roomId }),
      await ben.refusal('message:send', { roomId, clientMsgId: 'a', text: 'Still here' }),
      await ben.refusal('history:get', { roomId }),
      await ben.refusal('room:sync', { roomId }),
    ];
    expect(refusals.map(({ code }) => code)).toEqual(Array(4).fill('not_member'));
  });
});

describe('messages', () => {
  it('keep the order in which one client sent them without waiting', async () => {
    const ann = await cluster.connect('ann');
    const rooms = [
      (await ann.ask('room:create', { name: 'A' })).room.id,
      (await ann.ask('room:create', { name: 'B' })).room.id,
    ];
    const sends = Array.from({ length: 180 }, (_, i) => ({
      roomId: rooms[i % 2] ?? '',
      clientMsgId: `m${i}`,
      text: `${i}`,
    }));
    // Each a second time, as a client does that is not sure: the first one stands.
    for (let from = 0; from < sends.length; from += 30) {
      const window = sends.slice(from, from + 30);
      await Promise.all([...window, ...window].map((send) => ann.ask('message:send', send)));
    }
    for (const roomId of rooms) {
      const wanted = sends.filter((send) => send.roomId === roomId).map(({ text }) => text);
      const { messages } = await ann.ask('history:get', { roomId, limit: 200 });
      expect(messages.map(({ text }) => text)).toEqual(wanted);
      await ann.until(() => ann.textsOf(roomId).length >= wanted.length);
      expect(ann.textsOf(roomId)).toEqual(wanted);
    }
  });

  it('that were deleted are tombstones everywhere, and only for their sender to delete', async () => {
    const [ann, ben] = [await cluster.connect('ann'), await cluster.connect('ben', 1)];
    const { id: roomId } = (await ann.ask('room:create', { name: 'Regrets' })).room;
    await ben.ask('room:join', { roomId });
    for (const text of ['one', 'two', 'three']) await ann.ask('message:send', { roomId, clientMsgId: text, text });
    expect((await ben.refusal('message:delete', { roomId, seq: 2 })).code).toBe('forbidden');
    expect((await ann.refusal('message:delete', { roomId, seq: 4 })).code).toBe('not_found');
    const { message } = await ann.ask('message:delete', { roomId, seq: 2 });
    expect(message).toMatchObject({ seq: 2, rev: 7, text: '', clientMsgId: 'two' });
    expect(message.deletedAt).not.toBeNull();
    expect((await ann.ask('message:delete', { roomId, seq: 2 })).message).toEqual(message);
    await ben.until(() => ben.changesOf(roomId).at(-1)?.rev === 7);
    expect(ben.changesOf(roomId).map(line)).toEqual(['4 one', '5 two', '6 three', '7 deleted']);
    expect((await ben.ask('history:get', { roomId })).messages[1]).toEqual(message);
    const snapshot = await ben.ask('room:sync', { roomId });
    expect(snapshot.reset && snapshot.messages[1]).toEqual(message);
    const synced = await ben.ask('room:sync', { roomId, epoch: ben.session.epoch, after: 3 });
    expect(synced.reset ? [] : synced.changes.map(line)).toEqual(['4 one', '6 three', '7 deleted']);
    const stored = await cluster.query('select from messages where room_id = $1 and text = $2', [roomId, 'two']);
    expect(stored.length).toBe(0);
  });

  it('are found around, before and after a place in history', async () => {
    const ann = await cluster.connect('ann');
    const { id: roomId } = (await ann.ask('room:create', { name: 'Long' })).room;
    for (let i = 1; i <= 25; i++) await ann.ask('message:send', { roomId, clientMsgId: `${i}`, text: `${i}` });
    const page = async (request: object): Promise<unknown[]> => {
      const { messages, hasBefore, hasAfter } = await ann.ask('history:get', { roomId, ...request });
      return [messages[0]?.seq, messages.at(-1)?.seq, messages.length, hasBefore, hasAfter];
    };
    expect(await page({})).toEqual([1, 25, 25, false, false]);
    expect(await page({ limit: 10 })).toEqual([16, 25, 10, true, false]);
    expect(await page({ before: 16, limit: 10 })).toEqual([6, 15, 10, true, true]);
    expect(await page({ before: 6, limit: 10 })).toEqual([1, 5, 5, false, true]);
    expect(await page({ before: 1 })).toEqual([undefined, undefined, 0, false, true]);
    expect(await page({ after: 0, limit: 10 })).toEqual([1, 10, 10, false, true]);
    expect(await page({ after: 20, limit: 10 })).toEqual([21, 25, 5, true, false]);
    expect(await page({ after: 25 })).toEqual([undefined, undefined, 0, true, false]);
    expect(await page({ around: 12, limit: 10 })).toEqual([7, 16, 10, true, true]);
    expect(await page({ around: 12, limit: 1 })).toEqual([12, 12, 1, true, true]);
    expect(await page({ around: 1, limit: 10 })).toEqual([1, 10, 10, false, true]);
    expect(await page({ around: 25, limit: 10 })).toEqual([20, 25, 6, true, false]);
  });
});
