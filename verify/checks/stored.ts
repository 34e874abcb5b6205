import { truth, type HistoryRecord, type SeenMessage } from '../history.js';
import { Verdict, type Check } from './check.js';
import { entry } from './numbers.js';
import { Sends, type Rows } from './sends.js';

/** C1: every acknowledged send stands in Postgres at the place that its acknowledgement named, with its own text. */
export function lost(sends = new Sends(), own = true): Check {
  const verdict = new Verdict('C1');
  return {
    see: (record) => {
      if (own) sends.see(record);
    },
    finish() {
      verdict.count('acknowledged', 0);
      for (let send = 0; send < sends.size; send++) {
        const seq = sends.seq.at(send);
        if (Number.isNaN(seq)) continue;
        verdict.count('acknowledged');
        const rows = sends.rows.get(truth)?.get(sends.roomOf(send));
        const where = { send: sends.describe(send), seq };
        const at = sends.ackedAt.at(send);
        if (rows === undefined || Number.isNaN(rows.send.at(seq)))
          verdict.violate(at, 'acknowledged, but nothing is stored there', where);
        else if (rows.send.at(seq) !== send) {
          verdict.violate(at, 'acknowledged, but another message is stored there', {
            ...where,
            stored: sends.describe(rows.send.at(seq)),
          });
        } else if (!rows.deleted.has(seq) && !sends.mayRead(send, seq, rows.hash.at(seq))) {
          verdict.violate(at, 'acknowledged, but stored with another text', where);
        }
      }
      return verdict.result();
    },
  };
}

/** C2: every row was sent and not refused, with its text; whatever a client was shown or told is a row. */
export function phantom(sends = new Sends(), own = true): Check {
  const verdict = new Verdict('C2');
  /** By room and seq: the send that was seen there first, and when. */
  const seen = new Map<string, Map<number, { send: number; t: number; by: string }>>();
  return {
    see(record) {
      if (own) sends.see(record);
      for (const { room, seq, send, by } of observations(record, sends)) {
        const places = entry(seen, room, () => new Map<number, { send: number; t: number; by: string }>());
        if (!places.has(seq)) places.set(seq, { send, t: record.t, by });
      }
    },
    finish() {
      verdict.count('rows', 0);
      for (const [room, rows] of sends.rows.get(truth) ?? []) {
        eachRow(rows, (seq, send) => {
          verdict.count('rows');
          const where = { room, seq, send: sends.describe(send) };
          const attempts = sends.attempts.at(send);
          if (Number.isNaN(attempts)) verdict.violate(0, 'stored, but never sent', where);
          else if (sends.refusals.at(send) === attempts)
            verdict.violate(sends.invokedAt.at(send), 'stored, but refused for good', where);
          else if (!rows.deleted.has(seq) && !sends.mayRead(send, seq, rows.hash.at(seq))) {
            verdict.violate(sends.invokedAt.at(send), 'stored with another text than was sent', where);
          }
        });
      }
      for (const [room, places] of seen) {
        const rows = sends.rows.get(truth)?.get(room);
        for (const [seq, { send, t, by }] of places) {
          verdict.count('places seen');
          const stored = rows?.send.at(seq) ?? NaN;
          if (Number.isNaN(stored))
            verdict.violate(t, 'seen, but not stored', { room, seq, send: sends.describe(send), by });
        }
      }
      return verdict.result();
    },
  };
}

/** C3: a send stands once, however often it was tried. */
export function doubled(sends = new Sends(), own = true): Check {
  const verdict = new Verdict('C3');
  return {
    see: (record) => {
      if (own) sends.see(record);
    },
    finish() {
      verdict.count('rows', 0);
      const place = new Map<number, number>();
      for (const [room, rows] of sends.rows.get(truth) ?? []) {
        for (const seq of rows.doubled) verdict.violate(0, 'two rows with one number', { room, seq });
        eachRow(rows, (seq, send) => {
          verdict.count('rows');
          const first = place.get(send);
          if (first === undefined) place.set(send, seq);
          else
            verdict.violate(sends.invokedAt.at(send), 'stored twice', {
              send: sends.describe(send),
              seqs: [first, seq],
            });
        });
      }
      for (let send = 0; send < sends.size; send++) if (sends.attempts.at(send) > 1) verdict.count('sends tried again');
      return verdict.result();
    },
  };
}

/** C4: seqs are 1 … `lastSeq`, revs are unique in their room and not above its head. */
export function gapless(sends = new Sends(), own = true): Check {
  const verdict = new Verdict('C4');
  return {
    see: (record) => {
      if (own) sends.see(record);
    },
    finish() {
      verdict.count('rooms', 0);
      for (const [room, head] of sends.heads.get(truth) ?? []) {
        verdict.count('rooms');
        const rows = sends.rows.get(truth)?.get(room);
        const last = (rows?.send.length ?? 1) - 1;
        if (last > head.lastSeq)
          verdict.violate(head.t, 'a row above the last number of its room', {
            room,
            seq: last,
            lastSeq: head.lastSeq,
          });
        const others = [
          ...head.members.map(([, rev]) => rev),
          ...(head.settingsRev === undefined ? [] : [head.settingsRev]),
        ];
        const revs = new Set(others);
        if (revs.size < others.length)
          verdict.violate(head.t, 'two members, or a member and the room, with one rev', { room });
        for (let seq = 1; seq <= head.lastSeq; seq++) {
          verdict.count('numbers');
          const rev = rows?.rev.at(seq) ?? NaN;
          if (Number.isNaN(rev)) verdict.violate(head.t, 'a hole', { room, seq, lastSeq: head.lastSeq });
          else if (revs.has(rev)) verdict.violate(head.t, 'two changes with one rev', { room, seq, rev });
          else if (rev > head.headRev)
            verdict.violate(head.t, 'a rev above the head of its room', { room, seq, rev, headRev: head.headRev });
          revs.add(rev);
        }
      }
      return verdict.result();
    },
  };
}

export interface Observation {
  room: string;
  seq: number;
  send: number;
  /** Of its text; undefined for a tombstone. */
  hash: number | undefined;
  /** Of the text: 1 as it was sent. */
  version: number;
  rev: number;
  /** All that can be seen of it at that rev; undefined where it is not all told. */
  state: string | undefined;
  by: string;
}

/** The messages that a record says somebody saw at a place in a room: acknowledged, live, caught up, read. */
export function* observations(record: HistoryRecord, sends: Sends): Generator<Observation> {
  if (record.type === 'ok' && record.stored !== undefined) {
    const { room, rev, seq, sender, cmid, hash, duplicate } = record.stored;
    const seen = observation(room, ['m', rev, seq, sender, cmid, hash], `request ${record.request}`, sends);
    // What was there already is acknowledged as it is now, and not every part of that is told here.
    const isNow = duplicate && sends.edits.of(room, seq) !== undefined;
    yield isNow ? { ...seen, hash: undefined, state: undefined } : seen;
  } else if (record.type === 'ok' && record.changed !== undefined) {
    yield observation(record.changed.room, record.changed.message, `request ${record.request}`, sends);
  } else if (record.type === 'deliver' || record.type === 'sync') {
    const { room, client } = record;
    for (const change of record.changes) if (change[0] === 'm') yield observation(room, change, client, sends);
  } else if (record.type === 'read' && record.found !== null) {
    yield observation(record.room, record.found, record.source, sends);
  }
}

export function observation(room: string, message: SeenMessage, by: string, sends: Sends): Observation {
  const [, rev, seq, sender, cmid, text, deleted = 0, version = 1, look = 0] = message;
  const hash = deleted === 1 ? undefined : text;
  const state = `text ${hash}, version ${version}, reactions ${look}`;
  return { room, seq, send: sends.identity(room, sender, cmid), hash, version, rev, state, by };
}

function eachRow(rows: Rows, visit: (seq: number, send: number) => void): void {
  for (let seq = 0; seq < rows.send.length; seq++) {
    const send = rows.send.at(seq);
    if (!Number.isNaN(send)) visit(seq, send);
  }
}
