import fc from 'fast-check';
import type { Message } from '../../src/protocol/index.js';
import { Timeline } from '../../sdk/rooms/timeline.js';
import { message } from './samples.js';

const seqs = (timeline: Timeline) => timeline.messages.map(({ seq }) => seq);

function run(from: number, to: number): Message[] {
  return Array.from({ length: to - from + 1 }, (_, i) => message(from + i));
}

function timelineWith(from: number, to: number, window = 500): Timeline {
  const timeline = new Timeline(window);
  timeline.reset(run(from, to), from > 1);
  return timeline;
}

test('shows the messages in order and without gaps, whatever order they come in', () => {
  fc.assert(
    fc.property(
      fc.nat(40).chain((n) => fc.shuffledSubarray(run(1, n), { minLength: n, maxLength: n })),
      fc.nat(40),
      (messages, repeats) => {
        const timeline = new Timeline(500);
        for (const next of [...messages, ...messages.slice(0, repeats)]) {
          timeline.put(next);
          expect(seqs(timeline)).toEqual(run(1, timeline.messages.length).map(({ seq }) => seq));
        }
        expect(timeline.messages).toHaveLength(messages.length);
      },
    ),
  );
});

test('keeps the copy with the higher rev, whichever comes first', () => {
  const newer = message(2, { rev: 9, text: '', deletedAt: '2026-01-01T00:00:00.000Z' });
  for (const copies of [
    [message(2), newer],
    [newer, message(2)],
  ]) {
    const timeline = timelineWith(1, 1);
    for (const copy of copies) timeline.put(copy);
    expect(timeline.messages[1]).toEqual(newer);
  }
});

test('keeps the newest messages, and those that were loaded beside them', () => {
  const timeline = timelineWith(41, 50, 10);
  timeline.put(message(51));
  expect(seqs(timeline)).toEqual(run(42, 51).map(({ seq }) => seq));
  timeline.merge({ messages: run(37, 41), hasBefore: true, hasAfter: true });
  timeline.put(message(52));
  expect(seqs(timeline)).toEqual(run(38, 52).map(({ seq }) => seq));
  expect(timeline.hasBefore).toBe(true);
});

test('takes in a page that touches, and leaves one alone that would tear a gap', () => {
  const timeline = timelineWith(50, 60);
  timeline.merge({ messages: run(20, 48), hasBefore: true, hasAfter: true });
  expect(seqs(timeline)).toEqual(run(50, 60).map(({ seq }) => seq));
  timeline.merge({ messages: run(40, 52), hasBefore: true, hasAfter: true });
  expect(seqs(timeline)[0]).toBe(40);
  timeline.merge({ messages: run(1, 39), hasBefore: false, hasAfter: true });
  expect(seqs(timeline)).toEqual(run(1, 60).map(({ seq }) => seq));
  expect(timeline.hasBefore).toBe(false);
});

test('learns from an empty page that nothing is before the first', () => {
  const timeline = timelineWith(5, 9);
  timeline.merge({ messages: [], hasBefore: false, hasAfter: true }, 5);
  expect(timeline.hasBefore).toBe(false);
});

test('does not bring back a message that was deleted while its page was on the way', () => {
  const timeline = timelineWith(10, 12);
  const deleted = message(9, { rev: 13, text: '', deletedAt: '2026-01-01T00:00:00.000Z' });
  timeline.expect();
  timeline.put(deleted);
  timeline.merge({ messages: run(8, 9), hasBefore: true, hasAfter: true }, 10);
  timeline.settle();
  expect(timeline.messages[1]).toEqual(deleted);
});

test('starts again from the newest messages when too many come before a missing one', () => {
  const timeline = timelineWith(1, 5, 10);
  for (const next of run(7, 17)) timeline.put(next);
  expect(seqs(timeline)).toEqual(run(8, 17).map(({ seq }) => seq));
  expect(timeline.hasBefore).toBe(true);
  timeline.put(message(6, { rev: 99 }));
  expect(seqs(timeline)).toEqual(run(8, 17).map(({ seq }) => seq));
});
