import type { ReadState, RoomSignal } from '../../src/protocol/index.js';
import { recountUnread, unreadDrift, type Unread } from '../../verify/checks/unread.js';
import type { PlainClient } from '../client.js';
import { Cluster } from './cluster.js';

describe('read markers', () => {
  let cluster: Cluster;
  let ann: PlainClient;
  let ben: PlainClient;
  let roomId: string;
  let sent = 0;

  const say = async (who: PlainClient, count = 1, room = roomId): Promise<number> => {
    let seq = 0;
    for (let i = 0; i < count; i += 1) {
      const clientMsgId = `${(sent += 1)}`;
      ({ seq } = (await who.ask('message:send', { roomId: room, clientMsgId, text: clientMsgId })).message);
    }
    return seq;
  };
  const synced = async (who: PlainClient, room = roomId): Promise<ReadState> => {
    const { rooms } = await who.ask('rooms:sync', {});
    const found = rooms.find((each) => each.roomId === room);
    if (found === undefined) throw new Error('The room is not there');
    return found.read;
  };

  beforeAll(async () => {
    cluster = await Cluster.start(2);
  });
  beforeEach(async () => {
    ann = await cluster.connect('ann');
    ben = await cluster.connect('ben', 1);
    roomId = (await ann.ask('room:create', { name: 'Room' })).room.id;
    await say(ann, 3);
    await ben.ask('room:join', { roomId });
  });
  afterEach(() => cluster.hangUp());
  afterAll(() => cluster.stop());

  it('begin where one joins, move forward only, and not past the newest message', async () => {
    expect(await synced(ben)).toMatchObject({ readSeq: 3, unread: 0, lastSeq: 3 });
    await say(ann, 4);
    expect(await synced(ben)).toMatchObject({ readSeq: 3, unread: 4, lastSeq: 7 });
    expect(await ben.ask('read:mark', { roomId, seq: 5 })).toMatchObject({ readSeq: 5, unread: 2, lastSeq: 7 });
    expect(await ben.ask('read:mark', { roomId, seq: 4 })).toMatchObject({ readSeq: 5, unread: 2 });
    expect(await ben.ask('read:mark', { roomId, seq: 4_000 })).toMatchObject({ readSeq: 7, unread: 0 });
    await say(ann);
    expect(await synced(ben)).toMatchObject({ readSeq: 7, unread: 1 });
    expect((await ben.ask('room:sync', { roomId })).read).toMatchObject({ readSeq: 7, unread: 1 });
  });

  it('begin anew for who comes back', async () => {
    await ben.ask('room:leave', { roomId });
    await say(ann, 2);
    await ben.ask('room:join', { roomId });
    expect(await synced(ben)).toMatchObject({ readSeq: 5, unread: 0 });
  });

  it('are moved by what one sends, and do not count what is deleted', async () => {
    await say(ann, 3);
    await say(ben);
    expect(await synced(ben)).toMatchObject({ readSeq: 7, unread: 0 });
    const seq = await say(ann, 2);
    await ann.ask('message:delete', { roomId, seq });
    expect(await synced(ben)).toMatchObject({ readSeq: 7, unread: 1, lastSeq: 9 });
  });

  it('go back to before a message that is marked as unread, also past one of my own', async () => {
    await say(ann, 2);
    await say(ben);
    await say(ann);
    expect(await synced(ben)).toMatchObject({ readSeq: 6, unread: 1 });
    expect(await ben.ask('read:mark', { roomId, seq: 5, unread: true })).toMatchObject({ readSeq: 4, unread: 2 });
    await say(ann);
    expect(await synced(ben)).toMatchObject({ readSeq: 4, unread: 3 });
    await say(ben);
    expect(await synced(ben)).toMatchObject({ readSeq: 9, unread: 0 });
  });

  it('count who is mentioned, by name or with the whole room, and not what is deleted or my own', async () => {
    const [he, she] = [ben, ann].map(({ session }) => session.userId);
    const mention = async (who: PlainClient, mentions: object) => {
      const clientMsgId = `${(sent += 1)}`;
      const send = { roomId, clientMsgId, text: 'You!', mentions };
      return (await who.ask('message:send', send)).message.seq;
    };
    await mention(ann, { users: [she] });
    const first = await mention(ann, { users: [he, she] });
    await mention(ann, { users: [he], room: true });
    expect(await synced(ben)).toMatchObject({ readSeq: 3, unread: 3, mentions: 2 });
    await ann.ask('message:delete', { roomId, seq: first });
    expect(await synced(ben)).toMatchObject({ readSeq: 3, unread: 2, mentions: 1 });
    expect(await ben.ask('read:mark', { roomId, seq: first })).toMatchObject({ unread: 1, mentions: 1 });
    await ann.ask('member:update', { roomId, userId: he as string, role: 'moderator' });
    await mention(ben, { room: true });
    expect(await synced(ben)).toMatchObject({ unread: 0, mentions: 0 });
    await say(ann);
    expect(await ben.ask('read:mark', { roomId, seq: 6, unread: true })).toMatchObject({ unread: 2, mentions: 1 });
    for (let i = 0; i < 101; i += 1) await mention(ann, { room: true });
    expect(await synced(ben)).toMatchObject({ unread: 100, mentions: 100 });
  });

  it('go back no further than to what a member may see', async () => {
    await ann.ask('room:update', { roomId, historyVisible: 'joined' });
    await ben.ask('room:leave', { roomId });
    await ben.ask('room:join', { roomId });
    await say(ann);
    expect(await ben.ask('read:mark', { roomId, seq: 1, unread: true })).toMatchObject({ readSeq: 3, unread: 1 });
  });

  it('count exactly up to 99', async () => {
    await cluster.query(
      `insert into messages (room_id, seq, rev, sender_id, client_msg_id, fingerprint, text, created_at)
       select $1, n, n + 10, $2, 'many ' || n, '', 'text', now() from generate_series(4, 102) n`,
      [roomId, ann.session.userId],
    );
    await cluster.query(`update rooms set seq = 102, rev = 112 where id = $1`, [roomId]);
    expect(await synced(ben)).toMatchObject({ unread: 99 });
    await say(ann);
    expect(await synced(ben)).toMatchObject({ unread: 100 });
    await say(ann);
    expect(await synced(ben)).toMatchObject({ unread: 100 });
    expect(await ben.ask('read:mark', { roomId, seq: 6 })).toMatchObject({ unread: 98 });
  });

  it('are told to all devices of their user, wherever they are connected', async () => {
    const phone = await cluster.connect('ben', 0);
    await say(ann, 2);
    const state = await ben.ask('read:mark', { roomId, seq: 4 });
    await phone.until(() => phone.signals.length > 0);
    expect(phone.signals).toEqual([{ kind: 'unread', roomId, ...state }]);
    const back = await ben.ask('read:mark', { roomId, seq: 4, unread: true });
    expect(back.version).toBe(state.version + 1);
    await phone.until(() => phone.signals.length > 1);
    expect(phone.signals[1]).toEqual({ kind: 'unread', roomId, ...back });
  });

  it('are told to the others of a small room, all that moved within a second in one frame', async () => {
    await say(ann, 5);
    const reads = (who: PlainClient) =>
      who.roomSignals.flatMap((signal) => (signal.kind === 'read' && signal.roomId === roomId ? [signal] : []));
    await ben.ask('read:mark', { roomId, seq: 4 });
    await ann.until(() => reads(ann).length > 0);
    expect(reads(ann)[0]).toEqual({ roomId, kind: 'read', reads: [{ userId: ben.session.userId, readSeq: 4 }] });
    const cyd = await cluster.connect('cyd', 0);
    await cyd.ask('room:join', { roomId });
    for (const seq of [5, 6, 7]) await ben.ask('read:mark', { roomId, seq });
    await say(ann, 1);
    await cyd.ask('read:mark', { roomId, seq: 9 });
    await ann.until(() => reads(ann).length > 1);
    expect(reads(ann)[1]?.reads).toEqual(
      expect.arrayContaining([
        { userId: ben.session.userId, readSeq: 7 },
        { userId: cyd.session.userId, readSeq: 9 },
      ]),
    );
    const { reads: all } = await ann.ask('reads:list', { roomId });
    expect(all).toContainEqual({ userId: ben.session.userId, readSeq: 7 });
    expect((await ann.ask('room:sync', { roomId })).upTo).toBe((await synced(ann)).headRev);
  });

  it('are not told in a room of more than a hundred', async () => {
    await cluster.query(`update rooms set member_count = 101 where id = $1`, [roomId]);
    await say(ann);
    await ben.ask('read:mark', { roomId, seq: 4 });
    expect(await ann.ask('reads:list', { roomId })).toEqual({ reads: [] });
    await ben.ask('typing:set', { roomId, on: true });
    const kinds = () => ann.roomSignals.flatMap((signal) => (signal.roomId === roomId ? [signal.kind] : []));
    await ann.until(() => kinds().includes('typing'));
    expect(kinds()).toEqual(['typing']);
  });

  it('are what a plain recount of the rows gives, after anything', async () => {
    const staying = [ann, ben];
    const people = [...staying, await cluster.connect('cyd'), await cluster.connect('dan', 1)];
    const rooms = [roomId, (await ann.ask('room:create', { name: 'Other' })).room.id];
    for (const who of people) for (const room of rooms) await who.ask('room:join', { roomId: room });
    const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T;
    await Promise.all(
      people.map(async (who) => {
        for (let i = 0; i < 40; i += 1) {
          const room = pick(rooms);
          const seq = 1 + Math.floor(Math.random() * 60);
          const what = Math.random();
          if (what < 0.3) await say(who, 1, room);
          else if (what < 0.5) {
            // Who is named while he is out does not count it, and the rows alone do not tell that: so only who stays is named.
            const mentions = what < 0.4 ? { room: true } : { users: [pick(staying).session.userId] };
            const clientMsgId = `${(sent += 1)}`;
            await who.reply('message:send', { roomId: room, clientMsgId, text: 'You!', mentions });
          } else if (what < 0.65) await who.reply('message:delete', { roomId: room, seq });
          else if (what < 0.85) await who.reply('read:mark', { roomId: room, seq });
          else if (what < 0.95) await who.reply('read:mark', { roomId: room, seq, unread: true });
          else if (!staying.includes(who)) {
            await who.ask('room:leave', { roomId: room });
            await who.ask('room:join', { roomId: room });
          }
        }
      }),
    );
    for (const room of rooms) {
      const clientMsgId = `${(sent += 1)}`;
      const users = people.map(({ session }) => session.userId);
      await ann.ask('message:send', { roomId: room, clientMsgId, text: 'You all!', mentions: { users } });
    }
    const told: Unread[] = [];
    for (const who of people) {
      const { rooms: mine } = await who.ask('rooms:sync', {});
      for (const { roomId: room, read } of mine) told.push({ userId: who.session.userId, roomId: room, ...read });
    }
    const recounted = await recountUnread((statement, values) => cluster.query(statement, values));
    const here = recounted.filter((state) => rooms.includes(state.roomId));
    expect(here).toHaveLength(8);
    expect(unreadDrift(here, told)).toEqual([]);
    expect(here.some(({ unread }) => unread > 0)).toBe(true);
    expect(here.some(({ mentions }) => mentions > 0)).toBe(true);
  });
});

describe('typing', () => {
  let cluster: Cluster;
  let ann: PlainClient;
  let ben: PlainClient;
  let roomId: string;
  const typing = (who: PlainClient) =>
    who.roomSignals.flatMap((signal: RoomSignal) =>
      signal.kind === 'typing' ? [signal.users.map(({ name }) => name).toSorted()] : [],
    );

  beforeAll(async () => {
    cluster = await Cluster.start(2);
    ann = await cluster.connect('ann');
    ben = await cluster.connect('ben', 1);
    roomId = (await ann.ask('room:create', { name: 'Room' })).room.id;
    await ben.ask('room:join', { roomId });
  });
  afterAll(() => cluster.stop());

  it('is told on every instance, together, and ends', async () => {
    await ben.ask('typing:set', { roomId, on: true });
    await ann.until(() => typing(ann).length === 1);
    const cyd = await cluster.connect('cyd', 1);
    await cyd.ask('room:join', { roomId });
    await cyd.ask('typing:set', { roomId, on: true });
    await ann.ask('typing:set', { roomId, on: true });
    await ann.until(() => typing(ann).length === 2);
    expect(typing(ann)).toEqual([['ben'], ['ann', 'ben', 'cyd']]);
    await ben.ask('typing:set', { roomId, on: false });
    await ann.until(() => typing(ann).length === 3);
    expect(typing(ann)[2]).toEqual(['ann', 'cyd']);
    // Who says nothing more is not typing any more, and nobody had to say so.
    await ann.until(() => typing(ann).at(-1)?.length === 0);
  });

  it('is nothing that one who is no member says or hears', async () => {
    const eve = await cluster.connect('eve', 1);
    expect((await eve.refusal('typing:set', { roomId, on: true })).code).toBe('not_member');
    const before = typing(ann).length;
    await ben.ask('typing:set', { roomId, on: true });
    await ann.until(() => typing(ann).length > before);
    await eve.ask('room:join', { roomId });
    await ben.ask('typing:set', { roomId, on: false });
    await eve.until(() => eve.roomSignals.length > 0);
    expect(typing(eve)).toEqual([[]]);
  });
});
