import type { SampleRecord } from '../history.js';
import { Verdict, type Check } from './check.js';
import { Growth } from './growth.js';
import { entry } from './numbers.js';

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
};
/** Each client costs one of these; how many there are on an instance, the faults decide. */
const perClient = new Set(['fds', 'sockets', 'timers']);

interface Held {
  sample: SampleRecord;
  clients: number;
}

/** C11: after the load, a process that lived through the run holds about as much of everything as before it, its clients aside. */
export function restored(): Check {
  const verdict = new Verdict('C11');
  const before = new Map<string, Held>();
  const after = new Map<string, Held>();
  const clients = new Map<string, Set<number>>();
  const growth = new Growth();
  return {
    see(record) {
      growth.see(record);
      if (record.type === 'connected') entry(clients, record.instance, () => new Set()).add(record.connection);
      else if (record.type === 'disconnected') for (const open of clients.values()) open.delete(record.connection);
      else if (record.type === 'sample' && record.steady !== undefined) {
        const held = { sample: record, clients: clients.get(record.instance)?.size ?? 0 };
        (record.steady === 'before' ? before : after).set(record.instance, held);
      }
    },
    finish() {
      verdict.count('processes compared', 0);
      for (const [instance, percent] of growth.perHour()) verdict.figures[`rss %/h ${instance}`] = percent;
      for (const [instance, last] of after) {
        const first = before.get(instance);
        if (first?.sample.pid !== last.sample.pid) continue;
        verdict.count('processes compared');
        for (const name of Object.keys(slack)) {
          const own = ({ sample, clients }: Held) => (sample.values[name] ?? NaN) - (perClient.has(name) ? clients : 0);
          const [base, value] = [own(first), own(last)];
          if (Number.isNaN(base) || Number.isNaN(value)) continue;
          verdict.figures[`${name} ${instance}`] = value;
          if (value > Math.max(0, base) * 1.1 + (slack[name] ?? 0)) {
            verdict.violate(last.sample.t, 'did not come back', { instance, what: name, before: base, after: value });
          }
        }
      }
      return verdict.result();
    },
  };
}
