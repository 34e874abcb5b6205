import { PurgedUser } from '../../src/admin/admin-users.schemas.js';
import {
  Done,
  limits,
  MessageResult,
  ReportPage,
  SentMessage,
  type MessageRef as Ref,
} from '../../src/protocol/index.js';
import type { PlainClient } from '../client.js';
import { adminKey } from '../instance.js';
import { Cluster } from './cluster.js';
import { Rest } from './rest.js';
import { messagesOf, newRoom, say, seen, told } from './table.js';

let cluster: Cluster;
let admin: Rest;
beforeAll(async () => {
  cluster = await Cluster.start(2);
  admin = new Rest(cluster.instance(0).url, adminKey);
});
afterEach(() => cluster.hangUp());
afterAll(() => cluster.stop());

/** Messages of the user in the room, as though he had sent them. */
async function fill(roomId: string, userId: string, count: number): Promise<void> {
  await cluster.query(
    `insert into messages (room_id, seq, rev, sender_id, client_msg_id, fingerprint, text, created_at)
     select id, seq + n, rev + n, $2, gen_random_uuid(), '\\x00', 'Spam ' || n, now() from rooms, generate_series(1, $3) n where id = $1`,
    [roomId, userId, count],
  );
  await cluster.query('update rooms set seq = seq + $2, rev = rev + $2 where id = $1', [roomId, count]);
}

const tombstones = (client: PlainClient, roomId: string) =>
  messagesOf(client.changesOf(roomId)).filter(({ deletedAt }) => deletedAt !== null);

describe('a ban that purges', () => {
  it('deletes what he said with the ban, and what hung on it, and nothing of others', async () => {
    const { roomId, ann, ben } = await newRoom(cluster);
    const { userId } = ben.session;
    const [root] = await say(ann, roomId, 'Root');
    const reply = { roomId, clientMsgId: 'reply', text: 'Reply', threadRoot: root?.seq ?? 0 };
    await ben.ask('message:send', { ...reply, mentions: { users: [ann.session.userId] } });
    const [own] = await say(ben, roomId, 'Own');
    const mine = { roomId, seq: own?.seq ?? 0 };
    await ann.ask('message:send', { roomId, clientMsgId: 'of-his', text: 'Of his thread', threadRoot: mine.seq });
    await ben.ask('message:send', { ...reply, clientMsgId: 'own-reply', threadRoot: mine.seq });
    await ben.ask('message:edit', { ...mine, text: 'Own, edited' });
    await ann.ask('message:react', { ...mine, emoji: '👍', on: true });
    await ann.ask('message:pin', { ...mine, on: true });
    const cid = await cluster.connect('cid', 1);
    await cid.ask('room:join', { roomId });
    const since = performance.now();
    const { ban, purged } = await ann.ask('member:ban', { roomId, userId, on: true, purge: true });
    expect(ban?.user.id).toBe(userId);
    expect(purged).toEqual({ deleted: 3, more: false });
    for (const client of [ann, cid]) await client.until(() => tombstones(client, roomId).length === 3);
    expect(performance.now() - since).toBeLessThan(2_000);
    expect(ben.changesOf(roomId).at(-1)).toMatchObject({ kind: 'member', member: { user: { id: userId } } });
    const { messages } = await ann.ask('history:get', { roomId });
    const thread = { replies: 0, lastReplyAt: expect.any(String) as string };
    expect(messages).toMatchObject([
      { text: 'Root', thread, deletedAt: null },
      { text: '', deletedBy: ann.session.userId },
      { text: '', thread: { replies: 1 }, version: 2 },
      { text: 'Of his thread', deletedAt: null },
      { text: '' },
    ]);
    const live = messagesOf(ann.changesOf(roomId));
    for (const message of messages) expect(live.findLast(({ seq }) => seq === message.seq)).toEqual(message);
    for (const field of ['reactions', 'pinned', 'meta']) expect(messages[2]).not.toHaveProperty(field);
    for (const rows of ['message_versions', 'reactions', 'pins', 'mentions'])
      expect(await cluster.query(`select from ${rows} where room_id = $1`, [roomId])).toEqual([]);
    const synced = await ann.ask('room:sync', { roomId, epoch: ann.session.epoch, after: 0 });
    expect(synced.upTo).toBe(ann.changesOf(roomId).at(-1)?.rev);
    const again = await ann.ask('member:ban', { roomId, userId, on: true, purge: true });
    expect(again.purged).toEqual({ deleted: 0, more: false });
  });

  it('takes what is recent alone where that is asked for', async () => {
    const { roomId, ann, ben } = await newRoom(cluster);
    await say(ben, roomId, 'Old', 'New');
    await cluster.query(`update messages set created_at = now() - interval '2 h' where room_id = $1 and seq = 1`, [
      roomId,
    ]);
    const request = { roomId, userId: ben.session.userId, on: true, purgeLastS: 3_600 };
    expect((await ann.ask('member:ban', request)).purged).toEqual({ deleted: 1, more: false });
    const { messages } = await ann.ask('history:get', { roomId });
    expect(messages.map(({ text }) => text)).toEqual(['Old', '']);
    expect((await ann.refusal('member:ban', { ...request, on: false })).code).toBe('invalid_argument');
  });

  it('of ten thousand messages is quick, and goes out in frames that are not large', async () => {
    const { roomId, ann, ben } = await newRoom(cluster);
    const here = await cluster.connect('cid', 1);
    await here.ask('room:join', { roomId });
    const { userId } = ben.session;
    await fill(roomId, userId, limits.purge + 10);
    await say(ann, roomId, 'Before');
    await here.until(() => here.textsOf(roomId).includes('Before'));
    const since = performance.now();
    const { purged } = await ann.ask('member:ban', { roomId, userId, on: true, purge: true });
    const took = performance.now() - since;
    process.stdout.write(`A purge of ${limits.purge} messages took ${took.toFixed()} ms\n`);
    expect(purged).toEqual({ deleted: limits.purge, more: true });
    for (const client of [ann, here]) {
      await client.until(() => tombstones(client, roomId).length === limits.purge);
      const sizes = client.frames.map((frame) => JSON.stringify(frame).length);
      expect(Math.max(...sizes)).toBeLessThan(512 * 1024);
    }
    const more = await ann.ask('member:ban', { roomId, userId, on: true, purge: true });
    expect(more.purged).toEqual({ deleted: 10, more: false });
    const [last] = await say(ann, roomId, 'After');
    for (const client of [ann, here]) expect((await seen(client, roomId, last?.rev ?? 0))?.text).toBe('After');
  });
});

describe('an admin', () => {
  it('purges what a user said in all rooms, as often as he likes', async () => {
    const [one, two] = [await newRoom(cluster), await newRoom(cluster)];
    const dan = await cluster.connect('dan', 1);
    const { userId } = dan.session;
    for (const { roomId } of [one, two]) await dan.ask('room:join', { roomId });
    await say(dan, one.roomId, 'One', 'Two');
    await say(dan, two.roomId, 'Three');
    await dan.ask('room:leave', { roomId: two.roomId });
    await say(one.ann, one.roomId, 'Mine');
    const path = `/admin/v1/users/${userId}/purge`;
    expect(await admin.ok('POST', path, PurgedUser, { lastS: 60 })).toEqual({ deleted: 3, rooms: 2, more: false });
    expect(await admin.ok('POST', path, PurgedUser, {})).toEqual({ deleted: 0, rooms: 0, more: false });
    await one.ben.until(() => tombstones(one.ben, one.roomId).length === 2);
    expect(tombstones(one.ben, one.roomId)[0]).not.toHaveProperty('deletedBy');
    const { messages } = await one.ann.ask('history:get', { roomId: one.roomId });
    expect(messages.map(({ text }) => text)).toEqual(['', '', 'Mine']);
  });
});

describe('a report', () => {
  it('waits for those who govern the room, who are told of it and answer it once', async () => {
    const { roomId, ann, ben } = await newRoom(cluster);
    const cid = await cluster.connect('cid', 1);
    await cid.ask('room:join', { roomId });
    const [first, second] = await say(ben, roomId, 'First', 'Second');
    const [one, two] = [first, second].map((message) => ({ roomId, seq: message?.seq ?? 0 })) as [Ref, Ref];
    const twice = { ...one, reason: 'spam', text: 'Look' } as const;
    for (const reason of ['spam', 'hate'] as const) await cid.ask('message:report', { ...twice, reason });
    await ben.ask('message:report', { ...one, reason: 'other' });
    await cid.ask('message:report', { ...two, reason: 'illegal' });
    await ann.until(() => ann.reports.at(-1)?.open === 2);
    expect(ann.reports.at(-1)?.roomId).toBe(roomId);
    const { items, nextCursor } = await ann.ask('reports:list', { roomId, limit: 1 });
    const reporters = [
      { user: { id: cid.session.userId, name: 'cid' }, reason: 'spam', text: 'Look', at: expect.any(String) as string },
      { user: { name: 'ben' }, reason: 'other', text: '' },
    ];
    expect(items).toMatchObject([{ message: first, count: 2, reporters }]);
    const rest = await ann.ask('reports:list', { roomId, cursor: nextCursor ?? '' });
    expect(rest).toMatchObject({ items: [{ message: second, count: 1 }], nextCursor: null });
    const { message } = await ann.ask('report:answer', { ...one, action: 'delete' });
    expect(message).toMatchObject({ seq: 1, text: '', deletedBy: ann.session.userId });
    await cid.until(() => tombstones(cid, roomId).length === 1);
    expect((await ann.ask('report:answer', { ...two, action: 'dismiss' })).message).toEqual(second);
    await ann.until(() => ann.reports.at(-1)?.open === 0);
    await cid.ask('message:report', { ...two, reason: 'spam' });
    expect((await ann.ask('reports:list', { roomId })).items).toEqual([]);
    await ben.ask('message:report', { ...two, reason: 'spam' });
    expect((await ann.ask('reports:list', { roomId })).items).toMatchObject([{ count: 2 }]);
    expect((await ben.refusal('message:report', { ...one, reason: 'spam' })).code).toBe('not_found');
    expect((await ann.refusal('report:answer', { ...one, seq: 99, action: 'dismiss' })).code).toBe('not_found');
    expect([cid.reports, ben.reports]).toEqual([[], []]);
  });

  it('is of what one may see, and goes with the message', async () => {
    const { roomId, ann, ben } = await newRoom(cluster);
    await say(ben, roomId, 'Before', 'Purged', 'Deleted');
    await ann.ask('room:update', { roomId, historyVisible: 'joined' });
    const dan = await cluster.connect('dan', 1);
    await dan.ask('room:join', { roomId });
    expect((await dan.refusal('message:report', { roomId, seq: 1, reason: 'spam' })).code).toBe('not_found');
    for (const seq of [2, 3]) await ann.ask('message:report', { roomId, seq, reason: 'spam' });
    await ann.ask('message:delete', { roomId, seq: 3 });
    await ann.ask('member:ban', { roomId, userId: ben.session.userId, on: true, purge: true });
    expect((await ann.ask('reports:list', { roomId })).items).toEqual([]);
    const open = 'select from reports where room_id = $1 and answered_at is null';
    expect(await cluster.query(open, [roomId])).toEqual([]);
  });

  it('names the first reporters alone, counts all, and nobody reports without end', async () => {
    const { roomId, ann, ben } = await newRoom(cluster);
    await say(ben, roomId, 'Loud');
    const message = { roomId, seq: 1, reason: 'spam' } as const;
    await ann.ask('message:report', message);
    await cluster.query(
      `with more as (
         insert into users (id, kind, name) select gen_random_uuid(), 'guest', 'more' from generate_series(1, 11) returning id
       ) insert into reporters (report_id, user_id, reason, text) select reports.id, more.id, 'spam', '' from reports, more where room_id = $1`,
      [roomId],
    );
    await cluster.query('update reports set count = 12 where room_id = $1', [roomId]);
    await ben.ask('message:report', { ...message, text: 'Not kept' });
    const [report] = (await ann.ask('reports:list', { roomId })).items;
    expect([report?.count, report?.reporters.length]).toEqual([13, limits.reporters]);
    expect(await cluster.query(`select from reporters where text = 'Not kept'`)).toEqual([]);
    const eve = await cluster.connect('eve');
    await eve.ask('room:join', { roomId });
    await cluster.query(
      `with made as (
         insert into reports (id, room_id, seq, count) select gen_random_uuid(), gen_random_uuid(), 1, 1 from generate_series(1, $2) returning id
       ) insert into reporters (report_id, user_id, reason, text) select id, $1, 'spam', '' from made`,
      [eve.session.userId, limits.reportsPerHour],
    );
    expect(await eve.refusal('message:report', message)).toMatchObject({ code: 'rate_limited', retryable: true });
    expect((await ann.ask('reports:list', { roomId })).items[0]?.count).toBe(13);
  });

  it('is seen by admins in all rooms, also where nobody governs', async () => {
    const [ann, ben] = [await cluster.connect('ann'), await cluster.connect('ben', 1)];
    const { id: roomId } = (await ann.ask('room:direct', { userId: ben.session.userId })).room;
    const [message] = await say(ben, roomId, 'Between');
    const seq = message?.seq ?? 0;
    const rest = await cluster.rest('ann');
    await rest.ok('POST', `/v1/rooms/${roomId}/messages/${seq}/report`, Done, { reason: 'harassment' });
    const { items } = await admin.ok('GET', '/admin/v1/reports?limit=200', ReportPage);
    expect(items.at(-1)).toMatchObject({ message, count: 1, reporters: [{ user: { name: 'ann' } }] });
    const path = `/admin/v1/rooms/${roomId}/messages/${seq}/report/answer`;
    expect((await admin.ok('POST', path, MessageResult, { action: 'delete' })).message.text).toBe('');
    const left = await admin.ok('GET', '/admin/v1/reports?limit=200', ReportPage);
    expect(left.items.filter((report) => report.message.roomId === roomId)).toEqual([]);
    expect((await rest.refused('GET', `/v1/rooms/${roomId}/reports`)).code).toBe('forbidden');
  });
});

describe('what the app itself says', () => {
  it('is a message like others, once for each clientMsgId, and no user can say it', async () => {
    const { roomId, ann, ben } = await newRoom(cluster);
    await say(ann, roomId, 'First');
    const path = `/admin/v1/rooms/${roomId}/messages`;
    const body = { clientMsgId: 'call', text: 'The call has ended', meta: { kind: 'call', minutes: 5 } };
    const posts = await Promise.all([1, 2, 3].map(() => admin.ok('POST', path, SentMessage, body)));
    expect(posts.map(({ duplicate }) => duplicate).toSorted()).toEqual([false, true, true]);
    const message = posts[0]?.message;
    expect(message).toMatchObject({ ...body, seq: 2, system: true, sender: { name: 'System' } });
    await say(ben, roomId, 'Third');
    for (const client of [ann, ben]) {
      await client.until(() => client.textsOf(roomId).includes('Third'));
      expect(messagesOf(client.changesOf(roomId)).slice(-3)).toMatchObject([{ seq: 1 }, message, { seq: 3 }]);
      expect(await told(client, roomId, 2)).toEqual([message, message, message]);
    }
    expect((await ann.ask('room:sync', { roomId })).read).toMatchObject({ readSeq: 1, unread: 2 });
    expect((await admin.refused('POST', path, { ...body, text: 'Another' })).code).toBe('idempotency_mismatch');
    const asUser = { roomId, clientMsgId: 'forged', text: 'I am the app' };
    expect((await ben.reply('message:send', { ...asUser, system: true })).ok).toBe(false);
    expect((await ben.ask('message:send', asUser)).message).not.toHaveProperty('system');
    const rest = await cluster.rest('ann');
    expect((await new Rest(rest.url, rest.credential).refused('POST', path, body)).code).toBe('forbidden');
    const userId = message?.sender.id ?? '';
    expect((await ann.refusal('member:add', { roomId, userId })).code).toBe('not_found');
    expect((await admin.refused('GET', `/admin/v1/users/${userId}`)).code).toBe('not_found');
    expect((await ben.refusal('message:edit', { roomId, seq: 2, text: 'Mine' })).code).toBe('forbidden');
    await ann.ask('room:archive', { roomId, on: true });
    expect((await admin.refused('POST', path, { ...body, clientMsgId: 'late' })).code).toBe('room_archived');
    expect((await admin.ok('POST', path, SentMessage, body)).duplicate).toBe(true);
  });
});

describe('who is removed or banned by one instance', () => {
  it('hears of it on another within two seconds (S-22)', async () => {
    const { roomId, ann, ben } = await newRoom(cluster);
    for (const [i, event] of (['member:remove', 'member:ban'] as const).entries()) {
      if (i > 0) {
        await ben.ask('room:join', { roomId });
        await ben.until(() => ben.signals.at(-1)?.kind === 'roomAdded');
      }
      const since = performance.now();
      const gone = ben.until(() => ben.signals.at(-1)?.kind === 'roomRemoved');
      const request = { roomId, userId: ben.session.userId };
      await (event === 'member:ban' ? ann.ask(event, { ...request, on: true }) : ann.ask(event, request));
      await gone;
      expect(performance.now() - since).toBeLessThan(2_000);
    }
  });
});
