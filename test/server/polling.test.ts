import { uuidv7 } from 'uuidv7';
import { Cluster } from './cluster.js';

describe('a client that may not use WebSocket', () => {
  let cluster: Cluster;
  beforeAll(async () => (cluster = await Cluster.start(1)));
  afterAll(() => cluster.stop());

  it('does all that others do', async () => {
    const polling = { transports: ['polling'] };
    const [ann, ben] = [await cluster.connect('ann', 0, polling), await cluster.connect('ben', 0, polling)];
    expect([ann, ben].map(({ socket }) => socket.io.engine.transport.name)).toEqual(['polling', 'polling']);
    expect(ann.session.limits.textLength).toBe(4_000);
    const { id: roomId } = (await ann.ask('room:create', { roomId: uuidv7(), name: 'Behind a proxy' })).room;
    expect((await ben.ask('rooms:discover', { query: 'proxy' })).items.map(({ id }) => id)).toEqual([roomId]);
    await ben.ask('room:join', { roomId });
    await ann.ask('room:update', { roomId, topic: 'Patience' });
    const texts = Array.from({ length: 40 }, (_, i) => `${i} ${'字'.repeat(i * 10)}`);
    await Promise.all(
      texts.map((text, i) => (i % 2 === 0 ? ann : ben).ask('message:send', { roomId, clientMsgId: `${i}`, text })),
    );
    for (const client of [ann, ben]) await client.until(() => client.textsOf(roomId).length >= texts.length);
    expect(ben.textsOf(roomId)).toEqual(ann.textsOf(roomId));
    expect(ann.textsOf(roomId).toSorted()).toEqual(texts.toSorted());
    expect((await ben.ask('message:send', { roomId, clientMsgId: '1', text: texts[1] ?? '' })).duplicate).toBe(true);
    await ben.ask('message:delete', {
      roomId,
      seq: (await ben.ask('message:send', { roomId, clientMsgId: '1', text: texts[1] ?? '' })).message.seq,
    });
    const { messages } = await ann.ask('history:get', { roomId, limit: 200 });
    expect(messages.filter(({ deletedAt }) => deletedAt !== null).length).toBe(1);
    const synced = await ann.ask('rooms:sync', { epoch: ann.session.epoch, cursors: { [roomId]: 3 } });
    expect(synced.rooms[0]).toMatchObject({ reset: false, after: 3, more: false });
    expect((await ann.ask('members:list', { roomId })).items.length).toBe(2);
    await ben.ask('room:leave', { roomId });
    await ann.until(() => ann.changesOf(roomId).at(-1)?.kind === 'member');
    expect((await ben.refusal('message:send', { roomId, clientMsgId: 'late', text: 'Late' })).code).toBe('not_member');
    expect((await ann.reply('message:send', null)).ok).toBe(false);
  });

  it('sees what clients on WebSocket do, and they what it does', async () => {
    const slow = await cluster.connect('slow', 0, { transports: ['polling'] });
    const fast = await cluster.connect('fast');
    const { id: roomId } = (await slow.ask('room:create', { name: 'Both' })).room;
    await fast.ask('room:join', { roomId });
    for (let i = 0; i < 5; i++) {
      await fast.ask('message:send', { roomId, clientMsgId: `${i}`, text: `fast ${i}` });
      await slow.ask('message:send', { roomId, clientMsgId: `${i}`, text: `slow ${i}` });
    }
    for (const client of [slow, fast]) await client.until(() => client.textsOf(roomId).length >= 10);
    expect(slow.textsOf(roomId)).toEqual(fast.textsOf(roomId));
  });
});
