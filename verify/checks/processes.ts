import type { SampleRecord } from '../history.js';
import { Verdict, type Check } from './check.js';

/** C10: nothing uncaught, nothing unhandled, and no process ends but those that the run ended. */
export function steadfast(): Check {
  const verdict = new Verdict('C10');
  verdict.count('processes', 0);
  return {
    see(record) {
      if (record.type !== 'process') return;
      const { instance, event, detail, wanted } = record;
      if (event === 'ready') verdict.count('processes');
      if (event === 'exit') verdict.count('exits');
      const where = { instance, detail };
      if (event === 'uncaught') verdict.violate(record.t, 'uncaught exception', where);
      else if (event === 'unhandled') verdict.violate(record.t, 'unhandled rejection', where);
      else if (event === 'exit' && !wanted) verdict.violate(record.t, 'ended by itself', where);
    },
    finish: () => verdict.result(),
  };
}

/** How much more than a tenth a value may have grown by: what a garbage collector and pools keep at will. */
const slack: Record<string, number> = {
  rss: 64 * 2 ** 20,
  heap: 8 * 2 ** 20,
  fds: 8,
  sockets: 4,
  timers: 16,
  postgres: 2,
};

/** C11: after the load, a process that lived through the run holds about as much of everything as before it. */
export function restored(): Check {
  const verdict = new Verdict('C11');
  const before = new Map<string, SampleRecord>();
  const after = new Map<string, SampleRecord>();
  return {
    see(record) {
      if (record.type !== 'sample' || record.steady === undefined) return;
      (record.steady === 'before' ? before : after).set(record.instance, record);
    },
    finish() {
      verdict.count('processes compared', 0);
      for (const [instance, last] of after) {
        const first = before.get(instance);
        if (first?.pid !== last.pid) continue;
        verdict.count('processes compared');
        for (const [name, value] of Object.entries(last.values)) {
          const base = first.values[name];
          const room = slack[name];
          if (base === undefined || room === undefined) continue;
          verdict.figures[`${name} ${instance}`] = value;
          if (value > base * 1.1 + room)
            verdict.violate(last.t, 'did not come back', { instance, what: name, before: base, after: value });
        }
      }
      return verdict.result();
    },
  };
}
