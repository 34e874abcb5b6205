import { truth } from '../history.js';
import { Verdict, type Check } from './check.js';
import { entry, Numbers } from './numbers.js';
import { Sends } from './sends.js';

/**
 * C7: what one connection sends to a room without waiting is numbered in that order; and in a room, whatever was sent after
 * another message was acknowledged is numbered after it, whoever sent it.
 */
export function ordered(sends = new Sends(), own = true): Check {
  const verdict = new Verdict('C7');
  /** By connection and room: for each send that this connection got stored, the request and the seq. */
  const stored = new Map<string, { request: number; seq: number; t: number }[]>();
  const origin = new Map<number, { connection: number; t: number }>();
  const acked = new Map<string, { seq: number; send: number }>();
  /** By send: the highest seq of its room that was acknowledged when it was first tried. */
  const ceiling = new Numbers();
  const judged = new Set<number>();
  return {
    see(record) {
      if (own) sends.see(record);
      if (record.type === 'request' && record.send !== undefined) {
        origin.set(record.request, { connection: record.connection, t: record.t });
        const send = sends.identity(record.send.room, record.user, record.send.cmid);
        if (Number.isNaN(ceiling.at(send))) ceiling.set(send, acked.get(record.send.room)?.seq ?? 0);
      } else if (record.type === 'ok' && record.stored !== undefined) {
        const { room, seq, sender, cmid, duplicate } = record.stored;
        const send = sends.identity(room, sender, cmid);
        if (!judged.has(send)) {
          judged.add(send);
          verdict.count('acknowledged');
          const before = acked.get(room);
          if (seq <= ceiling.at(send)) {
            const where = { send: sends.describe(send), seq, acknowledgedBefore: ceiling.at(send) };
            verdict.violate(
              record.t,
              'numbered before a message that was acknowledged before this one was sent',
              where,
            );
          }
          if (before === undefined || seq > before.seq) acked.set(room, { seq, send });
        }
        const from = origin.get(record.request);
        if (!duplicate && from !== undefined) {
          entry(stored, `${from.connection} ${room}`, () => []).push({ request: record.request, seq, t: from.t });
        }
      }
    },
    finish() {
      for (const [key, list] of stored) {
        list.sort((a, b) => a.request - b.request);
        for (let i = 1; i < list.length; i++) {
          const [one, next] = [list[i - 1], list[i]];
          verdict.count('pairs on one connection');
          if (one === undefined || next === undefined || one.seq < next.seq) continue;
          const [connection, room] = key.split(' ');
          verdict.violate(next.t, 'a later send got an earlier number', {
            connection,
            room,
            requests: [one.request, next.request],
            seqs: [one.seq, next.seq],
          });
        }
      }
      return verdict.result();
    },
  };
}

/** C9: a read that began after the acknowledgement finds the message, on every instance; the last reads find them all. */
export function readable(sends = new Sends(), own = true): Check {
  const verdict = new Verdict('C9');
  const acked = new Map<string, Map<number, { send: number; t: number }>>();
  return {
    see(record) {
      if (own) sends.see(record);
      if (record.type === 'ok' && record.stored !== undefined) {
        const { room, seq, sender, cmid } = record.stored;
        const places = entry(acked, room, () => new Map<number, { send: number; t: number }>());
        if (!places.has(seq)) places.set(seq, { send: sends.identity(room, sender, cmid), t: record.t });
      } else if (record.type === 'read') {
        verdict.count('reads');
        const known = acked.get(record.room)?.get(record.seq);
        if (known === undefined || known.t > record.began || record.found !== null) return;
        const { source, room, seq } = record;
        verdict.violate(record.t, 'acknowledged, but not found', {
          source,
          room,
          seq,
          send: sends.describe(known.send),
        });
      }
    },
    finish() {
      for (const source of new Set([...sends.rows.keys(), ...sends.heads.keys()])) {
        if (source === truth) continue;
        verdict.count('sources');
        for (const [room, places] of acked) {
          const rows = sends.rows.get(source)?.get(room);
          for (const [seq, { send, t }] of places) {
            verdict.count('rows looked for');
            if (rows?.send.at(seq) !== send)
              verdict.violate(t, 'missing from the last read', { source, room, seq, send: sends.describe(send) });
          }
        }
      }
      return verdict.result();
    },
  };
}
