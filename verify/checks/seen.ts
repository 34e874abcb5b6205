import { truth, type HistoryRecord } from '../history.js';
import { ms, Verdict, type Check } from './check.js';
import { Follower } from './follower.js';
import { entry } from './numbers.js';
import { observation, observations, type Observation } from './stored.js';
import { Sends } from './sends.js';

type Heads = Map<string, Extract<HistoryRecord, { type: 'room' }>>;

/**
 * C5: in each room, each connection's live frames chain, what a sync brings and what comes live make one line without a hole,
 * message numbers step by one, and no frame leaves out what it claims to cover.
 */
export function continuous(sends = new Sends(), own = true): Check {
  const verdict = new Verdict('C5');
  const follower = new Follower(sends.edits, (t, what, where) => verdict.violate(t, what, where));
  return {
    see(record) {
      if (own) sends.see(record);
      follower.see(record);
    },
    finish() {
      follower.finish();
      const heads: Heads = sends.heads.get(truth) ?? new Map<string, never>();
      const finals = new Map<string, Set<number>>();
      for (const [room, head] of heads) {
        const revs = new Set(head.members.map(([, rev]) => rev));
        const rows = sends.rows.get(truth)?.get(room);
        for (let seq = 1; seq < (rows?.rev.length ?? 0); seq++) revs.add(rows?.rev.at(seq) ?? NaN);
        if (head.settingsRev !== undefined) revs.add(head.settingsRev);
        finals.set(room, revs);
      }
      for (const { room, rev, t, client } of follower.uncarried) {
        if (finals.get(room)?.has(rev) === true)
          verdict.violate(t, 'a change left out of the frame that covers it', { client, room, rev });
      }
      Object.assign(verdict.counts, follower.counts);
      return verdict.result();
    },
  };
}

/**
 * C6: the same message stands at a place of a room for all, each version of it with one text and each rev with one state:
 * acknowledgements, deliveries, syncs, reads, rows.
 */
export function agreed(sends = new Sends(), own = true): Check {
  const verdict = new Verdict('C6');
  const places = new Map<string, Map<number, number>>();
  const hashes = new Map<string, number>();
  const states = new Map<string, string>();
  const see = (t: number, { room, seq, send, hash, version, rev, state, by }: Observation) => {
    verdict.count('observations');
    const room_ = entry(places, room, () => new Map<number, number>());
    const first = room_.get(seq);
    if (first === undefined) room_.set(seq, send);
    else if (first !== send) {
      verdict.violate(t, 'two messages at one place', {
        room,
        seq,
        by,
        one: sends.describe(first),
        other: sends.describe(send),
      });
    }
    if (hash !== undefined) {
      const text = entry(hashes, `${send} ${version}`, () => hash);
      if (text !== hash)
        verdict.violate(t, 'one message with two texts', { send: sends.describe(send), seq, version, by });
    }
    if (state === undefined || sends.edits.of(room, seq) === undefined) return;
    const known = entry(states, `${room} ${rev}`, () => state);
    if (known !== state)
      verdict.violate(t, 'one change with two states', { room, seq, rev, by, one: known, other: state });
  };
  return {
    see(record) {
      if (own) sends.see(record);
      for (const observed of observations(record, sends)) see(record.t, observed);
      if (record.type !== 'rows') return;
      for (const row of record.rows) see(record.t, observation(record.room, row, record.source, sends));
    },
    finish: () => verdict.result(),
  };
}

/** C8: within `withinMs` after the last fault and the last acknowledgement, every member who is connected has everything. */
export function converged(withinMs: number, sends = new Sends(), own = true): Check {
  const verdict = new Verdict('C8');
  const follower = new Follower(sends.edits, () => undefined);
  let calm = 0;
  const lastAck = new Map<string, number>();
  return {
    see(record) {
      if (own) sends.see(record);
      follower.see(record);
      if (record.type === 'fault' && record.at === 'end') calm = record.t;
      const room = record.type === 'ok' ? (record.stored ?? record.changed ?? record.member)?.room : undefined;
      if (room !== undefined) lastAck.set(room, record.t);
    },
    finish() {
      let latest = 0;
      verdict.count('places', 0);
      for (const [room, head] of sends.heads.get(truth) ?? []) {
        const present = new Set(head.members.filter(([, , , left]) => left === 0).map(([, , user]) => user));
        const due = Math.max(calm, lastAck.get(room) ?? 0);
        for (const [client, state] of follower.clients) {
          if (!state.online || !present.has(state.user)) continue;
          verdict.count('places');
          const place = state.places.get(room);
          const where = {
            client,
            room,
            cursor: place?.cursor,
            headRev: head.headRev,
            lastSeq: place?.lastSeq,
            stored: head.lastSeq,
          };
          if (place?.cursor !== head.headRev || (place.lastSeq >= 0 && place.lastSeq !== head.lastSeq))
            verdict.violate(head.t, 'did not arrive at the end of its room', where);
          else if (ms(place.movedAt - due) > withinMs)
            verdict.violate(place.movedAt, 'arrived late', { ...where, lateMs: ms(place.movedAt - due) });
          latest = Math.max(latest, (place?.movedAt ?? 0) - due);
        }
      }
      verdict.figures['convergedMs'] = ms(latest);
      return verdict.result();
    },
  };
}
