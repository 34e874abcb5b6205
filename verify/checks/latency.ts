import type { HistoryRecord } from '../history.js';
import { ms, Verdict, type Check } from './check.js';
import { Histogram } from './histogram.js';
import { entry, Numbers, quantile } from './numbers.js';
import { Sends } from './sends.js';

/**
 * Sends of before the phase `load` warm the processes up; they count as nothing else. `beside` is what is sent during faults of
 * which none touches its room or the instance of its sender, as far as it goes to clients whose instance is not touched either.
 */
export type Span = 'warmup' | 'before' | 'during' | 'beside' | 'after';
export type Kind = 'ack' | 'same' | 'cross';

/** A second of the run, by the time at which things arrived; times in µs. */
export interface Second {
  sent: number;
  acked: number;
  delivered: number;
  ack: Histogram;
  delivery: Histogram;
}

export interface Timeline {
  seconds: Second[];
  faults: { name: string; from: number; to: number }[];
  /** Seconds from the start of the run. */
  load: { from: number; to: number };
}

/**
 * C14 measures: acknowledgement and live delivery (to clients on the sender's instance and on others), from the first try of a
 * send, for sends before, during and after faults; how long clients that were cut off were away; how long after a fault the last
 * message of before its end arrived. It violates nothing by itself: the limits belong to the fault.
 */
export function latency(
  sends = new Sends(),
  own = true,
): Check & { timeline: Timeline; quantileMs: (kind: Kind, span: Span, share: number) => number } {
  const verdict = new Verdict('C14');
  const timeline: Timeline = { seconds: [], faults: [], load: { from: 0, to: 0 } };
  let loading = false;
  const open = new Map<
    number,
    { fault: Timeline['faults'][number]; rooms: Set<string> | undefined; instance?: string }
  >();
  /** By send: the instances that were touched when it was first tried. */
  const touched = new Map<number, string[]>();
  const histograms = new Map<string, Histogram>();
  const instances = new Map<number, string>();
  const spans: Span[] = [];
  const acked = new Set<number>();
  const away = new Map<string, number>();
  const returns = new Numbers();
  const ends: { name: string; t: number; backlog: number }[] = [];
  const users = new Map<string, string>();
  /** By room: the clients that hold it. The snapshot of who comes new has what he never waited for. */
  const holders = new Map<string, Set<string>>();
  const holdersOf = (room: string) => entry(holders, room, () => new Set<string>());

  const spanOf = (send: number, room: string, connection: number): Span => {
    if (!loading) return 'warmup';
    if (open.size === 0) return timeline.faults.length > 0 ? 'after' : 'before';
    const here = instances.get(connection);
    const ofRoom = [...open.values()].filter(({ rooms }) => rooms?.has(room) ?? true);
    if (ofRoom.some(({ instance }) => instance === undefined || instance === here)) return 'during';
    if (ofRoom.length > 0)
      touched.set(
        send,
        ofRoom.flatMap(({ instance }) => instance ?? []),
      );
    return 'beside';
  };
  const histogram = (kind: Kind, span: Span) => entry(histograms, `${kind} ${span}`, () => new Histogram());
  const second = (t: number): Second => {
    const at = Math.floor(t / 1e9);
    while (timeline.seconds.length <= at) {
      timeline.seconds.push({ sent: 0, acked: 0, delivered: 0, ack: new Histogram(), delivery: new Histogram() });
    }
    return timeline.seconds[at] as Second;
  };

  const deliver = (t: number, connection: number, send: number, live: boolean) => {
    const invoked = sends.invokedAt.at(send);
    if (Number.isNaN(invoked)) return;
    for (const end of ends) if (invoked <= end.t && t > end.t) end.backlog = Math.max(end.backlog, t - end.t);
    if (!live) return;
    const here = instances.get(connection);
    const kind = here !== undefined && here === instances.get(sends.connection.at(send)) ? 'same' : 'cross';
    const micros = (t - invoked) / 1e3;
    const reached = here !== undefined && touched.get(send)?.includes(here) === true;
    histogram(kind, reached ? 'during' : (spans[send] ?? 'before')).add(micros);
    const now = second(t);
    now.delivered += 1;
    now.delivery.add(micros);
  };

  const see = (record: HistoryRecord) => {
    if (own) sends.see(record);
    const { t } = record;
    switch (record.type) {
      case 'phase':
        loading ||= record.phase === 'load';
        if (record.phase === 'load') timeline.load.from = t / 1e9;
        if (record.phase === 'settle') timeline.load.to = t / 1e9;
        break;
      case 'fault':
        if (record.at === 'begin') {
          const fault = { name: record.name, from: t / 1e9, to: Infinity };
          timeline.faults.push(fault);
          const { rooms, instance } = record;
          open.set(record.fault, {
            fault,
            rooms: rooms && new Set(rooms),
            ...(instance === undefined ? {} : { instance }),
          });
        } else {
          const fault = open.get(record.fault)?.fault;
          if (fault !== undefined) fault.to = t / 1e9;
          open.delete(record.fault);
          ends.push({ name: record.name, t, backlog: 0 });
        }
        break;
      case 'connected':
        instances.set(record.connection, record.instance);
        users.set(record.client, record.user);
        break;
      case 'disconnected':
        if (!away.has(record.client)) away.set(record.client, t);
        break;
      case 'live': {
        const since = away.get(record.client);
        if (since !== undefined) returns.push(ms(t - since));
        away.delete(record.client);
        break;
      }
      case 'gone':
        holdersOf(record.room).delete(record.client);
        break;
      case 'request': {
        const { membership } = record;
        if (membership?.on === true)
          for (const [client, user] of users) if (user === membership.user) holdersOf(membership.room).delete(client);
        if (record.send === undefined) break;
        const send = sends.ofRequest(record.request);
        spans[send] ??= spanOf(send, record.send.room, record.connection);
        second(t).sent += 1;
        break;
      }
      case 'ok': {
        const send = sends.ofRequest(record.request);
        if (record.stored === undefined || Number.isNaN(send) || acked.has(send)) break;
        acked.add(send);
        const micros = (t - sends.invokedAt.at(send)) / 1e3;
        histogram('ack', spans[send] ?? 'before').add(micros);
        const now = second(t);
        now.acked += 1;
        now.ack.add(micros);
        break;
      }
      case 'deliver':
      case 'sync': {
        const holds = holdersOf(record.room);
        const isNew = !holds.has(record.client);
        if (record.type === 'sync') holds.add(record.client);
        if (record.type === 'sync' && record.reset && isNew) break;
        for (const change of record.changes) {
          // As it was sent; what became of it later comes when it is changed, and says nothing of how long the send took.
          if (change[0] !== 'm' || change.length > 6) continue;
          deliver(t, record.connection, sends.identity(record.room, change[3], change[4]), record.type === 'deliver');
        }
        break;
      }
    }
  };

  const quantileMs = (kind: Kind, span: Span, share: number) =>
    (histograms.get(`${kind} ${span}`)?.quantile(share) ?? NaN) / 1e3;
  return {
    timeline,
    quantileMs,
    see,
    finish() {
      for (const [name, { count, max }] of histograms) {
        const [kind, span] = name.split(' ') as [Kind, Span];
        verdict.count(name, count);
        for (const share of [0.5, 0.99]) verdict.figures[`${name} p${share * 100}`] = quantileMs(kind, span, share);
        verdict.figures[`${name} max`] = max / 1e3;
      }
      const sorted = returns.sorted();
      verdict.count('returns', sorted.length);
      verdict.count('still away', away.size);
      if (sorted.length > 0) {
        for (const share of [0.5, 0.95, 0.99]) verdict.figures[`away p${share * 100}`] = quantile(sorted, share);
        verdict.figures['away max'] = quantile(sorted, 1);
      }
      if (ends.length > 0) verdict.figures['backlog'] = ms(Math.max(...ends.map(({ backlog }) => backlog)));
      return verdict.result();
    },
  };
}
