import { Marker } from '../../sdk/rooms/marker.js';
import { Reading } from '../../sdk/rooms/reading.js';
import type { RoomModel } from '../../sdk/rooms/room-state.js';
import { Timeline } from '../../sdk/rooms/timeline.js';
import type { Message, ReadState } from '../../src/protocol/index.js';
import { me, message, readState, time, userNumber } from './samples.js';

/** Than `time`, when the samples were sent. */
const later = '2026-01-01T00:01:00.000Z';

/** What the server would say of a room of these messages. */
function told(messages: readonly Message[], readSeq: number, change: Partial<ReadState> = {}): ReadState {
  const others = messages.filter(({ seq, sender, deletedAt }) => seq > readSeq && sender.id !== me.id && !deletedAt);
  const lastSeq = messages.length;
  return readState({ readSeq, unread: Math.min(100, others.length), lastSeq, headRev: lastSeq, ...change });
}

const from = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => message(first + i));

function reading(first: number, last: number, readSeq: number): { reading: Reading; timeline: Timeline } {
  const timeline = new Timeline(500);
  timeline.reset(from(first, last), first > 1);
  return { reading: new Reading(told(from(1, last), readSeq), timeline, me.id), timeline };
}

test('counts what comes after what was told, and begins anew at my own message', () => {
  for (const first of [1, 15]) {
    const room = reading(first, 20, 10);
    expect(room.reading).toMatchObject({ readSeq: 10, unread: 10 });
    room.timeline.put(message(21));
    expect(room.reading.unread).toBe(11);
    room.timeline.put(message(22, { sender: me }));
    room.timeline.put(message(23));
    expect(room.reading).toMatchObject({ readSeq: 22, unread: 1 });
  }
});

test('takes off what is deleted, once, whether it is at hand or not', () => {
  const { reading: mine, timeline } = reading(15, 20, 10);
  const put = (change: Message) => {
    mine.note(change);
    timeline.put(change);
  };
  for (const rev of [21, 23]) put(message(16, { rev, deletedAt: later }));
  expect(mine.unread).toBe(9);
  put(message(12, { rev: 24, deletedAt: later }));
  expect(mine.unread).toBe(8);
  // Nobody but its sender ever saw that.
  put(message(13, { rev: 24, deletedAt: time }));
  expect(mine.unread).toBe(8);
  // Counted without it already.
  mine.tell(readState({ readSeq: 10, unread: 8, lastSeq: 20, headRev: 24 }));
  put(message(12, { rev: 24, deletedAt: later }));
  expect(mine.unread).toBe(8);
});

test('believes the later of two states, whatever order they come in', () => {
  const { reading: mine } = reading(15, 20, 10);
  expect(mine.tell(readState({ readSeq: 4, unread: 16, lastSeq: 20, headRev: 20, version: 2 }))).toBe(true);
  expect(mine.tell(readState({ readSeq: 20, unread: 0, lastSeq: 20, headRev: 20, version: 1 }))).toBe(false);
  expect(mine.tell(readState({ readSeq: 20, unread: 0, lastSeq: 19, headRev: 19, version: 2 }))).toBe(false);
  expect(mine).toMatchObject({ readSeq: 4, unread: 16 });
});

test('counts who mentions me, by name or with the whole room', () => {
  const { reading: mine, timeline } = reading(15, 20, 10);
  mine.tell(readState({ readSeq: 10, unread: 10, mentions: 3, lastSeq: 20, headRev: 20 }));
  const put = (change: Message) => {
    mine.note(change);
    timeline.put(change);
  };
  const us = { users: [me.id], room: false };
  const all = { users: [], room: true };
  put(message(21, { mentions: us }));
  put(message(22, { mentions: all }));
  put(message(23, { mentions: { users: [userNumber(2).id], room: false } }));
  expect(mine).toMatchObject({ unread: 13, mentions: 5 });
  put(message(21, { rev: 24, mentions: us, deletedAt: later }));
  // Not at hand, but the tombstone says whom it mentioned.
  put(message(12, { rev: 25, mentions: all, deletedAt: later }));
  put(message(13, { rev: 26, deletedAt: later }));
  expect(mine).toMatchObject({ unread: 10, mentions: 3 });
  put(message(24, { rev: 27, mentions: all, sender: me }));
  expect(mine).toMatchObject({ unread: 0, mentions: 0 });
});

test('what is marked as unread moves when the reply comes, also after the signal of it', async () => {
  const { reading: mine } = reading(15, 20, 10);
  const unread = readState({ readSeq: 14, unread: 6, lastSeq: 20, headRev: 20, version: 2 });
  const seen: number[] = [];
  const marker = new Marker({
    room: () => ({ reading: mine }) as RoomModel,
    ask: (_, seq, back) => {
      if (!back) return Promise.resolve(readState({ readSeq: seq, lastSeq: 20, headRev: 20, version: 1 }));
      mine.tell(unread);
      return Promise.resolve(unread);
    },
    pause: () => Promise.resolve(),
    moved: () => seen.push(mine.readSeq),
  });
  await marker.read('room', 20);
  await marker.unread('room', 15);
  expect(seen).toEqual([20, 14]);
});

test('shows my own mark before it is told', () => {
  const { reading: mine, timeline } = reading(15, 20, 10);
  expect(mine.mark(9)).toBe(false);
  expect(mine.mark(18)).toBe(true);
  expect(mine).toMatchObject({ readSeq: 18, unread: 2 });
  timeline.put(message(21, { sender: userNumber(2) }));
  expect(mine.unread).toBe(3);
  mine.unmark();
  expect(mine).toMatchObject({ readSeq: 10, unread: 11 });
});

test('goes back when another device marks as unread what was marked as read here', async () => {
  const { reading: mine } = reading(15, 20, 10);
  const marker = new Marker({
    room: () => ({ reading: mine }) as RoomModel,
    ask: (_, seq) => Promise.resolve(readState({ readSeq: seq, lastSeq: 20, headRev: 20, version: 1 })),
    pause: () => Promise.resolve(),
    moved: () => undefined,
  });
  await marker.read('room', 20);
  expect(mine.tell(readState({ readSeq: 16, unread: 4, lastSeq: 20, headRev: 20, version: 2 }))).toBe(true);
  expect(mine).toMatchObject({ readSeq: 16, unread: 4 });
});

test('is back where it was when a mark cannot be told', async () => {
  const { reading: mine } = reading(15, 20, 10);
  const seen: number[] = [];
  const marker = new Marker({
    room: () => ({ reading: mine }) as RoomModel,
    ask: () => Promise.reject(new Error('unavailable')),
    pause: () => Promise.resolve(),
    moved: () => seen.push(mine.readSeq),
  });
  await expect(marker.read('room', 20)).rejects.toThrow('unavailable');
  expect(seen).toEqual([20, 10]);
  expect(mine).toMatchObject({ readSeq: 10, unread: 10 });
});
