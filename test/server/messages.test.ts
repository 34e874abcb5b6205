import { requests } from '../../src/protocol/index.js';
import type { PlainClient } from '../client.js';
import { Cluster } from './cluster.js';
import { newRoom, say, seen, told } from './table.js';

let cluster: Cluster;
beforeAll(async () => (cluster = await Cluster.start(2)));
afterEach(() => cluster.hangUp());
afterAll(() => cluster.stop());

const room = () => newRoom(cluster);

describe('an edit', () => {
  it('changes the text for everyone, live, in history and catching up; what was said before is kept', async () => {
    const { roomId, ann, ben } = await room();
    const [first] = await say(ben, roomId, 'Helo', 'Next');
    expect(Object.keys(first ?? {})).toEqual([
      'roomId',
      'seq',
      'rev',
      'sender',
      'clientMsgId',
      'text',
      'createdAt',
      'deletedAt',
    ]);
    const { message } = await ben.ask('message:edit', { roomId, seq: 1, text: 'Hello' });
    expect(message).toMatchObject({ rev: 6, seq: 1, text: 'Hello', version: 2, createdAt: first?.createdAt });
    expect(message.editedAt).toMatch(/Z$/);
    expect(await seen(ann, roomId, 6)).toEqual(message);
    expect(await told(ann, roomId, 1)).toEqual([message, message, message]);
    const again = (await ben.ask('message:edit', { roomId, seq: 1, text: 'Hello!', version: 2 })).message;
    expect(again.version).toBe(3);
    const { versions } = await ann.ask('message:versions', { roomId, seq: 1 });
    expect(versions).toEqual([
      { version: 1, text: 'Helo', saidAt: first?.createdAt },
      { version: 2, text: 'Hello', saidAt: message.editedAt },
    ]);
    expect((await ben.refusal('message:versions', { roomId, seq: 1 })).code).toBe('forbidden');
    // The send again gives the message as it is now.
    expect(await ben.ask('message:send', { roomId, clientMsgId: 'Helo', text: 'Helo' })).toEqual({
      message: again,
      duplicate: true,
    });
  });

  it('is no second one when it is asked for again, and is refused when it begins from another version', async () => {
    const { roomId, ann } = await room();
    await say(ann, roomId, 'one');
    const edit = { roomId, seq: 1, text: 'two', version: 1 };
    const edited = await ann.ask('message:edit', edit);
    expect(await ann.ask('message:edit', edit)).toEqual(edited);
    expect((await ann.refusal('message:edit', { ...edit, text: 'three' })).code).toBe('version_mismatch');
    expect((await ann.ask('message:edit', { ...edit, text: 'three', version: 2 })).message).toMatchObject({
      rev: edited.message.rev + 1,
      version: 3,
    });
    const tries = await Promise.all(
      ['a', 'b', 'c'].map((text) => ann.reply('message:edit', { ...edit, text, version: 3 })),
    );
    expect(tries.map((reply) => (reply.ok ? 'ok' : reply.error.code)).toSorted()).toEqual([
      'ok',
      'version_mismatch',
      'version_mismatch',
    ]);
  });

  it('is for the sender alone, as long as he is a member and the message is there (S-24)', async () => {
    const { roomId, ann, ben } = await room();
    await say(ben, roomId, 'one', 'two');
    const edit = (seq: number) => ({ roomId, seq, text: 'Otherwise' });
    expect((await ann.refusal('message:edit', edit(1))).code).toBe('forbidden');
    expect((await ben.refusal('message:edit', edit(3))).code).toBe('not_found');
    await ben.ask('message:delete', { roomId, seq: 2 });
    expect((await ben.refusal('message:edit', edit(2))).code).toBe('not_found');
    await ben.ask('room:leave', { roomId });
    expect((await ben.refusal('message:edit', edit(1))).code).toBe('not_member');
    await ben.ask('room:join', { roomId });
    await cluster.query('update rooms set archived_at = now() where id = $1', [roomId]);
    expect((await ben.refusal('message:edit', edit(1))).code).toBe('room_archived');
  });

  it('ends when a message has as many versions as are kept', async () => {
    const { roomId, ann } = await room();
    await say(ann, roomId, 'one');
    await cluster.query('update messages set version = 99 where room_id = $1', [roomId]);
    expect((await ann.ask('message:edit', { roomId, seq: 1, text: '100' })).message.version).toBe(100);
    expect((await ann.refusal('message:edit', { roomId, seq: 1, text: '101' })).code).toBe('conflict');
  });
});

describe('a deletion', () => {
  it('by a moderator tells who did it, and leaves nothing of what was said', async () => {
    const { roomId, ann, ben } = await room();
    await say(ben, roomId, 'insult');
    await ben.ask('message:edit', { roomId, seq: 1, text: 'worse' });
    const { message } = await ann.ask('message:delete', { roomId, seq: 1 });
    expect(message).toMatchObject({ text: '', deletedBy: ann.session.userId, sender: { name: 'ben' } });
    expect(await seen(ben, roomId, message.rev)).toEqual(message);
    expect(await told(ben, roomId, 1)).toEqual([message, message, message]);
    expect((await ben.ask('message:delete', { roomId, seq: 1 })).message).toEqual(message);
    expect((await ann.ask('message:versions', { roomId, seq: 1 })).versions).toEqual([]);
    expect((await ben.refusal('message:delete', { roomId, seq: 2 })).code).toBe('not_found');
  });
});

describe('reactions', () => {
  const react = (seq: number, emoji: string, on = true) => ({ seq, emoji, on });

  it('are counted with who came first, and are no second ones when they are asked for again', async () => {
    const { roomId, ann, ben } = await room();
    await say(ann, roomId, 'one');
    const [her, his] = [ann.session.userId, ben.session.userId];
    await ben.ask('message:react', { roomId, ...react(1, '👍') });
    await ann.ask('message:react', { roomId, ...react(1, '👍') });
    // The same heart, spelt in two ways.
    await ann.ask('message:react', { roomId, ...react(1, '❤') });
    const { message } = await ann.ask('message:react', { roomId, ...react(1, '❤️') });
    expect(message.reactions).toEqual([
      { emoji: '👍', count: 2, users: [his, her] },
      { emoji: '❤️', count: 1, users: [her] },
    ]);
    expect(message.rev).toBe(7);
    expect(await seen(ben, roomId, 7)).toEqual(message);
    expect(await told(ben, roomId, 1)).toEqual([message, message, message]);
    expect(await ann.ask('reactions:mine', { roomId, from: 1, to: 200 })).toEqual({
      items: [{ seq: 1, emojis: ['👍', '❤️'] }],
    });
    for (const emoji of ['👍', '❤️', '❤️']) await ann.ask('message:react', { roomId, ...react(1, emoji, false) });
    const { message: left } = await ben.ask('message:react', { roomId, ...react(1, ':party_parrot:') });
    expect([left.rev, left.reactions?.map(({ emoji }) => emoji)]).toEqual([10, ['👍', ':party_parrot:']]);
    for (const emoji of ['👍', ':party_parrot:']) await ben.ask('message:react', { roomId, ...react(1, emoji, false) });
    expect((await told(ann, roomId, 1))[0]).not.toHaveProperty('reactions');
  });

  it('are one emoji each, of so many that people use (S-46)', async () => {
    const { roomId, ann } = await room();
    await say(ann, roomId, 'one');
    const code = async (emoji: string) => {
      const reply = await ann.reply('message:react', { roomId, ...react(1, emoji) });
      return reply.ok ? 'ok' : reply.error.code;
    };
    const taken = ['👨‍👩‍👧‍👦', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🇩🇪', '1️⃣', '👩🏽‍❤️‍💋‍👨🏾', '©️', ':+1:'];
    const refused = [
      '',
      'a',
      '1',
      '👍👍',
      '👍 ',
      '::',
      ':Loud:',
      ':a b:',
      '🏽'.repeat(9),
      '\u200d',
      `:${'a'.repeat(40)}:`,
      '<',
    ];
    expect(await Promise.all(taken.map(code))).toEqual(taken.map(() => 'ok'));
    for (const emoji of refused) expect([emoji, await code(emoji)]).toEqual([emoji, 'invalid_argument']);
    await Promise.all(Array.from({ length: 20 - taken.length }, (_, i) => code(`:e${i}:`)));
    expect(await code(':e20:')).toBe('conflict');
    expect(await code('👨‍👩‍👧‍👦')).toBe('ok');
  });

  it('of a hundred people at once are counted exactly, in a few changes', async () => {
    const { roomId, ann, ben } = await room();
    await say(ann, roomId, 'Popular');
    const crowd = await Promise.all(Array.from({ length: 100 }, (_, i) => cluster.rest(`fan${i}`, i % 2)));
    // Ten at a time: joins of one room wait for each other, and on a busy machine a hundred of them for too long.
    for (let i = 0; i < 100; i += 10) {
      const some = crowd.slice(i, i + 10);
      await Promise.all(some.map((fan) => fan.ok('POST', `/v1/rooms/${roomId}/join`, requests['room:join'].result)));
    }
    const { upTo: before } = await ann.ask('room:sync', { roomId });
    const { result } = requests['message:react'];
    const path = `/v1/rooms/${roomId}/messages/1/reactions`;
    const wave = async (on: (i: number) => boolean) =>
      Promise.all(crowd.map((fan, i) => fan.ok('POST', path, result, { emoji: '🔥', on: on(i) })));
    const began = performance.now();
    await wave(() => true);
    const tenths = Math.ceil((performance.now() - began) / 100);
    const [full] = await told(ben, roomId, 1);
    expect(full?.reactions).toMatchObject([{ emoji: '🔥', count: 100 }]);
    expect(full?.reactions?.[0]?.users.length).toBe(10);
    const changes = (full?.rev ?? 0) - before;
    expect(changes).toBeGreaterThan(0);
    // Each of the two instances begins one change in a tenth of a second, however slowly the reactions come in.
    expect(changes).toBeLessThanOrEqual(2 * (tenths + 1));
    expect(changes).toBeLessThan(50);
    await wave((i) => i % 4 === 0);
    const [some] = await told(ben, roomId, 1);
    expect(some?.reactions).toMatchObject([{ emoji: '🔥', count: 25 }]);
    expect(await seen(ann, roomId, some?.rev ?? 0)).toEqual(some);
  });

  it('are for members, on messages that are there', async () => {
    const { roomId, ann, ben } = await room();
    await say(ann, roomId, 'one', 'two');
    await ben.ask('message:react', { roomId, ...react(1, '👍') });
    await ann.ask('message:delete', { roomId, seq: 1 });
    expect((await told(ann, roomId, 1))[0]).not.toHaveProperty('reactions');
    const left = await cluster.query('select from reactions where room_id = $1', [roomId]);
    expect(left.length).toBe(0);
    const codes = async (seqs: number[]) =>
      Promise.all(seqs.map(async (seq) => (await ben.refusal('message:react', { roomId, ...react(seq, '👍') })).code));
    expect(await codes([1, 9])).toEqual(['not_found', 'not_found']);
    await cluster.query('update rooms set archived_at = now() where id = $1', [roomId]);
    expect(await codes([2])).toEqual(['room_archived']);
    await ben.ask('room:leave', { roomId });
    expect(await codes([2, 9])).toEqual(['not_member', 'not_member']);
  });
});

describe('pins', () => {
  it('are listed, told as changes, and go with their message', async () => {
    const { roomId, ann, ben } = await room();
    await say(ben, roomId, 'one', 'two', 'three');
    const pin = (seq: number, on = true) => ann.ask('message:pin', { roomId, seq, on });
    const { message } = await pin(2);
    expect(message.pinned).toEqual({ at: expect.stringMatching(/Z$/) as string, by: ann.session.userId });
    expect(await seen(ben, roomId, message.rev)).toEqual(message);
    expect(await told(ben, roomId, 2)).toEqual([message, message, message]);
    expect(await pin(2)).toEqual({ message });
    await pin(1);
    await pin(3);
    const listed = async () => (await ben.ask('pins:list', { roomId })).messages.map(({ seq }) => seq);
    expect((await listed()).toSorted()).toEqual([1, 2, 3]);
    expect((await pin(3, false)).message).not.toHaveProperty('pinned');
    expect((await ann.ask('message:delete', { roomId, seq: 2 })).message).not.toHaveProperty('pinned');
    expect(await listed()).toEqual([1]);
    const refused = async (client: PlainClient, seq: number) =>
      (await client.refusal('message:pin', { roomId, seq, on: true })).code;
    expect([await refused(ben, 3), await refused(ann, 2), await refused(ann, 4)]).toEqual([
      'forbidden',
      'not_found',
      'not_found',
    ]);
  });

  it('are no more than a room may have (S-46)', async () => {
    const { roomId, ann } = await room();
    await say(ann, roomId, ...Array.from({ length: 51 }, (_, i) => `${i}`));
    const tries = await Promise.all(
      Array.from({ length: 51 }, (_, i) => ann.reply('message:pin', { roomId, seq: i + 1, on: true })),
    );
    expect(tries.filter(({ ok }) => ok).length).toBe(50);
    expect(tries.flatMap((reply) => (reply.ok ? [] : [reply.error.code]))).toEqual(['conflict']);
    const [pinned] = (await ann.ask('pins:list', { roomId })).messages;
    await ann.ask('message:delete', { roomId, seq: pinned?.seq ?? 0 });
    const last = tries.findIndex(({ ok }) => !ok) + 1;
    expect((await ann.ask('message:pin', { roomId, seq: last, on: true })).message.pinned).toBeDefined();
  });
});

describe('who may not write', () => {
  it('may not edit, react or pin either; deleting his own he may (S-24)', async () => {
    const { roomId, ann, ben } = await room();
    const his = ben.session.userId;
    await say(ben, roomId, 'one');
    const asked = async () => {
      const replies = [
        await ben.reply('message:edit', { roomId, seq: 1, text: 'Otherwise' }),
        await ben.reply('message:react', { roomId, seq: 1, emoji: '👍', on: true }),
        await ben.reply('message:pin', { roomId, seq: 1, on: true }),
      ];
      return replies.map((reply) => (reply.ok ? 'ok' : reply.error.code));
    };
    await ann.ask('member:update', { roomId, userId: his, role: 'reader' });
    expect(await asked()).toEqual(['forbidden', 'forbidden', 'forbidden']);
    await ann.ask('member:update', { roomId, userId: his, role: 'moderator' });
    const mutedUntil = new Date(Date.now() + 60_000).toISOString();
    await ann.ask('member:update', { roomId, userId: his, mutedUntil });
    expect(await asked()).toEqual(['muted', 'muted', 'muted']);
    await ann.ask('member:update', { roomId, userId: his, role: 'member', mutedUntil: null });
    await ann.ask('room:update', { roomId, readOnly: true });
    expect(await asked()).toEqual(['forbidden', 'ok', 'forbidden']);
    expect((await ben.ask('message:delete', { roomId, seq: 1 })).message.deletedBy).toBe(his);
  });

  it('may not touch or list what was said before he could see it', async () => {
    const [ann, ben] = [await cluster.connect('ann'), await cluster.connect('ben', 1)];
    const { id: roomId } = (await ann.ask('room:create', { name: 'Since', historyVisible: 'joined' })).room;
    await say(ann, roomId, 'before');
    await ann.ask('message:pin', { roomId, seq: 1, on: true });
    await ben.ask('room:join', { roomId });
    await say(ann, roomId, 'after');
    await ann.ask('message:pin', { roomId, seq: 2, on: true });
    await ann.ask('member:update', { roomId, userId: ben.session.userId, role: 'moderator' });
    const refused = [
      await ben.refusal('message:react', { roomId, seq: 1, emoji: '👍', on: true }),
      await ben.refusal('message:pin', { roomId, seq: 1, on: false }),
      await ben.refusal('message:delete', { roomId, seq: 1 }),
      await ben.refusal('message:versions', { roomId, seq: 1 }),
      await ben.refusal('message:send', { roomId, clientMsgId: 'reply', text: 'x', replyTo: 1 }),
      await ben.refusal('message:send', { roomId, clientMsgId: 'thread', text: 'x', threadRoot: 1 }),
    ];
    expect(refused.map(({ code }) => code)).toEqual(Array(6).fill('not_found'));
    expect((await ben.ask('pins:list', { roomId })).messages.map(({ seq }) => seq)).toEqual([2]);
    expect((await ben.ask('message:react', { roomId, seq: 2, emoji: '👍', on: true })).message.seq).toBe(2);
  });
});

describe('by REST', () => {
  it('messages are changed by the same rules', async () => {
    const { roomId, ann, ben } = await room();
    await say(ben, roomId, 'one');
    const [hers, his] = [await cluster.rest('ann'), await cluster.rest('ben', 1)];
    const path = `/v1/rooms/${roomId}/messages/1`;
    const { message } = await his.ok('PATCH', path, requests['message:edit'].result, { text: 'two', version: 1 });
    expect(await seen(ann, roomId, message.rev)).toEqual(message);
    const stale = await his.refused('PATCH', path, { text: 'three', version: 1 });
    expect([stale.status, stale.code]).toEqual([409, 'version_mismatch']);
    const { versions } = await hers.ok('GET', `${path}/versions`, requests['message:versions'].result);
    expect(versions.map(({ text }) => text)).toEqual(['one']);
    await his.ok('POST', `${path}/reactions`, requests['message:react'].result, { emoji: '🎉', on: true });
    const mine = await his.ok('GET', `/v1/rooms/${roomId}/reactions?from=1&to=9`, requests['reactions:mine'].result);
    expect(mine.items).toEqual([{ seq: 1, emojis: ['🎉'] }]);
    await hers.ok('POST', `${path}/pin`, requests['message:pin'].result, { on: true });
    const pins = await his.ok('GET', `/v1/rooms/${roomId}/pins`, requests['pins:list'].result);
    expect(pins.messages.map(({ seq }) => seq)).toEqual([1]);
    await hers.ok('DELETE', path, requests['message:delete'].result);
    expect((await ben.ask('history:get', { roomId })).messages[0]?.deletedBy).toBe(ann.session.userId);
  });
});
