import type { PlainClient } from '../client.js';
import { Cluster } from './cluster.js';
import { messagesOf, newRoom, say, seen, told } from './table.js';

let cluster: Cluster;
beforeAll(async () => (cluster = await Cluster.start(2)));
afterEach(() => cluster.hangUp());
afterAll(() => cluster.stop());

const room = () => newRoom(cluster);

describe('replies and threads', () => {
  it('are told with their messages; a thread has a page of history of its own, and its root says how long it is', async () => {
    const { roomId, ann, ben } = await room();
    await say(ann, roomId, 'root', 'beside');
    const send = (clientMsgId: string, more: object) =>
      ben.ask('message:send', { roomId, clientMsgId, text: clientMsgId, ...more });
    const { message: answer } = await send('answer', { replyTo: 2 });
    expect([answer.replyTo, answer.rev]).toEqual([2, 6]);
    expect(await told(ann, roomId, 3)).toEqual([answer, answer, answer]);
    const { message: reply } = await send('reply', { threadRoot: 1, replyTo: 1 });
    expect(reply).toMatchObject({ seq: 4, rev: 7, threadRoot: 1, replyTo: 1 });
    const root = await seen(ann, roomId, 8);
    expect(root).toMatchObject({ seq: 1, text: 'root', thread: { replies: 1, lastReplyAt: reply.createdAt } });
    expect(await told(ben, roomId, 1)).toEqual([root, root, root]);
    const more = await Promise.all(['a', 'b', 'c', 'd'].map((id) => send(id, { threadRoot: 1 })));
    await send('last', {});
    const { messages, hasBefore } = await ann.ask('history:get', { roomId, threadRoot: 1, limit: 4 });
    expect(messages.map(({ text }) => text)).toEqual(['a', 'b', 'c', 'd']);
    expect(hasBefore).toBe(true);
    const before = await ann.ask('history:get', { roomId, threadRoot: 1, before: messages[0]?.seq ?? 0 });
    expect([before.messages.map(({ text }) => text), before.hasBefore, before.hasAfter]).toEqual([
      ['reply'],
      false,
      true,
    ]);
    expect((await told(ann, roomId, 1))[0]?.thread?.replies).toBe(5);
    await ben.ask('message:delete', { roomId, seq: more[0]?.message.seq ?? 0 });
    const [shrunk] = await told(ann, roomId, 1);
    expect(shrunk?.thread?.replies).toBe(4);
    expect(await seen(ann, roomId, shrunk?.rev ?? 0)).toEqual(shrunk);
    const { upTo } = await ann.ask('room:sync', { roomId });
    await ann.until(() => ann.changesOf(roomId).at(-1)?.rev === upTo);
    await ben.until(() => ben.changesOf(roomId).at(-1)?.rev === upTo);
  });

  it('answer to what is there, and a thread has no threads', async () => {
    const { roomId, ann, ben } = await room();
    await say(ann, roomId, 'root');
    await ann.ask('message:send', { roomId, clientMsgId: 'reply', text: 'reply', threadRoot: 1 });
    const refused = async (more: object) =>
      (await ben.refusal('message:send', { roomId, clientMsgId: 'x', text: 'x', ...more })).code;
    expect(await refused({ replyTo: 3 })).toBe('not_found');
    expect(await refused({ threadRoot: 3 })).toBe('not_found');
    expect(await refused({ threadRoot: 2 })).toBe('not_found');
    const sent = await ben.ask('message:send', { roomId, clientMsgId: 'x', text: 'x' });
    expect([sent.message.seq, sent.message.rev]).toEqual([3, 7]);
  });

  it('grow by one change of the root for all replies that are stored together, and count them exactly', async () => {
    const { roomId, ann, ben } = await room();
    await say(ann, roomId, 'one', 'two');
    const before = (await ann.ask('room:sync', { roomId })).upTo;
    await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        (i % 2 === 0 ? ann : ben).ask('message:send', {
          roomId,
          clientMsgId: `r${i}`,
          text: `r${i}`,
          ...(i % 5 !== 0 && { threadRoot: 1 + (i % 2) }),
        }),
      ),
    );
    const { upTo } = await ann.ask('room:sync', { roomId });
    await ann.until(() => ann.changesOf(roomId).at(-1)?.rev === upTo);
    await ben.until(() => ben.changesOf(roomId).at(-1)?.rev === upTo);
    const [one] = await told(ann, roomId, 1);
    const [two] = await told(ann, roomId, 2);
    expect([one?.thread?.replies, two?.thread?.replies]).toEqual([24, 24]);
    expect(upTo - before).toBeLessThan(60 + 48);
    const revs = ann.changesOf(roomId).map(({ rev }) => rev);
    expect(revs).toEqual([...new Set(revs)].toSorted((a, b) => a - b));
    const latest = new Map(messagesOf(ben.changesOf(roomId)).map((message) => [message.seq, message]));
    expect([latest.get(1), latest.get(2)]).toEqual([one, two]);
  });
});

describe('what is sent with a message', () => {
  const meta = { kind: 'poll', options: ['tea', 'coffee'], deep: { er: { still: 1 } } };

  it('comes back with it, and is part of what a retry must repeat', async () => {
    const { roomId, ann, ben } = await room();
    const his = ben.session.userId;
    const send = { roomId, clientMsgId: 'poll', text: 'Vote', mentions: { users: [his, his] }, meta };
    const { message } = await ann.ask('message:send', send);
    expect(message).toMatchObject({ meta, mentions: { users: [his], room: false } });
    expect(await seen(ben, roomId, message.rev)).toEqual(message);
    expect(await told(ben, roomId, 1)).toEqual([message, message, message]);
    const { options, ...rest } = meta;
    const again = await ann.ask('message:send', { ...send, meta: { ...rest, options } });
    expect(again).toEqual({ message, duplicate: true });
    for (const other of [{ meta: {} }, { meta: undefined }, { mentions: { room: true } }, { replyTo: 1 }])
      expect((await ann.refusal('message:send', { ...send, ...other })).code).toBe('idempotency_mismatch');
    const { message: gone } = await ann.ask('message:delete', { roomId, seq: 1 });
    expect([gone.meta, gone.mentions]).toEqual([undefined, message.mentions]);
  });

  it('is counted as a mention for members, and goes with the message', async () => {
    const { roomId, ann, ben } = await room();
    const [cid, her, his] = [await cluster.connect('cid'), ann.session.userId, ben.session.userId];
    const send = (client: PlainClient, clientMsgId: string, mentions: object) =>
      client.ask('message:send', { roomId, clientMsgId, text: clientMsgId, mentions });
    await send(ann, 'one', { users: [her, his, cid.session.userId] });
    await send(ann, 'two', { users: [his], room: true });
    await send(ben, 'three', { users: [her] });
    const everyone = '00000000-0000-0000-0000-000000000000';
    const counted = () =>
      cluster.query('select seq::int, user_id from mentions where room_id = $1 order by seq', [roomId]);
    expect(await counted()).toEqual([
      { seq: 1, user_id: his },
      { seq: 2, user_id: everyone },
      { seq: 3, user_id: her },
    ]);
    expect(
      (await ben.refusal('message:send', { roomId, clientMsgId: 'x', text: 'x', mentions: { room: true } })).code,
    ).toBe('forbidden');
    for (const seq of [1, 2, 3]) await ann.ask('message:delete', { roomId, seq });
    expect(await counted()).toEqual([]);
  });

  it('stays within its bounds', async () => {
    const { roomId, ann } = await room();
    const refused = async (more: object) => {
      const reply = await ann.reply('message:send', { roomId, clientMsgId: 'x', text: 'x', ...more });
      return reply.ok ? 'ok' : reply.error.code;
    };
    const ids = Array.from({ length: 51 }, (_, i) => `01980000-0000-7000-8000-0000000000${10 + i}`);
    const wrong = [
      { mentions: {} },
      { mentions: { users: ids } },
      { meta: { big: 'ä'.repeat(1_100) } },
      { meta: { a: { b: { c: { d: {} } } } } },
      { meta: { nul: '\u0000' } },
      { meta: { lone: '\ud800' } },
      { meta: { '\udc00': 1 } },
      { meta: [1] },
      { replyTo: 0 },
    ];
    for (const more of wrong) expect([more, await refused(more)]).toEqual([more, 'invalid_argument']);
    const right = { mentions: { users: ids.slice(1) }, meta: { big: 'ä'.repeat(900), text: '\\u0000 \\\\ud800 😀' } };
    expect((await ann.ask('message:send', { roomId, clientMsgId: 'x', text: 'x', ...right })).message).toMatchObject({
      meta: right.meta,
    });
    expect((await told(ann, roomId, 1))[0]?.meta).toEqual(right.meta);
  });
});
