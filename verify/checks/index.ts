import type { HistoryRecord } from '../history.js';
import { answered } from './answers.js';
import type { Check, CheckName, CheckResult } from './check.js';
import { latency, type Kind, type Span, type Timeline } from './latency.js';
import { confined } from './members.js';
import { ordered, readable } from './order.js';
import { restored, steadfast } from './processes.js';
import { agreed, continuous, converged } from './seen.js';
import { Sends } from './sends.js';
import { counted } from './unread.js';
import { upheld } from './upheld.js';
import { doubled, gapless, lost, phantom } from './stored.js';

export { checkTitles, type CheckName, type CheckResult, type Violation } from './check.js';
export type { Kind, Second, Span, Timeline } from './latency.js';

export interface CheckLimits {
  /** C8, in ms. */
  convergeMs?: number;
  /** C13, in ms. */
  answerMs?: number;
}

/** Each check alone, from a history and nothing else. */
export const checks: Record<CheckName, (limits?: CheckLimits) => Check> = {
  C1: () => lost(),
  C2: () => phantom(),
  C3: () => doubled(),
  C4: () => gapless(),
  C5: () => continuous(),
  C6: () => agreed(),
  C7: () => ordered(),
  C8: (limits) => converged(limits?.convergeMs ?? 5_000),
  C9: () => readable(),
  C10: () => steadfast(),
  C11: () => restored(),
  C12: () => confined(),
  C13: (limits) => answered(limits?.answerMs),
  C14: () => latency(),
  C15: () => upheld(),
  C16: () => counted(),
};

export interface Judgement {
  results: CheckResult[];
  timeline: Timeline;
  /** Sends that were acknowledged. */
  acknowledged: number;
  records: number;
  /** Of a latency, in ms; NaN where nothing was measured. */
  quantileMs: (kind: Kind, span: Span, share: number) => number;
}

/** All checks in one pass over the history, with one ledger of the sends. */
export async function judge(
  history: AsyncIterable<HistoryRecord> | Iterable<HistoryRecord>,
  limits: CheckLimits = {},
): Promise<Judgement> {
  const sends = new Sends();
  const measured = latency(sends, false);
  const all: Check[] = [
    lost(sends, false),
    phantom(sends, false),
    doubled(sends, false),
    gapless(sends, false),
    continuous(sends, false),
    agreed(sends, false),
    ordered(sends, false),
    converged(limits.convergeMs ?? 5_000, sends, false),
    readable(sends, false),
    steadfast(),
    restored(),
    confined(),
    answered(limits.answerMs),
    measured,
    upheld(),
    counted(),
  ];
  let records = 0;
  for await (const record of history) {
    records += 1;
    sends.see(record);
    for (const check of all) check.see(record);
  }
  const results = all.map((check) => check.finish());
  return {
    results,
    timeline: measured.timeline,
    acknowledged: results[0]?.counts['acknowledged'] ?? 0,
    records,
    quantileMs: measured.quantileMs,
  };
}

export function judgeOne(name: CheckName, history: Iterable<HistoryRecord>, limits?: CheckLimits): CheckResult {
  const check = checks[name](limits);
  for (const record of history) check.see(record);
  return check.finish();
}
