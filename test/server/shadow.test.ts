import { HistoryPage, RoomSynced } from '../../src/protocol/index.js';
import type { PlainClient } from '../client.js';
import { adminKey } from '../instance.js';
import { Cluster } from './cluster.js';
import { Rest } from './rest.js';
import { messagesOf, newRoom, say, seen, told } from './table.js';

const later = '2099-01-01T00:00:00.000Z';

let cluster: Cluster;
let admin: Rest;
beforeAll(async () => {
  cluster = await Cluster.start(2);
  admin = new Rest(cluster.instance(0).url, adminKey);
});
afterEach(() => cluster.hangUp());
afterAll(() => cluster.stop());

/** Ann governs; Ben, on two devices, is in the shadow; Cid is not. */
async function shadowedRoom() {
  const { roomId, ann, ben } = await newRoom(cluster);
  const cid = await cluster.connect('cid', 1);
  await cid.ask('room:join', { roomId });
  const device = await cluster.connect('ben', 0);
  const { userId } = ben.session;
  const shadow = (until: string | null = later) => ann.ask('member:shadow', { roomId, userId, until });
  return { roomId, ann, ben, device, cid, userId, shadow };
}

const readOf = async (client: PlainClient, roomId: string) => (await client.ask('room:sync', { roomId })).read;
/** All that the client was ever sent or answered of the room. */
const heard = async (client: PlainClient, roomId: string, seq: number) =>
  JSON.stringify([client.frames, await told(client, roomId, seq)]);

describe('who is in the shadow', () => {
  it('is answered, and sees what he says on all his devices; nobody else does, whatever he reads', async () => {
    const { roomId, ann, ben, device, cid, userId, shadow } = await shadowedRoom();
    const [root] = await say(ann, roomId, 'Root');
    expect((await shadow()).shadow).toEqual({ roomId, user: { id: userId, name: 'ben' }, until: later });
    const quiet = await readOf(cid, roomId);

    const request = { roomId, clientMsgId: 'one', text: 'Secret', threadRoot: root?.seq ?? 0 };
    const { message } = await ben.ask('message:send', { ...request, mentions: { users: [cid.session.userId] } });
    expect(message).toMatchObject({ seq: 2, text: 'Secret', deletedAt: null });
    expect(await ben.ask('message:send', { ...request, mentions: { users: [cid.session.userId] } })).toEqual({
      message,
      duplicate: true,
    });
    const { seq } = message;
    const answered = await ben.ask('message:react', { roomId, seq, emoji: '👍', on: true });
    expect(answered.message.reactions).toHaveLength(1);
    await ben.ask('message:edit', { roomId, seq, text: 'Secret, edited' });
    const [last] = await say(ann, roomId, 'Last');

    for (const own of [ben, device]) {
      await seen(own, roomId, last?.rev ?? 0);
      expect(own.textsOf(roomId).slice(-4)).toEqual(['Secret', 'Secret', 'Secret, edited', 'Last']);
      for (const way of await told(own, roomId, seq)) expect(way).toMatchObject({ text: 'Secret, edited', version: 2 });
      expect(await heard(own, roomId, seq)).not.toContain('shadow');
    }
    for (const other of [ann, cid]) {
      await seen(other, roomId, last?.rev ?? 0);
      const ways = [
        ...(await told(other, roomId, seq)),
        messagesOf(other.changesOf(roomId)).find((one) => one.seq === seq),
      ];
      for (const way of ways)
        expect(way).toMatchObject({ text: '', deletedAt: message.createdAt, threadRoot: root?.seq });
      expect(await heard(other, roomId, seq)).not.toMatch(/Secret|shadow|👍/);
      expect((await other.refusal('message:react', { roomId, seq, emoji: '👍', on: true })).code).toBe('not_found');
      expect((await other.refusal('message:report', { roomId, seq, reason: 'spam' })).code).toBe('not_found');
      const [told1] = await told(other, roomId, root?.seq ?? 0);
      expect(told1?.thread).toBeUndefined();
    }
    const thread = await cid.ask('history:get', { roomId, threadRoot: root?.seq ?? 0 });
    expect(thread.messages.map(({ text }) => text)).toEqual(['']);
    // Only Ann's last one is unread, and it mentions nobody.
    const now = await readOf(cid, roomId);
    expect([now.unread - quiet.unread, now.mentions]).toEqual([1, 0]);
    const rest = await cluster.rest('cid');
    const page = await rest.ok('GET', `/v1/rooms/${roomId}/messages`, HistoryPage);
    const changes = await rest.ok('GET', `/v1/rooms/${roomId}/changes`, RoomSynced);
    expect(JSON.stringify([page, changes])).not.toMatch(/Secret|shadow/);
  });

  it('is read by those who govern and by admins, who may delete it; a purge takes it with it', async () => {
    const { roomId, ann, ben, cid, userId, shadow } = await shadowedRoom();
    const [root] = await say(cid, roomId, 'Root');
    const threadRoot = root?.seq ?? 0;
    await cid.ask('message:send', { roomId, clientMsgId: 'reply', text: 'Reply', threadRoot });
    await shadow();
    for (const clientMsgId of ['a', 'b'])
      await ben.ask('message:send', { roomId, clientMsgId, text: clientMsgId, threadRoot });
    const { versions } = await ann.ask('message:versions', { roomId, seq: 3 });
    expect(versions).toMatchObject([{ version: 1, text: 'a' }]);
    expect((await cid.refusal('message:versions', { roomId, seq: 3 })).code).toBe('forbidden');
    const path = `/admin/v1/rooms/${roomId}/messages`;
    const { messages } = await admin.ok('GET', path, HistoryPage);
    expect(messages[2]).toMatchObject({ text: 'a', shadowedAt: messages[2]?.createdAt });
    expect((await cid.refusal('message:delete', { roomId, seq: 3 })).code).toBe('forbidden');
    const { message } = await ann.ask('message:delete', { roomId, seq: 3 });
    expect(message).toMatchObject({ text: '', deletedAt: expect.any(String) as unknown });
    await ben.until(() => ben.textsOf(roomId).at(-1) === '');
    const { purged } = await ann.ask('member:ban', { roomId, userId, on: true, purge: true });
    expect(purged?.deleted).toBe(1);
    // The thread never counted any of it.
    const [now] = await told(cid, roomId, threadRoot);
    expect(now?.thread?.replies).toBe(1);
  });

  it('takes with him what he edits, and nothing that he does to others is kept', async () => {
    const { roomId, ann, ben, cid, shadow } = await shadowedRoom();
    const [root, other] = await say(ann, roomId, 'Root', 'Other');
    const threadRoot = root?.seq ?? 0;
    const mentions = { users: [cid.session.userId] };
    const { message } = await ben.ask('message:send', { roomId, clientMsgId: 'x', text: 'Seen', threadRoot, mentions });
    const { seq } = message;
    await ann.ask('message:pin', { roomId, seq, on: true });
    const before = await readOf(cid, roomId);
    expect((await told(cid, roomId, threadRoot))[0]?.thread?.replies).toBe(1);
    await shadow();
    expect((await ben.ask('message:edit', { roomId, seq, text: 'Secret' })).message.text).toBe('Secret');
    const { message: reacted } = await ben.ask('message:react', {
      roomId,
      seq: other?.seq ?? 0,
      emoji: '👍',
      on: true,
    });
    expect(reacted.reactions).toBeUndefined();
    const [last] = await say(ann, roomId, 'Last');
    await seen(cid, roomId, last?.rev ?? 0);
    expect(await heard(cid, roomId, seq)).not.toContain('Secret');
    const [gone] = await told(cid, roomId, seq);
    expect(gone).toMatchObject({ text: '', mentions: { users: [cid.session.userId] } });
    expect((await told(cid, roomId, threadRoot))[0]?.thread?.replies).toBe(0);
    expect((await cid.ask('pins:list', { roomId })).messages).toEqual([]);
    const now = await readOf(cid, roomId);
    expect([now.unread - before.unread, now.mentions - before.mentions]).toEqual([0, -1]);
  });

  it('types unseen, in that room alone, also after he left and came back, until it ends', async () => {
    const { roomId, ann, ben, cid, userId, shadow } = await shadowedRoom();
    await shadow();
    await ben.ask('room:leave', { roomId });
    await ben.ask('room:join', { roomId });
    const { items } = await ann.ask('shadows:list', { roomId });
    expect(items).toEqual([{ roomId, user: { id: userId, name: 'ben' }, until: later }]);
    const typing = () =>
      cid.roomSignals.flatMap((signal) => (signal.kind === 'typing' ? signal.users.map(({ name }) => name) : []));
    await say(ben, roomId, 'Secret');
    await ben.ask('typing:set', { roomId, on: true });
    await ann.ask('typing:set', { roomId, on: true });
    await cid.until(() => typing().includes('ann'));
    expect(typing()).not.toContain('ben');

    expect((await shadow(null)).shadow).toBeNull();
    expect((await ann.ask('shadows:list', { roomId })).items).toEqual([]);
    await say(ben, roomId, 'Seen-again');
    await cid.until(() => cid.textsOf(roomId).includes('Seen-again'));
    expect(cid.textsOf(roomId)).not.toContain('Secret');
    const { userId: mine } = ann.session;
    expect((await ann.refusal('member:shadow', { roomId, userId: mine, until: later })).code).toBe('forbidden');
  });
});
