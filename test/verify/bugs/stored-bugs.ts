import { truth, type SeenMessage } from '../../../verify/history.js';
import { all, acks, rowsOf, headOf, liveMessages, type SeededBug } from './seeding.js';

export const storedBugs: SeededBug[] = [
  {
    bug: 'acknowledges what it does not keep',
    caughtBy: 'C1',
    saying: /nothing is stored there/,
    seed(history, pick) {
      const ack = pick(acks(history));
      if (ack === undefined) return undefined;
      const rows = rowsOf(history, ack.stored.room);
      rows.rows = rows.rows.filter(([, , seq]) => seq !== ack.stored.seq);
      return history;
    },
  },
  {
    bug: 'stores another text than was sent',
    caughtBy: 'C1',
    saying: /another text/,
    seed(history, pick) {
      const ack = pick(
        acks(history).filter(({ stored }) => rowsOf(history, stored.room).rows[stored.seq - 1]?.[6] !== 1),
      );
      const row = ack && rowsOf(history, ack.stored.room).rows[ack.stored.seq - 1];
      if (row === undefined) return undefined;
      row[5] += 1;
      return history;
    },
  },
  {
    bug: 'acknowledges another place than the message has',
    caughtBy: 'C1',
    saying: /another message is stored there/,
    seed(history, pick) {
      const ack = pick(acks(history).filter(({ stored }) => stored.seq > 1));
      if (ack === undefined) return undefined;
      ack.stored.seq -= 1;
      return history;
    },
  },
  {
    bug: 'stores what nobody sent',
    caughtBy: 'C2',
    saying: /never sent/,
    seed(history, pick) {
      const room = pick(['r0', 'r1', 'r2']) ?? 'r0';
      const rows = rowsOf(history, room);
      rows.rows.push(['m', 9_999, rows.rows.length + 1, 'u1', 'forged', 1]);
      return history;
    },
  },
  {
    bug: 'stores what it refused for good',
    caughtBy: 'C2',
    saying: /refused for good/,
    seed(history, pick) {
      const sends = new Map(
        all(history, 'request')
          .filter(({ send }) => send !== undefined)
          .map((record) => [record.request, record]),
      );
      const refused = pick(all(history, 'fail').filter(({ request, retryable }) => !retryable && sends.has(request)));
      const request = refused && sends.get(refused.request);
      const attempts = [...sends.values()].filter(
        ({ user, send }) => user === request?.user && send?.cmid === request.send?.cmid,
      );
      // Of one that was tried before, nobody knows.
      if (attempts.length !== 1) return undefined;
      if (request?.send === undefined) return undefined;
      const { room, cmid, hash } = request.send;
      const { rows } = rowsOf(history, room);
      rows.push(['m', 9_999, rows.length + 1, request.user, cmid, hash]);
      return history;
    },
  },
  {
    bug: 'delivers before the commit, and the commit fails',
    caughtBy: 'C2',
    saying: /seen, but not stored/,
    seed(history, pick) {
      const known = new Set(acks(history).map(({ stored }) => `${stored.room} ${stored.seq}`));
      const seen = pick(liveMessages(history).filter(({ frame, change }) => !known.has(`${frame.room} ${change[2]}`)));
      if (seen === undefined) return undefined;
      for (const source of [truth, 'a', 'b']) {
        const page = rowsOf(history, seen.frame.room, source);
        page.rows = page.rows.filter(([, , seq]) => seq !== seen.change[2]);
      }
      return history;
    },
  },
  {
    bug: 'stores a retry once more',
    caughtBy: 'C3',
    saying: /stored twice/,
    seed(history, pick) {
      const ack = pick(acks(history));
      const rows = ack && rowsOf(history, ack.stored.room).rows;
      const row = rows?.[(ack?.stored.seq ?? 0) - 1];
      if (rows === undefined || row === undefined) return undefined;
      rows.push([...row.slice(0, 2), rows.length + 1, ...row.slice(3)] as unknown as SeenMessage);
      return history;
    },
  },
  {
    bug: 'gives one number to two messages',
    caughtBy: 'C3',
    saying: /one number/,
    seed(history, pick) {
      const { rows } = rowsOf(history, pick(['r0', 'r1']) ?? 'r0');
      const row = pick(rows);
      if (row === undefined) return undefined;
      rows.push([...row]);
      return history;
    },
  },
  {
    bug: 'leaves a hole in the numbers',
    caughtBy: 'C4',
    saying: /hole/,
    seed(history, pick) {
      const room = pick(['r0', 'r1', 'r2']) ?? 'r0';
      headOf(history, room).lastSeq += 1;
      return history;
    },
  },
  {
    bug: 'gives one rev to two changes',
    caughtBy: 'C4',
    saying: /one rev/,
    seed(history, pick) {
      const { rows } = rowsOf(history, pick(['r0', 'r1']) ?? 'r0');
      const [one, other] = rows;
      if (one === undefined || other === undefined) return undefined;
      other[1] = one[1];
      return history;
    },
  },
  {
    bug: 'counts a rev beyond the head',
    caughtBy: 'C4',
    saying: /above the head/,
    seed(history, pick) {
      const room = pick(['r0', 'r1']) ?? 'r0';
      if (rowsOf(history, room).rows.length === 0) return undefined;
      headOf(history, room).headRev = 1;
      return history;
    },
  },
];
