import type { HistoryRecord } from '../../../verify/history.js';
import { all, acks, rowsOf, headOf, without, after, chained, liveMessages, userOf, type SeededBug } from './seeding.js';

export const seenBugs: SeededBug[] = [
  {
    bug: 'drops a frame',
    caughtBy: 'C5',
    saying: /skipped/,
    seed(history, pick) {
      // Not the first of its connection, and another one follows.
      const pairs = chained(history);
      const between = pick(pairs.filter(({ one }) => pairs.some(({ next }) => next === one)));
      return between && without(history, between.one);
    },
  },
  {
    bug: 'drops the first frame after a catch-up',
    caughtBy: 'C5',
    saying: /hole between the sync/,
    seed(history, pick) {
      const first = pick(
        chained(history).filter(
          ({ one }) =>
            history
              .slice(0, history.indexOf(one))
              .some((record) => record.type === 'live' && record.connection === one.connection) &&
            all(history, 'deliver').find(
              ({ connection, room }) => connection === one.connection && room === one.room,
            ) === one,
        ),
      );
      return first && without(history, first.one);
    },
  },
  {
    bug: 'repeats a frame',
    caughtBy: 'C5',
    saying: /repeated/,
    seed(history, pick) {
      const pair = pick(chained(history));
      return pair && after(history, pair.next, { ...pair.next, t: pair.next.t + 1 });
    },
  },
  {
    bug: 'swaps two frames',
    caughtBy: 'C5',
    saying: /skipped|repeated|hole|stepped/,
    seed(history, pick) {
      const pair = pick(chained(history));
      return (
        pair && history.map((record) => (record === pair.one ? pair.next : record === pair.next ? pair.one : record))
      );
    },
  },
  {
    bug: 'steps back in part',
    caughtBy: 'C5',
    saying: /stepped back/,
    seed(history, pick) {
      const pair = pick(chained(history));
      if (pair === undefined) return undefined;
      const { one, next } = pair;
      next.after = one.upTo - 1;
      next.changes = [...one.changes.filter(([, rev]) => rev === one.upTo), ...next.changes];
      return history;
    },
  },
  {
    bug: 'leaves a change out of its frame',
    caughtBy: 'C5',
    saying: /left out|skipped/,
    seed(history, pick) {
      const finals = new Set(
        ['r0', 'r1', 'r2'].flatMap((room) => rowsOf(history, room).rows.map(([, rev]) => `${room} ${rev}`)),
      );
      const seen = pick(liveMessages(history).filter(({ frame, change }) => finals.has(`${frame.room} ${change[1]}`)));
      if (seen === undefined) return undefined;
      const { connection, client } = seen.frame;
      const from = history.find(
        (record) => record.type === 'live' && record.connection === connection && record.client === client,
      );
      // What came before the catch-up came with it too.
      if (from === undefined || history.indexOf(from) > history.indexOf(seen.frame)) return undefined;
      seen.frame.changes = seen.frame.changes.filter((change) => change !== seen.change);
      return history;
    },
  },
  {
    bug: 'makes a client start anew for no reason',
    caughtBy: 'C5',
    saying: /without a reason/,
    seed(history, pick) {
      const sync = pick(all(history, 'sync').filter(({ reset }) => !reset));
      if (sync === undefined) return undefined;
      sync.reset = true;
      return history;
    },
  },
  {
    bug: 'catches up with a hole',
    caughtBy: 'C5',
    saying: /another place|left out|skipped|hole/,
    seed(history, pick) {
      const sync = pick(all(history, 'sync').filter(({ reset, changes }) => !reset && changes.length > 0));
      if (sync === undefined) return undefined;
      sync.after += 1;
      return history;
    },
  },
  {
    bug: 'shows one client another message at a place',
    caughtBy: 'C6',
    saying: /two messages at one place/,
    seed(history, pick) {
      const seen = pick(liveMessages(history));
      if (seen === undefined) return undefined;
      seen.change[4] = 'another';
      return history;
    },
  },
  {
    bug: 'shows one client another text',
    caughtBy: 'C6',
    saying: /two texts/,
    seed(history, pick) {
      // As it was sent, which its acknowledgement says too: of an edit it can be that nobody else saw it.
      const first = acks(history).filter(({ stored }) => !stored.duplicate);
      const known = new Set(first.map(({ stored }) => `${stored.room} ${stored.seq}`));
      const seen = pick(
        liveMessages(history).filter(
          ({ frame, change }) => (change[7] ?? 1) === 1 && known.has(`${frame.room} ${change[2]}`),
        ),
      );
      if (seen === undefined) return undefined;
      seen.change[5] += 1;
      return history;
    },
  },
  {
    bug: 'never tells one client of the last change',
    caughtBy: 'C8',
    saying: /did not arrive/,
    seed(history, pick) {
      const last = new Map(all(history, 'deliver').map((frame) => [`${frame.client} ${frame.room}`, frame]));
      const heads = new Map(['r0', 'r1', 'r2'].map((room) => [room, headOf(history, room)]));
      const dropped = pick(
        [...last.values()].filter(
          (frame) =>
            frame.upTo === heads.get(frame.room)?.headRev &&
            heads
              .get(frame.room)
              ?.members.some(([, , user, left]) => left === 0 && user === userOf(history, frame.client)) &&
            !history
              .slice(history.indexOf(frame))
              .some((record) => record.type === 'sync' && record.client === frame.client) &&
            history.some(
              (record) => record.type === 'live' && record.connection === frame.connection && record.t < frame.t,
            ),
        ),
      );
      return dropped && without(history, dropped);
    },
  },
  {
    bug: 'brings the last change too late',
    caughtBy: 'C8',
    saying: /late/,
    seed(history, pick) {
      const heads = new Map(['r0', 'r1', 'r2'].map((room) => [room, headOf(history, room)]));
      const slow = pick(
        all(history, 'deliver').filter(
          (frame) =>
            frame.upTo === heads.get(frame.room)?.headRev &&
            heads
              .get(frame.room)
              ?.members.some(([, , user, left]) => left === 0 && user === userOf(history, frame.client)) &&
            !history
              .slice(history.indexOf(frame))
              .some((record) => record.type === 'sync' && record.client === frame.client),
        ),
      );
      if (slow === undefined) return undefined;
      slow.t += 60e9;
      return history;
    },
  },
  {
    bug: 'hides an acknowledged message from a reader',
    caughtBy: 'C9',
    saying: /not found/,
    seed(history, pick) {
      const known = new Set(acks(history).map(({ stored }) => `${stored.room} ${stored.seq}`));
      const read = pick(all(history, 'read').filter(({ room, seq }) => known.has(`${room} ${seq}`)));
      if (read === undefined) return undefined;
      read.began = history.at(-1)?.t ?? 0;
      const end = history.at(-1) as HistoryRecord;
      return after(without(history, read), end, { ...read, found: null });
    },
  },
  {
    bug: 'shows an acknowledged message on one instance only',
    caughtBy: 'C9',
    saying: /missing from the last read/,
    seed(history, pick) {
      const ack = pick(acks(history));
      if (ack === undefined) return undefined;
      const rows = rowsOf(history, ack.stored.room, 'b');
      rows.rows = rows.rows.filter(([, , seq]) => seq !== ack.stored.seq);
      return history;
    },
  },
];
