import type { HistoryRecord } from '../history.js';

export const checkTitles = {
  C1: 'Acknowledged messages are stored',
  C2: 'Nothing is stored or delivered that was not sent',
  C3: 'Nothing is stored twice',
  C4: 'Numbers of a room have no holes',
  C5: 'Clients see every change once and in order',
  C6: 'Everybody sees the same message at the same place',
  C7: 'Sends keep their order',
  C8: 'All members arrive at the end',
  C9: 'What is acknowledged can be read everywhere',
  C10: 'No process fails by itself',
  C11: 'Resources come back to where they were',
  C12: 'Nothing of a room reaches a non-member',
  C13: 'Every request is answered once and in time',
  C14: 'Latency',
  C15: 'Acknowledged changes of messages stand',
  C16: 'What is unread is what the rows say',
} as const;

export type CheckName = keyof typeof checkTitles;

export interface Violation {
  t: number;
  what: string;
  /** What is needed to find the place in the history. */
  where: Record<string, unknown>;
}

export interface CheckResult {
  check: CheckName;
  title: string;
  ok: boolean;
  /** How many violations there are; `violations` has the first 20. */
  violated: number;
  violations: Violation[];
  /** What was looked at: a check that looked at nothing has proved nothing. */
  counts: Record<string, number>;
  /** What was measured; times in ms. */
  figures: Record<string, number>;
}

/** A check sees each record of a history once, in order, and then gives its verdict. It keeps no state beyond that history. */
export interface Check {
  see(record: HistoryRecord): void;
  finish(): CheckResult;
}

/** Collects what a check finds. */
export class Verdict {
  readonly counts: Record<string, number> = {};
  readonly figures: Record<string, number> = {};
  private readonly violations: Violation[] = [];
  private violated = 0;

  constructor(private readonly check: CheckName) {}

  violate(t: number, what: string, where: Record<string, unknown>): void {
    this.violated += 1;
    if (this.violations.length < 20) this.violations.push({ t, what, where });
  }

  count(name: string, by = 1): void {
    this.counts[name] = (this.counts[name] ?? 0) + by;
  }

  result(): CheckResult {
    const { check, violated, violations, counts, figures } = this;
    return { check, title: checkTitles[check], ok: violated === 0, violated, violations, counts, figures };
  }
}

export const ms = (nanos: number): number => nanos / 1e6;
