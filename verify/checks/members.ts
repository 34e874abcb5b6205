import type { DeliverRecord, HistoryRecord, SyncRecord } from '../history.js';
import { ms, Verdict, type Check } from './check.js';
import { entry } from './numbers.js';

interface Standing {
  /** Joinings that may have happened or may yet happen. */
  open: number;
  memberRev: number;
  /** The rev of the leaving that was acknowledged last; nothing after it is for this user. */
  leftRev: number;
  leftAt: number;
}

/**
 * C12: who never asked to join a room gets nothing of it, and who left gets nothing that came after his leaving: not later
 * than it, and not in the same frame.
 */
export function confined(): Check {
  const verdict = new Verdict('C12');
  const standings = new Map<string, Standing>();
  const joins = new Map<number, Standing>();
  const users = new Map<string, string>();
  let worst = 0;
  const standing = (room: string, user: string) =>
    entry(standings, `${room} ${user}`, () => ({ open: 0, memberRev: -1, leftRev: -1, leftAt: 0 }));

  const judge = (record: DeliverRecord | SyncRecord) => {
    verdict.count('frames');
    const user = users.get(record.client) ?? '';
    const { room, client, connection, after, upTo } = record;
    const where = { client, user, connection, room, after, upTo };
    const known = standings.get(`${room} ${user}`);
    if (known === undefined) {
      verdict.violate(record.t, 'a frame of a room that the user never joined', where);
    } else if (
      known.open === 0 &&
      known.leftRev > known.memberRev &&
      upTo > known.leftRev &&
      record.changes.some(([, rev]) => rev > known.leftRev)
    ) {
      worst = Math.max(worst, record.t - known.leftAt);
      verdict.violate(record.t, 'changes after the leaving', {
        ...where,
        leftRev: known.leftRev,
        laterMs: ms(record.t - known.leftAt),
      });
    }
  };

  /** Frames that already arrived, kept until the rev of a leaving that is under way is known. */
  const undecided = new Map<string, DeliverRecord[]>();
  const leaves = new Map<number, { key: string; frames: DeliverRecord[] }>();

  const see = (record: HistoryRecord) => {
    if (record.type === 'connected') users.set(record.client, record.user);
    else if (record.type === 'request' && record.membership !== undefined) {
      const { room, user, on } = record.membership;
      const key = `${room} ${user}`;
      if (on) {
        const known = standing(room, user);
        known.open += 1;
        joins.set(record.request, known);
      } else leaves.set(record.request, { key, frames: entry(undecided, key, () => []) });
    } else if (record.type === 'ok' && record.member !== undefined) {
      const { room, user, rev, left } = record.member;
      const known = standing(room, user);
      if (joins.delete(record.request)) known.open -= 1;
      if (left) {
        known.leftRev = Math.max(known.leftRev, rev);
        known.leftAt = record.t;
      } else known.memberRev = Math.max(known.memberRev, rev);
      const leave = leaves.get(record.request);
      if (leave === undefined) return;
      leaves.delete(record.request);
      undecided.delete(leave.key);
      for (const frame of leave.frames) judge(frame);
    } else if (record.type === 'fail') {
      const known = joins.get(record.request);
      if (known !== undefined && joins.delete(record.request)) known.open -= 1;
      const leave = leaves.get(record.request);
      if (leave !== undefined && leaves.delete(record.request)) undecided.delete(leave.key);
    } else if (record.type === 'info') {
      // Whether the leaving happened is not known: nothing can be said of what came meanwhile.
      const leave = leaves.get(record.request);
      if (leave !== undefined && leaves.delete(record.request)) undecided.delete(leave.key);
    } else if (record.type === 'deliver') {
      const waiting = undecided.get(`${record.room} ${users.get(record.client) ?? ''}`);
      if (waiting === undefined) judge(record);
      else waiting.push(record);
    } else if (record.type === 'sync') judge(record);
  };

  return {
    see,
    finish() {
      verdict.count('frames', 0);
      if (worst > 0) verdict.figures['latestMs'] = ms(worst);
      return verdict.result();
    },
  };
}
