import type { Reply, RoomsSynced, RoomSynced } from '../../src/protocol/index.js';
import { RoomDirectory, type DirectoryListener, type SyncSource } from '../../sdk/rooms/room-directory.js';
import { member, message, readState, room, roomId, settled, snapshot, time, userNumber } from './samples.js';

const other = '0199aaaa-0000-7000-8000-000000000002';
const notMember = { ok: false, error: { code: 'not_member', message: 'No', retryable: false } } as const;

/** Answers when the test says so, and writes down what the directory tells. */
class Desk implements SyncSource, DirectoryListener {
  readonly asked: { roomId: string; epoch: string | undefined; after: number | undefined }[] = [];
  readonly askedForAll: { epoch: string | undefined; cursors: Record<string, number> }[] = [];
  readonly told: string[] = [];
  private readonly pending: ((reply: Reply<RoomSynced> | 'gone') => void)[] = [];
  private readonly pendingForAll: ((reply: Reply<RoomsSynced> | 'gone') => void)[] = [];

  readonly directory = new RoomDirectory(this, this, { baseMs: 1, capMs: 1, random: () => 0 }, 500, () => []);

  syncRooms(epoch: string | undefined, cursors: Record<string, number>): Promise<Reply<RoomsSynced> | 'gone'> {
    this.askedForAll.push({ epoch, cursors });
    return new Promise((resolve) => this.pendingForAll.push(resolve));
  }

  syncRoom(id: string, epoch: string | undefined, after: number | undefined): Promise<Reply<RoomSynced> | 'gone'> {
    this.asked.push({ roomId: id, epoch, after });
    return new Promise((resolve) => this.pending.push(resolve));
  }

  pause(): Promise<void> {
    return Promise.resolve();
  }

  rooms(): void {
    this.told.push('rooms');
  }

  snapshot({ room: { id } }: { room: { id: string } }, isNew: boolean): void {
    if (!isNew) this.told.push(`reset ${id}`);
  }

  change(_room: unknown, { rev }: { rev: number }): void {
    this.told.push(`change ${rev}`);
  }

  read(id: string): void {
    this.told.push(`read ${id}`);
  }

  typing(id: string): void {
    this.told.push(`typing ${id}`);
  }

  dropped(id: string): void {
    this.told.push(`dropped ${id}`);
  }

  async answer(reply: Reply<RoomSynced> | 'gone'): Promise<void> {
    this.pending.shift()?.(reply);
    await settled();
  }

  async lose(): Promise<void> {
    this.pendingForAll.shift()?.('gone');
    await settled();
  }

  async answerAll(rooms: RoomSynced[], gone: string[] = [], epoch = 'one'): Promise<void> {
    this.pendingForAll.shift()?.({ ok: true, data: { epoch, rooms, gone } });
    await settled();
  }
}

/** A directory that has just come online with these rooms. */
async function online(...rooms: RoomSynced[]): Promise<Desk> {
  const desk = new Desk();
  void desk.directory.catchUp();
  await desk.answerAll(rooms);
  desk.told.length = 0;
  return desk;
}

const ours = snapshot({ upTo: 5, messages: [message(1), message(2)] });
const theirs = snapshot({ roomId: other, room: room({ id: other }), member: member({ roomId: other }), upTo: 9 });

test('tells of its rooms once they are all there, and asks with their cursors the next time', async () => {
  const desk = new Desk();
  void desk.directory.catchUp();
  expect(desk.askedForAll).toEqual([{ epoch: undefined, cursors: {} }]);
  await desk.answerAll([ours, theirs]);
  expect(desk.told).toEqual(['rooms']);
  void desk.directory.catchUp();
  expect(desk.askedForAll[1]).toEqual({ epoch: 'one', cursors: { [roomId]: 5, [other]: 9 } });
  await desk.answerAll([
    { reset: false, roomId, after: 5, upTo: 5, changes: [], more: false, read: readState() },
    {
      reset: false,
      roomId: other,
      after: 9,
      upTo: 10,
      changes: [{ rev: 10, kind: 'room', room: room() }],
      more: true,
      read: readState(),
    },
  ]);
  expect(desk.told).toEqual(['rooms', 'change 10']);
  expect(desk.asked).toEqual([{ roomId: other, epoch: 'one', after: 10 }]);
});

test('drops the rooms that are gone, and keeps the object of one that was reset', async () => {
  const desk = await online(ours, theirs);
  const kept = desk.directory.rooms.get(roomId);
  void desk.directory.catchUp();
  await desk.answerAll([snapshot({ upTo: 2 })], [other], 'two');
  expect(desk.told).toEqual([`dropped ${other}`, `reset ${roomId}`, 'rooms']);
  expect(desk.directory.rooms.get(roomId)).toBe(kept);
  expect(kept).toMatchObject({ cursor: 2, messages: [] });
});

test('holds what arrives before the reply of the catching up, also of rooms unknown so far', async () => {
  const desk = await online(ours);
  void desk.directory.catchUp();
  const change = { rev: 7, kind: 'message', message: message(3, { rev: 7 }) } as const;
  desk.directory.receive({ roomId, after: 6, upTo: 7, changes: [change] });
  desk.directory.receive({ roomId: other, after: 9, upTo: 10, changes: [{ rev: 10, kind: 'room', room: room() }] });
  expect(desk.told).toEqual([]);
  const missed = { rev: 6, kind: 'message', message: message(1, { rev: 6, text: '' }) } as const;
  await desk.answerAll([
    { reset: false, roomId, after: 5, upTo: 6, changes: [missed], more: false, read: readState() },
    theirs,
  ]);
  expect(desk.told).toEqual(['change 6', 'change 7', 'change 10', 'rooms']);
  expect(desk.asked).toEqual([]);
});

test('begins anew when the connection is lost on the way', async () => {
  const desk = await online(ours);
  const first = desk.directory.catchUp();
  desk.directory.receive({ roomId, after: 6, upTo: 7, changes: [] });
  await desk.lose();
  await expect(first).resolves.toBe('gone');
  const second = desk.directory.catchUp();
  await desk.answerAll([{ reset: false, roomId, after: 5, upTo: 6, changes: [], more: false, read: readState() }]);
  await expect(second).resolves.toBe('done');
  // What the lost connection announced is void.
  expect(desk.directory.rooms.get(roomId)?.cursor).toBe(6);
  expect(desk.asked).toEqual([]);
});

test('fetches a room that I was added to, and drops one that I was removed from', async () => {
  const desk = await online(ours);
  desk.directory.signal({ kind: 'roomAdded', roomId: other });
  desk.directory.signal({ kind: 'roomAdded', roomId: other });
  desk.directory.signal({ kind: 'roomAdded', roomId });
  expect(desk.asked).toEqual([{ roomId: other, epoch: 'one', after: undefined }]);
  await desk.answer({ ok: true, data: theirs });
  expect([...desk.directory.rooms.keys()]).toEqual([roomId, other]);
  desk.directory.signal({ kind: 'roomRemoved', roomId });
  expect([...desk.directory.rooms.keys()]).toEqual([other]);
  expect(desk.told).toEqual(['rooms', `dropped ${roomId}`, 'rooms']);
});

test('finds a room by its changes when the signal was lost, and forgets one that is not mine', async () => {
  const desk = await online();
  desk.directory.receive({ roomId: other, after: 9, upTo: 10, changes: [] });
  await desk.answer({ ok: true, data: { ...theirs, upTo: 10 } });
  expect(desk.directory.rooms.has(other)).toBe(true);
  desk.directory.receive({ roomId, after: 9, upTo: 10, changes: [] });
  await desk.answer(notMember);
  expect(desk.directory.rooms.has(roomId)).toBe(false);
});

test('drops a room with the change that tells of my leaving', async () => {
  const desk = await online(ours);
  const left = member({ rev: 6, leftAt: time });
  const othersLeft = member({ rev: 7, user: userNumber(1), leftAt: time });
  desk.directory.receive({
    roomId,
    after: 5,
    upTo: 7,
    changes: [
      { rev: 6, kind: 'member', member: left, memberCount: 2 },
      { rev: 7, kind: 'member', member: othersLeft, memberCount: 1 },
    ],
  });
  expect(desk.told).toEqual(['change 6', `dropped ${roomId}`, 'rooms']);
  expect(desk.directory.rooms.size).toBe(0);
});

test('does not trust a reply about a room that was taken from me meanwhile', async () => {
  const desk = await online(ours);
  void desk.directory.catchUp();
  desk.directory.signal({ kind: 'roomRemoved', roomId });
  await desk.answerAll([ours]);
  expect(desk.directory.rooms.size).toBe(0);
  expect(desk.asked).toEqual([{ roomId, epoch: 'one', after: undefined }]);
  await desk.answer(notMember);
  expect(desk.directory.rooms.size).toBe(0);
});

test('opens a room once for all who ask, also across a lost connection', async () => {
  const desk = await online();
  const opened = Promise.all([desk.directory.open(other), desk.directory.open(other)]);
  expect(desk.asked).toHaveLength(1);
  await desk.answer('gone');
  void desk.directory.catchUp();
  await desk.answerAll([theirs]);
  const [first, second] = await opened;
  expect(first).toBe(second);
  expect(await desk.directory.open(other)).toBe(first);
});

test('rejects the opening of a room that is not mine', async () => {
  const desk = await online();
  const opened = desk.directory.open(other);
  void desk.answer(notMember);
  await expect(opened).rejects.toMatchObject({ code: 'not_member' });
});
