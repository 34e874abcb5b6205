import { ms, Verdict, type Check } from './check.js';
import { Numbers } from './numbers.js';

interface Pending {
  t: number;
  connection: number;
  event: string;
}

/**
 * C13: every request gets one reply within `withinMs`. Excused are requests whose connection ended before the time was up, and those
 * that met a fault that silences, on the instance that it hits where it hits one. `internal` is no answer that says what to do.
 */
export function answered(withinMs = 5_000): Check {
  const verdict = new Verdict('C13');
  const within = withinMs * 1e6;
  const pending = new Map<number, Pending>();
  const late: (Pending & { request: number; repliedAt: number })[] = [];
  const replied = new Set<number>();
  const ended = new Numbers();
  const silences: { from: number; to: number; fault: number; instance: string | undefined }[] = [];
  const instances = new Map<number, string>();
  let last = 0;
  let slowest = 0;

  const reply = (request: number, t: number) => {
    const asked = pending.get(request);
    if (asked === undefined) {
      if (replied.has(request)) verdict.violate(t, 'answered twice', { request });
      else verdict.violate(t, 'an answer to nothing', { request });
      return;
    }
    replied.add(request);
    pending.delete(request);
    verdict.count('answered');
    if (t - asked.t > within) late.push({ ...asked, request, repliedAt: t });
    else slowest = Math.max(slowest, t - asked.t);
  };
  const excused = ({ t, connection }: Pending) =>
    ended.at(connection) <= t + within ||
    silences.some(
      ({ from, to, instance }) =>
        from <= t + within && to >= t && (instance === undefined || instance === instances.get(connection)),
    );

  return {
    see(record) {
      last = record.t;
      switch (record.type) {
        case 'request':
          pending.set(record.request, { t: record.t, connection: record.connection, event: record.event });
          break;
        case 'ok':
          reply(record.request, record.t);
          break;
        case 'fail':
          reply(record.request, record.t);
          verdict.count(`refused: ${record.code}`);
          if (record.code === 'internal') verdict.violate(record.t, 'answered `internal`', { request: record.request });
          break;
        case 'info':
          verdict.count(`without an answer: ${record.reason}`);
          break;
        case 'stray':
          verdict.violate(record.t, 'an answer more than was asked for', {
            client: record.client,
            detail: record.detail,
          });
          break;
        case 'connected':
          instances.set(record.connection, record.instance);
          break;
        case 'disconnected':
          ended.set(record.connection, record.t);
          break;
        case 'fault':
          if (record.silences !== true) break;
          if (record.at === 'begin')
            silences.push({ from: record.t, to: Infinity, fault: record.fault, instance: record.instance });
          else for (const silence of silences) if (silence.fault === record.fault) silence.to = record.t;
          break;
      }
    },
    finish() {
      verdict.count('answered', 0);
      for (const asked of late) {
        const { request, event, connection } = asked;
        if (excused(asked)) verdict.count('late, excused');
        else
          verdict.violate(asked.repliedAt, 'answered late', {
            request,
            event,
            connection,
            afterMs: ms(asked.repliedAt - asked.t),
          });
      }
      for (const [request, asked] of pending) {
        if (asked.t + within > last || excused(asked)) verdict.count('unanswered, excused');
        else verdict.violate(asked.t, 'never answered', { request, event: asked.event, connection: asked.connection });
      }
      verdict.figures['slowestMs'] = ms(slowest);
      return verdict.result();
    },
  };
}
