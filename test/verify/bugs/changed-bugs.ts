import { truth, type SeenMessage } from '../../../verify/history.js';
import { all, rowsOf, type SeededBug } from './seeding.js';

const changes = (history: Parameters<SeededBug['seed']>[0]) => {
  const requests = new Map(all(history, 'request').map(({ request, change }) => [request, change]));
  return all(history, 'ok').flatMap((ok) => {
    const change = requests.get(ok.request);
    return ok.changed === undefined || change === undefined ? [] : [{ ok: ok, change }];
  });
};

/** The row as it stands at the end, where it is no tombstone. */
const rowAt = (history: Parameters<SeededBug['seed']>[0], room: string, seq: number): SeenMessage | undefined => {
  const row = rowsOf(history, room).rows[seq - 1];
  return row?.[6] === 1 ? undefined : row;
};

export const changedBugs: SeededBug[] = [
  {
    bug: 'loses an acknowledged edit',
    caughtBy: 'C15',
    saying: /edit is not there/,
    seed(history, pick) {
      const edits = changes(history).filter(({ change }) => change.kind === 'edit');
      const { change } = pick(edits.filter(({ change: { room, seq } }) => rowAt(history, room, seq))) ?? {};
      const row = change && rowAt(history, change.room, change.seq);
      if (row === undefined) return undefined;
      row[7] = 1;
      return history;
    },
  },
  {
    bug: 'loses an acknowledged reaction',
    caughtBy: 'C15',
    saying: /reaction is not there/,
    seed(history, pick) {
      const stood = all(history, 'reactions').flatMap(({ room, rows }) => rows.map((row) => ({ room, row })));
      const sure = stood.filter(({ room, row: [seq, user, emoji] }) => {
        const asked = all(history, 'request').filter(
          ({ change, user: by }) =>
            change?.kind === 'react' &&
            change.room === room &&
            change.seq === seq &&
            change.emoji === emoji &&
            by === user,
        );
        return asked.every(({ request }) => all(history, 'ok').some((ok) => ok.request === request));
      });
      const lost = pick(sure);
      if (lost === undefined) return undefined;
      for (const record of all(history, 'reactions')) record.rows = record.rows.filter((row) => row !== lost.row);
      return history;
    },
  },
  {
    bug: 'has a reaction that nobody asked for',
    caughtBy: 'C15',
    saying: /nobody asked for/,
    seed(history, pick) {
      const record = pick(all(history, 'reactions'));
      record?.rows.push([1, 'u3', ':e0:']);
      return record && history;
    },
  },
  {
    bug: 'shows two states of a message at one rev',
    caughtBy: 'C6',
    saying: /two states/,
    seed(history, pick) {
      const seen = pick(
        all(history, 'deliver').flatMap(({ room, changes: told }) =>
          told.flatMap((change) => {
            if (change[0] !== 'm' || change[6] === 1 || (change[8] ?? 0) === 0) return [];
            return rowAt(history, room, change[2])?.[1] === change[1] ? [change] : [];
          }),
        ),
      );
      if (seen === undefined) return undefined;
      seen[8] = (seen[8] ?? 0) + 1;
      return history;
    },
  },
  {
    bug: 'tells a wrong number of unread messages',
    caughtBy: 'C16',
    saying: /unread/,
    seed(history, pick) {
      const state = pick(all(history, 'unread').flatMap(({ source, states }) => (source === truth ? [] : states)));
      if (state === undefined) return undefined;
      state[3] += 1;
      return history;
    },
  },
];
