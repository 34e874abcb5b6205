import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { judge, judgeOne } from '../../verify/checks/index.js';
import { HistoryWriter, readHistory, type HistoryRecord } from '../../verify/history.js';
import { Model, steps } from './model.js';

let dir: string;
beforeAll(async () => (dir = await mkdtemp(join(tmpdir(), 'history-'))));
afterAll(() => rm(dir, { recursive: true }));

async function read(path: string): Promise<HistoryRecord[]> {
  const records: HistoryRecord[] = [];
  for await (const record of readHistory(path)) records.push(record);
  return records;
}

describe('a history file', () => {
  it('gives back what was written', async () => {
    const path = join(dir, 'round-trip.ndjson');
    await fc.assert(
      fc.asyncProperty(steps, async (played) => {
        const history = Model.play(played);
        const writer = new HistoryWriter(path);
        for (const record of history) writer.write(record);
        writer.close();
        expect(await read(path)).toEqual(history);
        expect(writer.written).toBe(history.length);
      }),
      { numRuns: 5 },
    );
  });

  it('keeps no more in memory than its buffer', async () => {
    const path = join(dir, 'bounded.ndjson');
    const writer = new HistoryWriter(path, 1_000);
    const record: HistoryRecord = { type: 'phase', t: 1, phase: 'load' };
    let bytes = 0;
    for (let i = 0; i < 500; i++) {
      writer.write(record);
      bytes += JSON.stringify(record).length + 1;
      expect(bytes - (await stat(path)).size).toBeLessThan(1_100);
    }
    writer.close();
    expect((await stat(path)).size).toBe(bytes);
  });

  it('names the line that is no record', async () => {
    const path = join(dir, 'broken.ndjson');
    await writeFile(path, '{"type":"phase","t":1,"phase":"load"}\n{"type":"pha');
    await expect(read(path)).rejects.toThrow(/broken\.ndjson:2 /);
    await writeFile(path, '{"no":"type"}\n');
    await expect(read(path)).rejects.toThrow(/broken\.ndjson:1 /);
  });
});

describe('the figures', () => {
  const send = (request: number, t: number): HistoryRecord => ({
    type: 'request',
    t,
    request,
    client: 'c0',
    user: 'u0',
    connection: 0,
    event: 'message:send',
    send: { room: 'r0', cmid: `m${request}`, hash: 1 },
  });
  const ok = (request: number, t: number): HistoryRecord => ({
    type: 'ok',
    t,
    request,
    stored: { room: 'r0', rev: request, seq: request, sender: 'u0', cmid: `m${request}`, hash: 1, duplicate: false },
  });
  const deliver = (request: number, t: number, connection: number): HistoryRecord => ({
    type: 'deliver',
    t,
    client: `c${connection}`,
    connection,
    room: 'r0',
    after: request - 1,
    upTo: request,
    changes: [['m', request, request, 'u0', `m${request}`, 1]],
  });
  const connected = (connection: number, instance: string): HistoryRecord => ({
    type: 'connected',
    t: 0,
    client: `c${connection}`,
    user: `u${connection}`,
    connection,
    instance,
    epoch: 'e',
  });
  const ms = 1e6;

  it('tell acknowledgement from delivery, own instance from others, and before, during and after a fault', async () => {
    const history: HistoryRecord[] = [
      connected(0, 'a'),
      connected(1, 'a'),
      connected(2, 'b'),
      { type: 'phase', t: 0, phase: 'load' },
    ];
    const phases = [0, 2_000, 4_000].map((start) => start * ms);
    for (const [phase, start] of phases.entries()) {
      if (phase > 0) history.push({ type: 'fault', t: start, at: phase === 1 ? 'begin' : 'end', fault: 0, name: 'x' });
      for (let i = 0; i < 100; i++) {
        const request = phase * 100 + i + 1;
        const t = start + (i + 1) * 10 * ms;
        history.push(send(request, t), ok(request, t + (phase + 1) * ms));
        history.push(deliver(request, t + (phase + 1) * 2 * ms, 1), deliver(request, t + (phase + 1) * 100 * ms, 2));
      }
    }
    const { quantileMs, timeline } = await judge(history);
    for (const [phase, span] of (['before', 'during', 'after'] as const).entries()) {
      for (const share of [0.5, 0.99]) {
        expect(quantileMs('ack', span, share)).toBeCloseTo(phase + 1, 1);
        expect(quantileMs('same', span, share) / (2 * (phase + 1))).toBeCloseTo(1, 1);
        expect(quantileMs('cross', span, share) / (100 * (phase + 1))).toBeCloseTo(1, 1);
      }
    }
    expect(timeline.faults).toEqual([{ name: 'x', from: 2, to: 4 }]);
    expect(timeline.seconds.reduce((sum, { acked }) => sum + acked, 0)).toBe(300);
    expect(timeline.seconds.reduce((sum, { delivered }) => sum + delivered, 0)).toBe(600);
  });

  it('tell apart what a fault of one instance does to its clients and to those of others', () => {
    const fault = { type: 'fault', fault: 0, name: 'b stopped', instance: 'b' } as const;
    const fromB = { ...send(2, 30 * ms), connection: 2 } as HistoryRecord;
    const history: HistoryRecord[] = [
      connected(0, 'a'),
      connected(1, 'a'),
      connected(2, 'b'),
      { type: 'phase', t: 0, phase: 'load' },
      { ...fault, t: 10 * ms, at: 'begin' },
      send(1, 20 * ms),
      ok(1, 21 * ms),
      deliver(1, 22 * ms, 1),
      fromB,
      deliver(1, 920 * ms, 2),
      ok(2, 930 * ms),
      { ...fault, t: 940 * ms, at: 'end' },
      send(3, 950 * ms),
      ok(3, 955 * ms),
    ];
    const { counts, figures } = judgeOne('C14', history);
    expect(counts).toMatchObject({ 'ack beside': 1, 'ack during': 1, 'ack after': 1, 'same beside': 1 });
    expect(counts['cross beside']).toBeUndefined();
    expect(figures['ack during max']).toBe(900);
    expect(figures['cross during max']).toBe(900);
  });

  it('excuse late answers of the instance that a fault silences, and of no other', () => {
    const fault = { type: 'fault', fault: 0, name: 'b stopped', instance: 'b', silences: true } as const;
    const late = (connection: number): HistoryRecord[] => [
      connected(0, 'a'),
      connected(2, 'b'),
      { ...fault, t: 10 * ms, at: 'begin' },
      { ...send(1, 20 * ms), connection } as HistoryRecord,
      { ...fault, t: 7_000 * ms, at: 'end' },
      ok(1, 7_010 * ms),
    ];
    expect(judgeOne('C13', late(2)).counts['late, excused']).toBe(1);
    expect(judgeOne('C13', late(2)).ok).toBe(true);
    expect(judgeOne('C13', late(0)).violations).toMatchObject([{ what: 'answered late' }]);
  });

  it('tell how fast a process that lived long enough grows once it is warm', () => {
    const minute = 60_000 * ms;
    const sample = (instance: string, pid: number, t: number, rss: number): HistoryRecord => ({
      type: 'sample',
      t,
      instance,
      pid,
      values: { rss },
    });
    const history: HistoryRecord[] = [{ type: 'phase', t: 0, phase: 'load' }];
    for (let t = 0; t <= 60; t++) {
      // 90 to 110 MB in three quarters of an hour, after a start that grew much faster.
      history.push(sample('a', 1, t * minute, t < 15 ? 10e6 + t * 5e6 : 90e6 + ((t - 15) * 20e6) / 45));
      history.push(sample('b', t < 40 ? 2 : 3, t * minute, 100e6));
      if (t > 40) history.push(sample('c', 4, t * minute, 100e6 + t * 50e6));
    }
    history.push({ type: 'phase', t: 60 * minute, phase: 'settle' });
    const { figures } = judgeOne('C11', history);
    expect(figures['rss %/h a']).toBeCloseTo((100 * (20 / 45) * 60) / 100, 1);
    expect(figures['rss %/h b']).toBeCloseTo(0);
    expect(figures['rss %/h c']).toBeUndefined();
  });

  it('tell how long clients were away, and how late the last message of a fault came', () => {
    const history: HistoryRecord[] = [
      connected(0, 'a'),
      connected(1, 'b'),
      send(1, 10 * ms),
      { type: 'fault', t: 5 * ms, at: 'begin', fault: 0, name: 'x' },
      { type: 'disconnected', t: 20 * ms, client: 'c1', connection: 1, reason: 'transport close' },
      { type: 'fault', t: 100 * ms, at: 'end', fault: 0, name: 'x' },
      { ...connected(2, 'a'), client: 'c1', user: 'u1', t: 200 * ms } as HistoryRecord,
      {
        ...deliver(1, 220 * ms, 2),
        type: 'sync',
        client: 'c1',
        request: 9,
        reset: false,
        more: false,
      } as HistoryRecord,
      { type: 'live', t: 230 * ms, client: 'c1', connection: 2 },
    ];
    const { figures } = judgeOne('C14', history);
    expect(figures['away max']).toBe(210);
    expect(figures['backlog']).toBe(120);
    // An edit of it, much later, is no late arrival of what was sent.
    const edited = structuredClone(deliver(1, 900 * ms, 2)) as HistoryRecord & { type: 'deliver' };
    for (const change of edited.changes) if (change[0] === 'm') change.push(0, 2);
    expect(judgeOne('C14', [...history, edited]).figures['backlog']).toBe(120);
    // Nor is the snapshot of who joins later; that of who holds the room and has to begin anew is one.
    const snapshot = (client: string) =>
      ({
        ...deliver(1, 900 * ms, 2),
        ...{ type: 'sync', client, request: 10, reset: true, more: false },
      }) as HistoryRecord;
    expect(judgeOne('C14', [...history, snapshot('c3')]).figures['backlog']).toBe(120);
    expect(judgeOne('C14', [...history, snapshot('c1')]).figures['backlog']).toBe(800);
    const { room } = deliver(1, 0, 2) as HistoryRecord & { type: 'deliver' };
    const joins = { ...send(2, 890 * ms), send: undefined, membership: { room, user: 'u1', on: true } };
    expect(judgeOne('C14', [...history, joins as HistoryRecord, snapshot('c1')]).figures['backlog']).toBe(120);
  });
});
