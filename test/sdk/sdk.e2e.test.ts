import type { Server, Socket } from 'socket.io';
import { RoomBroadcaster } from '../../src/realtime/room-broadcaster.js';
import type { Change } from '../../src/protocol/index.js';
import { enterAsGuest, Parley, type ParleyOptions, type RoomState } from '../../sdk/index.js';
import { createDatabase } from '../environment/database.js';
import { startInstance, testToken, type Instance } from '../instance.js';
import { status, statuses } from './scripted-server.js';

let database: Awaited<ReturnType<typeof createDatabase>>;
let instances: Instance[];
const clients: Parley[] = [];

beforeAll(async () => {
  database = await createDatabase();
  instances = await Promise.all([1, 2].map(() => startInstance(database.url, process.env['TEST_REDIS_URL'])));
});

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

afterAll(async () => {
  await Promise.all(instances.map((instance) => instance.stop()));
  await database.drop();
});

async function connect(user: string, instance = 0, options: Partial<ParleyOptions> = {}): Promise<Parley> {
  const client = new Parley({
    url: instances[instance]?.url ?? '',
    token: await testToken(user),
    backoff: { baseMs: 10, capMs: 50 },
    ...options,
  });
  clients.push(client);
  await client.ready();
  return client;
}

/** The sockets of an instance, to do to them what a network does. */
function socketsOf(instance: number): Socket[] {
  const broadcaster = instances[instance]?.app.get(RoomBroadcaster) as { server: Server };
  return [...broadcaster.server.of('/').sockets.values()];
}

function socketOf(client: Parley, instance = 0): Socket | undefined {
  return socketsOf(instance).find(({ id }) => id === client.session?.sessionId);
}

function cut(client: Parley, instance = 0): void {
  socketOf(client, instance)?.conn.close();
}

/** Resolves when the condition holds; it is looked at after everything that the client tells. */
function until(client: Parley, condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!condition()) return;
      for (const off of offs) off();
      resolve();
    };
    const offs = (['change', 'rooms', 'reset', 'outgoing', 'status'] as const).map((event) => client.on(event, look));
    look();
  });
}

function changesOf(client: Parley, roomId: string): Change[] {
  const changes: Change[] = [];
  client.on('change', (id, change) => {
    if (id === roomId) changes.push(change);
  });
  return changes;
}

const textsOf = (room: RoomState | undefined) => room?.messages.map(({ text }) => text);
const numbers = (n: number, from = 0) => Array.from({ length: n }, (_, i) => String(from + i));

test('two people on two instances talk in a room, from its making to their leaving', async () => {
  const [ann, ben] = await Promise.all([connect('ann', 0), connect('ben', 1)]);
  const room = await ann.createRoom({ name: 'Garden', topic: 'Roses' });
  expect(room).toMatchObject({ room: { name: 'Garden' }, member: { role: 'owner' }, memberCount: 1, messages: [] });
  expect(ann.rooms.get(room.room.id)).toBe(room);

  const { items } = await ben.discoverRooms({ query: 'garden' });
  const his = await ben.joinRoom(items[0]?.id ?? '');
  await until(ann, () => room.memberCount === 2);
  expect(his.memberCount).toBe(2);

  const sent = ann.send(room.room.id, 'Hello');
  expect(room.outgoing).toEqual([sent]);
  await expect(sent.sent).resolves.toMatchObject({ duplicate: false, message: { seq: 1, text: 'Hello' } });
  expect(room.outgoing).toEqual([]);
  expect(textsOf(room)).toEqual(['Hello']);
  await until(ben, () => his.messages.length === 1);
  expect(his.messages[0]?.sender.name).toBe('ann');

  await ann.updateRoom({ roomId: room.room.id, name: 'Orchard' });
  expect(room.room.name).toBe('Orchard');
  await ann.deleteMessage(room.room.id, 1);
  await until(ben, () => his.room.name === 'Orchard' && his.messages[0]?.deletedAt !== null);

  const members = await ben.listMembers({ roomId: room.room.id });
  expect(members.items.map(({ user }) => user.name).sort()).toEqual(['ann', 'ben']);
  expect(his.members.size).toBe(2);

  await ben.leaveRoom(room.room.id);
  await ben.leaveRoom(room.room.id);
  expect(ben.rooms.size).toBe(0);
  await until(ann, () => room.memberCount === 1);
  await expect(ben.send(room.room.id, 'Too late').sent).rejects.toMatchObject({ code: 'not_member' });
  const added = await ann.addMember(room.room.id, ben.session?.userId ?? '');
  expect(added.leftAt).toBeNull();
  await until(ben, () => ben.rooms.has(room.room.id));
});

test('a member reports another, whom the owner bans with all that he said', async () => {
  const [ann, ben, cid] = await Promise.all([connect('ann', 0), connect('ben', 1), connect('cid', 1)]);
  const room = await ann.createRoom({ name: 'Reported' });
  const roomId = room.room.id;
  const [his] = await Promise.all([cid.joinRoom(roomId), ben.joinRoom(roomId)]);
  const { message } = await ben.send(roomId, 'Buy this').sent;
  await ben.send(roomId, 'And that').sent;
  const told = new Promise((resolve) => ann.on('reports', (id, open) => resolve([id, open])));
  await cid.moderation.report({ roomId, seq: message.seq, reason: 'spam' });
  expect(await told).toEqual([roomId, 1]);
  const { items } = await ann.moderation.reports({ roomId });
  expect(items).toMatchObject([{ message: { text: 'Buy this' }, count: 1, reporters: [{ user: { name: 'cid' } }] }]);
  for (const report of items) await ann.moderation.answerReport(report, 'dismiss');
  const ban = await ann.moderation.ban(roomId, ben.session?.userId ?? '', { reason: 'Spam', purge: true });
  expect(ban?.reason).toBe('Spam');
  for (const [client, state] of [
    [ann, room],
    [cid, his],
  ] as const)
    await until(
      client,
      () => state.messages.length === 2 && state.messages.every(({ deletedAt }) => deletedAt !== null),
    );
  await until(ben, () => !ben.rooms.has(roomId));
  expect((await ann.moderation.reports({ roomId })).items).toEqual([]);
});

test('a private room is governed: who comes in, as what, who speaks, who goes', async () => {
  const [ann, ben, cid] = await Promise.all([connect('ann', 0), connect('ben', 1), connect('cid', 1)]);
  const { room } = await ann.createRoom({ name: 'Study', visibility: 'private', joinRequests: true });
  const { moderation } = ann;
  const [benId, cidId] = [ben.session?.userId ?? '', cid.session?.userId ?? ''];

  const { invite, code } = await moderation.createInvite({ roomId: room.id });
  expect((await moderation.invites({ roomId: room.id })).items).toEqual([invite]);
  expect((await ben.acceptInvite(code)).room.id).toBe(room.id);
  await moderation.revokeInvite(room.id, invite.id);
  await expect(cid.acceptInvite(code)).rejects.toMatchObject({ code: 'not_found' });

  await cid.requestToJoin(room.id);
  const [asked] = (await moderation.joinRequests({ roomId: room.id })).items;
  if (asked === undefined) throw new Error('Nobody asked');
  expect(await moderation.answer(asked, true)).toMatchObject({ user: { name: 'cid' }, role: 'member' });
  await until(cid, () => cid.rooms.has(room.id));

  expect(await moderation.setRole(room.id, benId, 'moderator')).toMatchObject({ role: 'moderator' });
  await until(ben, () => ben.rooms.get(room.id)?.member.role === 'moderator');
  await ben.moderation.mute(room.id, cidId, '2099-01-01T00:00:00.000Z');
  await expect(cid.send(room.id, 'Hm').sent).rejects.toMatchObject({ code: 'muted' });
  await ben.moderation.mute(room.id, cidId, null);
  await ben.moderation.shadow(room.id, cidId, '2099-01-01T00:00:00.000Z');
  expect((await ben.moderation.shadows({ roomId: room.id })).items).toMatchObject([{ user: { id: cidId } }]);
  await cid.send(room.id, 'Quite alone').sent;
  await ann.send(room.id, 'Well').sent;
  await until(cid, () => textsOf(cid.rooms.get(room.id))?.join() === 'Quite alone,Well');
  await until(ben, () => textsOf(ben.rooms.get(room.id))?.join() === ',Well');
  expect(ben.rooms.get(room.id)?.unread).toBe(1);
  await ben.moderation.shadow(room.id, cidId, null);

  await ben.moderation.remove(room.id, cidId);
  await until(cid, () => !cid.rooms.has(room.id));
  await ben.moderation.ban(room.id, cidId);
  await expect(ann.addMember(room.id, cidId)).rejects.toMatchObject({ code: 'banned' });
  await moderation.unban(room.id, cidId);
  expect(await ann.addMember(room.id, cidId)).toMatchObject({ user: { id: cidId } });

  const direct = await ann.directRoom(cidId);
  expect((await cid.directRoom(ann.session?.userId ?? '')).room.id).toBe(direct.room.id);
  await ann.archiveRoom(room.id);
  await expect(ben.send(room.id, 'Late').sent).rejects.toMatchObject({ code: 'room_archived' });
  expect((await ann.archiveRoom(room.id, false)).archivedAt).toBeNull();

  ann.countOnline(direct.room.id, true);
  await new Promise<void>((resolve) => ann.on('presence', () => ann.online.get(direct.room.id) === 2 && resolve()));
});

test('messages are edited, reacted to, pinned and replied to, and both see the same, also after being away', async () => {
  const [ann, ben] = await Promise.all([connect('ann'), connect('ben', 1)]);
  const hers = await ann.createRoom({ name: 'Workshop' });
  const roomId = hers.room.id;
  const his = await ben.joinRoom(roomId);
  const { message } = await ann.send(roomId, 'Helo', { meta: { draft: true } }).sent;
  expect((await ann.editMessage(roomId, 1, 'Hello', 1)).version).toBe(2);
  expect(hers.messages[0]).toMatchObject({ text: 'Hello', meta: { draft: true } });
  await expect(ann.editMessage(roomId, 1, 'Hi', 1)).rejects.toMatchObject({ code: 'version_mismatch' });
  expect(await ann.messageVersions(roomId, 1)).toEqual([{ version: 1, text: 'Helo', saidAt: message.createdAt }]);
  await until(ben, () => his.messages[0]?.text === 'Hello');

  cut(ben, 1);
  await ann.react(roomId, 1, '👍');
  await ann.pinMessage(roomId, 1);
  const reply = await ben
    .send(roomId, 'Well', { threadRoot: 1, replyTo: 1, mentions: { users: [], room: false } })
    .sent.catch((error: unknown) => error);
  expect(reply).toMatchObject({ code: 'invalid_argument' });
  await ben.send(roomId, 'Well', { threadRoot: 1, replyTo: 1, mentions: { users: [ann.session?.userId ?? ''] } }).sent;
  await ben.react(roomId, 1, '👍');
  // The reply has told him already.
  await until(ann, () => hers.messages[0]?.rev === his.messages[0]?.rev);
  expect(his.messages).toEqual(hers.messages);
  expect(his.messages[0]).toMatchObject({
    pinned: { by: ann.session?.userId },
    reactions: [{ emoji: '👍', count: 2 }],
  });
  expect((await ann.pinnedMessages(roomId)).map(({ seq }) => seq)).toEqual([1]);
  expect((await ben.myReactions(roomId, 1, 2)).get(1)).toEqual(['👍']);
  expect((await ann.loadThread(roomId, 1)).messages).toEqual(hers.messages.slice(1));
});

test('history is loaded page by page into the room', async () => {
  const [ann, ben] = await Promise.all([connect('ann'), connect('ben', 1)]);
  const { room } = await ann.createRoom({ name: 'Archive' });
  await Promise.all(numbers(100).map((text) => ann.send(room.id, text).sent));
  const his = await ben.joinRoom(room.id);
  expect(textsOf(his)).toEqual(numbers(30, 70));
  expect(his.hasBefore).toBe(true);
  expect(await ben.loadOlder(room.id, 50)).toBe(true);
  expect(textsOf(his)).toEqual(numbers(80, 20));
  const page = await ben.loadHistory(room.id, { around: 5, limit: 4 });
  expect(page.messages).toHaveLength(4);
  expect(textsOf(his)).toEqual(numbers(80, 20));
  expect(await ben.loadOlder(room.id, 50)).toBe(true);
  expect(his.hasBefore).toBe(false);
  expect(textsOf(his)).toEqual(numbers(100));
  expect(await ben.loadOlder(room.id)).toBe(false);
});

test('500 pipelined messages stand once and in order, though the connection breaks again and again', async () => {
  const [ann, ben] = await Promise.all([connect('ann'), connect('ben', 1, { historyWindow: 1_000 })]);
  const { room } = await ann.createRoom({ name: 'Storm' });
  const his = await ben.joinRoom(room.id);
  const seen = changesOf(ben, room.id);
  const seenByAnn = changesOf(ann, room.id);
  const statusesOfAnn = statuses(ann);
  ann.on('change', (_room, { rev }) => {
    if (rev % 60 === 0) cut(ann);
  });
  ben.on('change', (_room, { rev }) => {
    if (rev % 90 === 0) cut(ben, 1);
  });
  const start = his.cursor;
  const all = await Promise.all(numbers(500).map((text) => ann.send(room.id, text).sent));
  expect(all.map(({ message }) => message.seq)).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
  await until(ben, () => his.cursor === start + 500);
  await until(ann, () => ann.rooms.get(room.id)?.cursor === start + 500);
  expect(textsOf(his)).toEqual(numbers(500));
  for (const changes of [seen, seenByAnn]) {
    expect(changes.map(({ rev }) => rev)).toEqual(Array.from({ length: 500 }, (_, i) => start + 1 + i));
  }
  expect(statusesOfAnn.filter((now) => now === 'offline').length).toBeGreaterThanOrEqual(5);
});

test('a message whose reply was lost stands once', async () => {
  const ann = await connect('ann');
  const room = await ann.createRoom({ name: 'Once' });
  socketOf(ann)?.conn.on('data', (packet: unknown) => {
    // The server has the request by now, and nobody to answer.
    if (String(packet).includes('message:send')) cut(ann);
  });
  const offline = status(ann, 'offline');
  const { message } = await ann.send(room.room.id, 'Once').sent;
  await offline;
  await until(ann, () => room.messages.length === 1);
  const page = await ann.loadHistory(room.room.id, {});
  expect(page.messages).toEqual([message]);
});

test('of many sends under one clientMsgId through two instances one message stands', async () => {
  const both = await Promise.all([connect('ann', 0), connect('ann', 1)]);
  const room = await both[0].createRoom({ name: 'Retries' });
  await until(both[1], () => both[1].rooms.has(room.room.id));
  const replies = await Promise.all(
    both.map((client) => client.send(room.room.id, 'Once', { clientMsgId: 'mine' }).sent),
  );
  expect(replies.map(({ duplicate }) => duplicate).sort()).toEqual([false, true]);
  expect(replies.map(({ message }) => message.seq)).toEqual([1, 1]);
});

test('one who was away through 500 messages and more has everything once and in order, on the other instance', async () => {
  const ann = await connect('ann');
  const { room } = await ann.createRoom({ name: 'Away' });
  let letGo = () => {};
  let gate = Promise.resolve();
  const token = await testToken('ben');
  const ben = await connect('ben', 1, { token: () => gate.then(() => token), historyWindow: 1_000 });
  const his = await ben.joinRoom(room.id);
  const seen = changesOf(ben, room.id);
  gate = new Promise((resolve) => (letGo = resolve));
  cut(ben, 1);
  await status(ben, 'connecting');
  const waiting = ben.send(room.id, 'From afar');
  expect(waiting.state).toBe('waiting');

  await Promise.all(numbers(500).map((text) => ann.send(room.id, text).sent));
  await ann.deleteMessage(room.id, 3);
  await ann.updateRoom({ roomId: room.id, topic: 'Changed' });
  const cid = await connect('cid');
  await cid.joinRoom(room.id);
  letGo();
  await waiting.sent;
  await until(ben, () => his.messages.at(-1)?.text === 'From afar');
  const hers = ann.rooms.get(room.id);
  await until(ann, () => hers?.cursor === his.cursor);
  expect(textsOf(his)).toEqual(
    numbers(500)
      .map((text) => (text === '2' ? '' : text))
      .concat('From afar'),
  );
  expect(his.room.topic).toBe('Changed');
  expect(his.memberCount).toBe(3);
  const revs = seen.map(({ rev }) => rev);
  expect(revs).toEqual([...new Set(revs)].sort((a, b) => a - b));
  // Of the deleted message there is only the tombstone left.
  expect(revs).toHaveLength(503);
});

test('works by long-polling alone', async () => {
  const [ann, ben] = await Promise.all([connect('ann', 0, { transports: ['polling'] }), connect('ben', 1)]);
  const { room } = await ben.createRoom({ name: 'Slow' });
  const hers = await ann.joinRoom(room.id);
  await Promise.all(numbers(20).map((text) => ann.send(room.id, text).sent));
  await ben.send(room.id, 'Seen').sent;
  await until(ann, () => hers.messages.length === 21);
  expect(textsOf(hers)).toEqual([...numbers(20), 'Seen']);
});

test('a token that is not good is refused for good, and an expired one is replaced', async () => {
  const forged = new Parley({ url: instances[0]?.url ?? '', token: 'forged' });
  await expect(forged.ready()).rejects.toMatchObject({ code: 'unauthenticated', retryable: false });
  expect(forged.status).toBe('closed');

  const expired = await testToken('ann', { expiresIn: '-1m' });
  const late = new Parley({ url: instances[0]?.url ?? '', token: expired });
  await expect(late.ready()).rejects.toMatchObject({ code: 'token_expired' });

  const tokens = [expired, await testToken('ann')];
  const ann = await connect('ann', 0, { token: () => tokens.shift() ?? '' });
  expect(ann.status).toBe('online');
  expect(tokens).toEqual([]);
});

test('a guest enters by a nickname, and is told what is wrong with one', async () => {
  const url = instances[0]?.url ?? '';
  const { token, user } = await enterAsGuest(url, 'Zoë');
  const client = await connect('', 0, { token });
  expect(client.session?.userId).toBe(user.id);
  await expect(enterAsGuest(url, ' ')).rejects.toMatchObject({ name: 'ParleyError', code: 'invalid_argument' });
  await expect(enterAsGuest('http://127.0.0.1:9', 'Zoë')).rejects.toMatchObject({ code: 'unavailable' });
});

test('a client whose tokens live for seconds stays connected as long as it is given new ones', async () => {
  let given = 0;
  const token = () => {
    given += 1;
    return testToken('short', { expiresIn: '12s' });
  };
  const client = await connect('short', 0, { token });
  const seen = statuses(client);
  const first = client.session?.sessionId;
  const ends = new Set<string | undefined>();
  while (ends.size < 4) {
    ends.add(client.session?.tokenExpiresAt);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(given).toBeGreaterThanOrEqual(4);
  expect(seen).toEqual([]);
  expect(client.session?.sessionId).toBe(first);
});
