import type { HistoryRecord, OkRecord, RequestRecord } from '../../../verify/history.js';
import { all, acks, without, after, sequels, leavings, endsSoon, end, type SeededBug } from './seeding.js';

export const conductBugs: SeededBug[] = [
  {
    bug: 'numbers a message before one that was acknowledged earlier',
    caughtBy: 'C7',
    saying: /acknowledged before/,
    seed(history, pick) {
      const pair = pick(sequels(history));
      if (pair === undefined) return undefined;
      const key = (sender: string, cmid: string) => `${sender} ${cmid}`;
      const places = new Map([
        [key(pair.earlier[3], pair.earlier[4]), pair.later[2]],
        [key(pair.later[3], pair.later[4]), pair.earlier[2]],
      ]);
      for (const { stored } of acks(history)) {
        if (stored.room === pair.room) stored.seq = places.get(key(stored.sender, stored.cmid)) ?? stored.seq;
      }
      return history;
    },
  },
  {
    bug: 'numbers pipelined sends in another order',
    caughtBy: 'C7',
    saying: /later send got an earlier number/,
    seed(history) {
      const end = history.at(-1) as HistoryRecord;
      const t = end.t + 1;
      const request = (request: number, cmid: string): RequestRecord => ({
        type: 'request',
        t,
        request,
        client: 'c0',
        user: 'u0',
        connection: 900,
        event: 'message:send',
        send: { room: 'r9', cmid, hash: 1 },
      });
      const ok = (request: number, seq: number, cmid: string): OkRecord => ({
        type: 'ok',
        t,
        request,
        stored: { room: 'r9', rev: seq, seq, sender: 'u0', cmid, hash: 1, duplicate: false },
      });
      return [...history, request(9_001, 'x'), request(9_002, 'y'), ok(9_002, 1, 'y'), ok(9_001, 2, 'x')];
    },
  },
  ...(['uncaught', 'unhandled', 'exit'] as const).map((event): SeededBug => ({
    bug: `has a process with ${event}`,
    caughtBy: 'C10',
    saying: /uncaught|unhandled|by itself/,
    seed: (history) =>
      after(history, history.at(-1) as HistoryRecord, { type: 'process', t: 1, instance: 'b', event, wanted: false }),
  })),
  {
    bug: 'leaks file descriptors',
    caughtBy: 'C11',
    saying: /did not come back/,
    seed(history) {
      for (const sample of all(history, 'sample')) if (sample.steady === 'after') sample.values['fds'] = 80;
      return history;
    },
  },
  {
    bug: 'leaks memory',
    caughtBy: 'C11',
    saying: /did not come back/,
    seed(history) {
      for (const sample of all(history, 'sample')) if (sample.steady === 'after') sample.values['rss'] = 200 * 2 ** 20;
      return history;
    },
  },
  {
    bug: 'delivers to one who never joined',
    caughtBy: 'C12',
    saying: /never joined/,
    seed(history, pick) {
      const frame = pick(all(history, 'deliver'));
      const stranger = all(history, 'connected').find(({ client }) => client === 'c4');
      if (frame === undefined || stranger === undefined) return undefined;
      return after(history, frame, { ...frame, client: 'c4', connection: stranger.connection });
    },
  },
  {
    bug: 'lets one catch up who never joined',
    caughtBy: 'C12',
    saying: /never joined/,
    seed(history, pick) {
      const sync = pick(all(history, 'sync'));
      return sync && after(history, sync, { ...sync, client: 'c4' });
    },
  },
  {
    bug: 'delivers on to one who left',
    caughtBy: 'C12',
    saying: /after the leaving/,
    seed(history, pick) {
      const left = pick(leavings(history));
      if (left === undefined) return undefined;
      const { ok, client, connection } = left;
      const { room, rev } = ok.member;
      return after(history, ok, {
        type: 'deliver',
        t: ok.t + 1,
        client,
        connection,
        room,
        after: rev,
        upTo: rev + 1,
        changes: [['r', rev + 1]],
      });
    },
  },
  {
    bug: 'puts what came after the leaving into the last frame',
    caughtBy: 'C12',
    saying: /after the leaving/,
    seed(history, pick) {
      const lasts = leavings(history).flatMap(({ ok, connection }) =>
        all(history, 'deliver').filter(
          (frame) => frame.connection === connection && frame.room === ok.member.room && frame.upTo === ok.member.rev,
        ),
      );
      const last = pick(lasts);
      if (last === undefined) return undefined;
      last.upTo += 1;
      last.changes = [...last.changes, ['r', last.upTo]];
      return history;
    },
  },
  {
    bug: 'never answers',
    caughtBy: 'C13',
    saying: /never answered/,
    seed(history, pick) {
      const ok = pick(all(history, 'ok').filter(({ request }) => !endsSoon(history, request)));
      return ok && without(history, ok);
    },
  },
  {
    bug: 'answers twice',
    caughtBy: 'C13',
    saying: /twice/,
    seed(history, pick) {
      const ok = pick(all(history, 'ok'));
      return ok && after(history, ok, { ...ok });
    },
  },
  {
    bug: 'answers what nobody asked',
    caughtBy: 'C13',
    saying: /more than was asked/,
    seed: (history) =>
      after(history, history.at(-1) as HistoryRecord, {
        type: 'stray',
        t: 1,
        client: 'c0',
        connection: 0,
        detail: 'ack 7',
      }),
  },
  {
    bug: 'answers late',
    caughtBy: 'C13',
    saying: /late/,
    seed(history, pick) {
      const ok = pick(all(history, 'ok').filter(({ request }) => !endsSoon(history, request)));
      const end = history.at(-1) as HistoryRecord;
      return ok && [...without(history, ok), { ...ok, t: end.t + 6e9 }];
    },
  },
  {
    bug: 'does not know itself what became of a request',
    caughtBy: 'C13',
    saying: /internal/,
    seed(history, pick) {
      const ok = pick(all(history, 'ok'));
      return (
        ok &&
        after(without(history, ok), end(history), {
          type: 'fail',
          t: ok.t,
          request: ok.request,
          code: 'internal',
          retryable: false,
        })
      );
    },
  },
];
