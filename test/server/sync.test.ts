import { uuidv7 } from 'uuidv7';
import {
  limits,
  RoomsSynced,
  RoomSynced,
  type Change,
  type Message,
  type ResultOf,
  type RoomCatchUp,
  type RoomSnapshot,
} from '../../src/protocol/index.js';
import type { PlainClient } from '../client.js';
import { Cluster } from './cluster.js';

let cluster: Cluster;
let epoch: string;
beforeAll(async () => {
  cluster = await Cluster.start(2);
  ({ epoch } = (await cluster.connect('ann')).session);
});
afterEach(() => cluster.hangUp());
afterAll(() => cluster.stop());

async function room(client: PlainClient, name = 'Room'): Promise<string> {
  return (await client.ask('room:create', { name })).room.id;
}

/** Sends so many messages, thirty at a time. */
async function fill(client: PlainClient, roomId: string, count: number, prefix = ''): Promise<void> {
  for (let from = 0; from < count; from += 30) {
    const window = Array.from({ length: Math.min(30, count - from) }, (_, i) => `${prefix}${from + i + 1}`);
    await Promise.all(window.map((text) => client.ask('message:send', { roomId, clientMsgId: uuidv7(), text })));
  }
}

/** The messages 1 to `count` into each of these rooms, which have none. */
async function insertMessages(rooms: string[], count: number, text = ''): Promise<void> {
  await cluster.query(
    `with added as (
       insert into messages (room_id, seq, rev, sender_id, client_msg_id, fingerprint, text, created_at)
       select room.id, i, i + 2, room.created_by, 'm' || i, '', i || $3, now()
       from rooms room, generate_series(1, $1::int) i where room.id = any($2::uuid[]))
     update rooms set seq = $1, rev = $1 + 2 where id = any($2::uuid[])`,
    [count, rooms, text],
  );
}

const only = (synced: ResultOf<'rooms:sync'>, roomId: string): RoomSynced => {
  const [found, ...more] = synced.rooms.filter((each) => each.roomId === roomId);
  if (found === undefined || more.length > 0) throw new Error(`The reply has the room ${more.length + 1} times`);
  return found;
};
const caughtUp = (synced: RoomSynced): RoomCatchUp => {
  if (synced.reset) throw new Error('Was reset');
  return synced;
};
const snapshot = (synced: RoomSynced): RoomSnapshot => {
  if (!synced.reset) throw new Error('Was not reset');
  return synced;
};
const texts = (changes: Change[]): string[] =>
  changes.flatMap((change) => (change.kind === 'message' ? [change.message.text] : []));

describe('rooms:sync', () => {
  it('gives who holds nothing a snapshot of each of his rooms', async () => {
    const ann = await cluster.connect('nothing-held');
    const [short, long] = [await room(ann, 'Short'), await room(ann, 'Long')];
    await fill(ann, short, 3);
    await fill(ann, long, limits.snapshotMessages + 5);
    const synced = await ann.ask('rooms:sync', {});
    expect([synced.epoch, synced.rooms.length, synced.gone]).toEqual([epoch, 2, []]);
    const [first, second] = [snapshot(only(synced, short)), snapshot(only(synced, long))];
    expect(first).toMatchObject({ upTo: 5, memberCount: 1, hasBefore: false, room: { name: 'Short', rev: 1 } });
    expect(first.member).toMatchObject({ role: 'owner', rev: 2, user: { id: ann.session.userId } });
    expect(first.messages.map(({ text }) => text)).toEqual(['1', '2', '3']);
    expect(second).toMatchObject({ upTo: limits.snapshotMessages + 7, hasBefore: true });
    expect(second.messages.map(({ seq }) => seq)).toEqual(
      Array.from({ length: limits.snapshotMessages }, (_, i) => i + 6),
    );
    const rest = await cluster.rest('nothing-held', 1);
    expect(await rest.ok('POST', '/v1/sync', RoomsSynced, {})).toEqual(synced);
  });

  it('gives who has a cursor what came after it, and nothing who is up to date', async () => {
    const ann = await cluster.connect('cursor');
    const roomId = await room(ann);
    await fill(ann, roomId, 5);
    const sync = async (rev: number) =>
      only(await ann.ask('rooms:sync', { epoch, cursors: { [roomId]: rev } }), roomId);
    const read = { readSeq: 5, unread: 0, mentions: 0, lastSeq: 5, headRev: 7, version: 1 };
    expect(await sync(7)).toEqual({ reset: false, roomId, after: 7, upTo: 7, changes: [], more: false, read });
    const behind = caughtUp(await sync(4));
    expect([behind.after, behind.upTo, behind.more, texts(behind.changes)]).toEqual([4, 7, false, ['3', '4', '5']]);
    expect(caughtUp(await sync(0)).changes.map(({ kind }) => kind)).toEqual([
      'room',
      'member',
      ...Array<string>(5).fill('message'),
    ]);
  });

  it('resets a cursor of another epoch, of none, and one that is ahead', async () => {
    const ann = await cluster.connect('reset');
    const roomId = await room(ann);
    await fill(ann, roomId, 1);
    for (const request of [
      { epoch: 'another', cursors: { [roomId]: 2 } },
      { cursors: { [roomId]: 2 } },
      { epoch, cursors: { [roomId]: 4 } },
      { epoch, cursors: { [roomId]: Number.MAX_SAFE_INTEGER } },
    ]) {
      const { upTo, messages } = snapshot(only(await ann.ask('rooms:sync', request), roomId));
      expect([upTo, messages.map(({ text }) => text)]).toEqual([3, ['1']]);
      const [[, after] = []] = Object.entries(request.cursors);
      const one = await ann.ask('room:sync', {
        roomId,
        ...('epoch' in request ? { epoch: request.epoch } : {}),
        after,
      });
      expect(snapshot(one).upTo).toBe(3);
    }
  });

  it('names the rooms that are gone', async () => {
    const [ann, ben] = [await cluster.connect('gone'), await cluster.connect('gone-other')];
    const [mine, his, left, none] = [await room(ann), await room(ben), await room(ben), uuidv7()];
    await ann.ask('room:join', { roomId: left });
    await ann.ask('room:leave', { roomId: left });
    const cursors = { [mine]: 2, [his]: 1, [left]: 4, [none.toUpperCase()]: 9 };
    const synced = await ann.ask('rooms:sync', { epoch, cursors });
    expect(synced.rooms.map(({ roomId }) => roomId)).toEqual([mine]);
    expect(synced.gone.toSorted()).toEqual([his, left, none].toSorted());
  });

  it('gives at most so many changes of one room and of all, and says where there are more', async () => {
    const ann = await cluster.connect('more');
    const rooms = await Promise.all(Array.from({ length: 8 }, () => room(ann)));
    const count = limits.syncPage + 20;
    await insertMessages(rooms, count);
    const cursors = Object.fromEntries(rooms.map((roomId) => [roomId, 2]));
    const synced = (await ann.ask('rooms:sync', { epoch, cursors })).rooms.map(caughtUp);
    expect(synced.map(({ roomId }) => roomId).toSorted()).toEqual(rooms.toSorted());
    const total = synced.reduce((sum, { changes }) => sum + changes.length, 0);
    expect(total).toBe(limits.syncTotal);
    for (const each of synced) {
      expect([each.more, each.changes.length <= limits.syncPage]).toEqual([true, true]);
      expect(each.upTo).toBe(each.changes.at(-1)?.rev ?? 2);
      const seen = texts(each.changes);
      for (let { upTo, more } = each; more;) {
        const next = caughtUp(await ann.ask('room:sync', { roomId: each.roomId, epoch, after: upTo, limit: 99 }));
        expect(next.changes.length).toBeLessThanOrEqual(99);
        seen.push(...texts(next.changes));
        ({ upTo, more } = next);
      }
      expect(seen).toEqual(Array.from({ length: count }, (_, i) => `${i + 1}`));
    }
  });
});

describe('a client that was away', () => {
  it('from the longest messages in many rooms gets them all, in replies that its connection can take', async () => {
    const ann = await cluster.connect('long-texts');
    const rooms = await Promise.all(Array.from({ length: 12 }, () => room(ann)));
    const text = '字'.repeat(limits.textLength - 3);
    await insertMessages(rooms, 200, text);
    ann.close();
    const back = await cluster.connect('long-texts', 1);
    const cursors = Object.fromEntries(rooms.map((roomId) => [roomId, 2]));
    for (const { roomId, upTo: start, changes } of (await back.ask('rooms:sync', { epoch, cursors })).rooms.map(
      caughtUp,
    )) {
      const seen = texts(changes);
      for (let upTo = start; upTo < 202;) {
        const next = caughtUp(await back.ask('room:sync', { roomId, epoch, after: upTo }));
        seen.push(...texts(next.changes));
        ({ upTo } = next);
      }
      expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => `${i + 1}${text}`));
    }
    const { messages } = await back.ask('history:get', { roomId: rooms[0] ?? '', limit: limits.historyPage });
    expect(messages.length).toBeGreaterThan(0);
    const fresh = await back.ask('rooms:sync', {});
    expect(fresh.rooms.length).toBe(12);
  });

  it('from as many rooms as it may be in is told of all of them in one reply', async () => {
    const ann = await cluster.connect('many-rooms');
    await cluster.query(
      `with made as (
         insert into rooms (id, name, topic, visibility, created_by, member_count, rev, settings_rev)
         select gen_random_uuid(), 'Room ' || i, '', 'private', $1, 1, 2, 1 from generate_series(1, $2) i returning id)
       insert into memberships (room_id, user_id, role, rev, joined_at) select id, $1, 'owner', 2, now() from made`,
      [ann.session.userId, limits.roomsPerUser],
    );
    const made = await cluster.query<{ id: string }>('select id from rooms where created_by = $1', [
      ann.session.userId,
    ]);
    const rooms = made.map(({ id }) => id);
    await insertMessages(rooms, 12);
    const cursors = Object.fromEntries(rooms.map((roomId) => [roomId, 2]));
    const back = await cluster.connect('many-rooms', 1);
    const synced = (await back.ask('rooms:sync', { epoch, cursors })).rooms.map(caughtUp);
    expect(synced.length).toBe(limits.roomsPerUser);
    expect(synced.reduce((sum, { changes }) => sum + changes.length, 0)).toBeLessThanOrEqual(limits.syncTotal);
    expect(synced.every(({ changes, more }) => changes.length > 0 && more)).toBe(true);
    expect((await back.ask('rooms:sync', {})).rooms.length).toBe(limits.roomsPerUser);
  });

  it('comes back on another instance and has everything once, in its last state', async () => {
    const [ann, ben] = [await cluster.connect('away-ann'), await cluster.connect('away-ben', 1)];
    const away = await cluster.connect('away');
    const roomId = await room(ann, 'Before');
    await away.ask('room:join', { roomId });
    await fill(ann, roomId, 10, 'before ');
    await away.until(() => away.textsOf(roomId).length >= 10);
    const messages = new Map<number, Message>();
    const members = new Map<string, boolean>();
    let cursor = 0;
    let name = '';
    const apply = (changes: Change[], upTo: number): void => {
      let last = cursor;
      for (const change of changes) {
        expect(change.rev).toBeGreaterThan(last);
        last = change.rev;
        if (change.kind === 'message') messages.set(change.message.seq, change.message);
        else if (change.kind === 'member') members.set(change.member.user.name, change.member.leftAt === null);
        else name = change.room.name;
      }
      expect(upTo).toBeGreaterThanOrEqual(last);
      cursor = upTo;
    };
    const first = caughtUp(await away.ask('room:sync', { roomId, epoch, after: 0 }));
    apply(first.changes, first.upTo);
    away.close();

    await Promise.all([
      fill(ann, roomId, 250, 'ann '),
      ben.ask('room:join', { roomId }).then(() => fill(ben, roomId, 250, 'ben ')),
    ]);
    await ann.ask('room:update', { roomId, name: 'After' });
    await ann.ask('message:delete', { roomId, seq: 3 });
    await ann.ask('message:delete', { roomId, seq: 300 }).catch(() => ben.ask('message:delete', { roomId, seq: 300 }));
    await ben.ask('room:leave', { roomId });

    const back = await cluster.connect('away', 1);
    const synced = caughtUp(only(await back.ask('rooms:sync', { epoch, cursors: { [roomId]: cursor } }), roomId));
    apply(synced.changes, synced.upTo);
    const rest = await cluster.rest('away');
    for (let more = synced.more, page = 0; more; page++) {
      const path = `/v1/rooms/${roomId}/changes?epoch=${epoch}&after=${cursor}`;
      const request = { roomId, epoch, after: cursor };
      // By REST and by socket in turn: they are one.
      const next = caughtUp(
        page % 2 === 0 ? await rest.ok('GET', path, RoomSynced) : await back.ask('room:sync', request),
      );
      apply(next.changes, next.upTo);
      ({ more } = next);
    }

    const stored = await cluster.query<{ seq: number; text: string }>(
      'select seq::int, text from messages where room_id = $1 order by seq',
      [roomId],
    );
    expect(stored.length).toBe(510);
    expect([...messages.values()].map(({ seq, text }) => ({ seq, text })).toSorted((a, b) => a.seq - b.seq)).toEqual(
      stored,
    );
    expect([messages.get(3)?.deletedAt, messages.get(300)?.deletedAt]).not.toContain(null);
    expect(Object.fromEntries(members)).toEqual({ 'away-ann': true, 'away-ben': false, away: true });
    expect(name).toBe('After');
    await ann.ask('message:send', { roomId, clientMsgId: 'live', text: 'Live again' });
    await back.until(() => back.textsOf(roomId).includes('Live again'));
    expect(back.changesOf(roomId).find(({ rev }) => rev === cursor + 1)).toBeDefined();
  });

  it('is reset when the log is another one', async () => {
    const ann = await cluster.connect('restored');
    const roomId = await room(ann);
    await cluster.query(`update server_state set epoch = 'restored'`);
    const restored = await Cluster.beside(cluster, 1);
    try {
      const back = await restored.connect('restored');
      expect(back.session.epoch).toBe('restored');
      const synced = await back.ask('rooms:sync', { epoch, cursors: { [roomId]: 2 } });
      expect([synced.epoch, only(synced, roomId).reset]).toEqual(['restored', true]);
    } finally {
      await restored.stop();
    }
  });
});
