import { truth, type HistoryRecord, type MessageChange } from '../history.js';
import { Verdict, type Check } from './check.js';
import { entry } from './numbers.js';

/** A state that a change may have led to, and when it was acknowledged. */
interface Reacted {
  /** What the last acknowledgement said; undefined before the first. */
  on?: boolean;
  t: number;
  /** What was asked for without an answer: it may have happened, or happen yet. */
  unknown: Set<boolean>;
}

interface Row {
  version: number;
  hash: number;
  deleted: boolean;
}

/**
 * C15: what was acknowledged of a message that stood already is there at the end: an edit, or a later one; a deletion; a reaction,
 * or its taking back, of each user; and no reaction that nobody asked for.
 */
export function upheld(): Check {
  const verdict = new Verdict('C15');
  const asked = new Map<number, { user: string; change: MessageChange }>();
  /** By place: the highest version that was acknowledged, and its text. */
  const edits = new Map<string, { version: number; hash: number; t: number }>();
  const deletions = new Map<string, number>();
  /** By place, user and emoji. */
  const reactions = new Map<string, Reacted>();
  const rows = new Map<string, Row>();
  const standing = new Set<string>();
  let told = false;

  const acknowledge = (t: number, request: number, version: number, hash: number): void => {
    const { user, change } = asked.get(request) ?? {};
    if (user === undefined || change === undefined) return;
    const place = `${change.room} ${change.seq}`;
    verdict.count(`acknowledged: ${change.kind}`);
    if (change.kind === 'delete') deletions.set(place, t);
    else if (change.kind === 'edit') {
      if (version >= (edits.get(place)?.version ?? 0)) edits.set(place, { version, hash, t });
    } else Object.assign(reacted(place, user, change.emoji), { on: change.on, t });
    asked.delete(request);
  };
  const reacted = (place: string, user: string, emoji: string): Reacted =>
    entry(reactions, `${place} ${user} ${emoji}`, () => ({ t: 0, unknown: new Set<boolean>() }));
  const leaveOpen = (request: number): void => {
    const { user, change } = asked.get(request) ?? {};
    if (user !== undefined && change?.kind === 'react')
      reacted(`${change.room} ${change.seq}`, user, change.emoji).unknown.add(change.on);
  };

  return {
    see(record: HistoryRecord) {
      if (record.type === 'request' && record.change !== undefined)
        asked.set(record.request, { user: record.user, change: record.change });
      else if (record.type === 'ok' && record.changed !== undefined) {
        const [, , , , , hash, , version = 1] = record.changed.message;
        acknowledge(record.t, record.request, version, hash);
      } else if (record.type === 'info') leaveOpen(record.request);
      else if (record.type === 'fail' && (record.retryable || record.code === 'internal')) leaveOpen(record.request);
      else if (record.type === 'rows' && record.source === truth) {
        for (const [, , seq, , , hash, deleted, version = 1] of record.rows)
          rows.set(`${record.room} ${seq}`, { version, hash, deleted: deleted === 1 });
      } else if (record.type === 'reactions' && record.source === truth) {
        told = true;
        for (const [seq, user, emoji] of record.rows) standing.add(`${record.room} ${seq} ${user} ${emoji}`);
      }
    },
    finish() {
      verdict.count('acknowledged: edit', 0);
      verdict.count('acknowledged: react', 0);
      for (const [place, { version, hash, t }] of edits) {
        const row = rows.get(place);
        if (row === undefined || row.deleted) continue;
        if (row.version < version || (row.version === version && row.hash !== hash))
          verdict.violate(t, 'an acknowledged edit is not there', { place, version, stored: row.version });
      }
      for (const [place, t] of deletions)
        if (rows.get(place)?.deleted === false) verdict.violate(t, 'deleted, but still there', { place });
      if (!told) return verdict.result();
      for (const [key, { on, t, unknown }] of reactions) {
        const [room, seq] = key.split(' ');
        const is = standing.delete(key);
        // A deleted message has none.
        if (rows.get(`${room} ${seq}`)?.deleted === true || is === (on ?? false) || unknown.has(is)) continue;
        verdict.violate(t, is ? 'a reaction that was taken back stands' : 'an acknowledged reaction is not there', {
          key,
        });
      }
      for (const key of standing) verdict.violate(0, 'a reaction that nobody asked for', { key });
      return verdict.result();
    },
  };
}
