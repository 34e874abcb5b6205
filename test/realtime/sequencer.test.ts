import fc from 'fast-check';
import {
  ChangeLog,
  type ChangeRange,
  type ChangeSlice,
  type Joins,
  type Standing,
} from '../../src/realtime/change-log.js';
import type { Change, RoomChanges } from '../../src/protocol/index.js';
import { Sequencer } from '../../src/realtime/sequencer.js';

const roomId = '01890000-0000-7000-8000-000000000001';

const changeOf = (rev: number): Change => ({
  rev,
  kind: 'message',
  message: {
    roomId,
    seq: rev,
    rev,
    sender: { id: roomId, name: 'ann' },
    clientMsgId: `m${rev}`,
    text: String(rev),
    createdAt: '2026-01-01T00:00:00.000Z',
    deletedAt: null,
  },
});

const frameOf = (after: number, upTo: number): RoomChanges => ({
  roomId,
  after,
  upTo,
  changes: Array.from({ length: upTo - after }, (_, i) => changeOf(after + 1 + i)),
});

/** One room whose every change is a message; a read may be made to fail. */
class FakeLog extends ChangeLog {
  head = 0;
  failing = 0;
  reads = 0;

  override standings(): Promise<Map<string, Standing>> {
    return Promise.resolve(new Map([[roomId, { head: this.head, memberRev: 1, visibleAfter: 0 }]]));
  }

  override ahead(revs: ReadonlyMap<string, number>): Promise<Map<string, number>> {
    return Promise.resolve(new Map([...revs].filter(([, rev]) => rev < this.head).map(([id]) => [id, this.head])));
  }

  override joins(): Promise<Joins> {
    return Promise.resolve({ joined: [], lookedAt: '2026-01-01T00:00:00.000Z' });
  }

  override readMany(ranges: readonly ChangeRange[], limit: number): Promise<ChangeSlice[]> {
    this.reads += 1;
    if (this.failing > 0) {
      this.failing -= 1;
      return Promise.reject(new Error('the database is away'));
    }
    return Promise.resolve(
      ranges.map(({ after, upTo }) => {
        const reach = Math.min(upTo, this.head, after + limit);
        return { changes: frameOf(after, Math.max(after, reach)).changes, upTo: reach };
      }),
    );
  }
}

/** A sequencer with one local socket, and what that socket was sent. */
function listening(): {
  log: FakeLog;
  sequencer: Sequencer;
  frames: RoomChanges[];
  until: (rev: number) => Promise<void>;
  leave: () => void;
} {
  const log = new FakeLog();
  const frames: RoomChanges[] = [];
  let present = true;
  let wake = (): void => undefined;
  const sequencer = new Sequencer(
    log,
    (frame) => {
      frames.push(frame);
      wake();
    },
    () => present,
  );
  return {
    log,
    sequencer,
    frames,
    until: async (rev) => {
      while ((frames.at(-1)?.upTo ?? 0) < rev) await new Promise<void>((resolve) => (wake = resolve));
    },
    leave: () => {
      present = false;
      sequencer.forgetIfEmpty(roomId);
    },
  };
}

const revsOf = (frames: RoomChanges[]): number[] => frames.flatMap(({ changes }) => changes.map(({ rev }) => rev));
const upTo = (rev: number): number[] => Array.from({ length: rev }, (_, i) => i + 1);

describe('the sequencer', () => {
  it('delivers every change once and in order, whatever comes twice, late, swapped or never', async () => {
    // A plan cuts the room's changes into frames; each frame comes any number of times, at any place.
    const plan = fc.array(fc.record({ size: fc.integer({ min: 1, max: 4 }), copies: fc.integer({ min: 0, max: 2 }) }), {
      minLength: 1,
      maxLength: 25,
    });
    await fc.assert(
      fc.asyncProperty(plan, fc.infiniteStream(fc.nat()), async (pieces, dice: Iterator<number>) => {
        const { log, sequencer, frames, until } = listening();
        await sequencer.enter(new Map([[roomId, 0]]), () => undefined);
        let end = 0;
        const arrivals = pieces.flatMap(({ size, copies }) => {
          const frame = frameOf(end, end + size);
          end += size;
          return Array.from({ length: copies }, () => frame);
        });
        log.head = end;
        const shuffled = arrivals
          .map((frame) => ({ frame, at: dice.next().value as number }))
          .sort((a, b) => a.at - b.at);
        for (const { frame } of shuffled) sequencer.offer(frame);
        await sequencer.reconcile();
        await until(end);
        sequencer.close();
        expect(revsOf(frames)).toEqual(upTo(end));
        frames.forEach((frame, i) => expect(frame.after).toBe(frames[i - 1]?.upTo ?? 0));
      }),
      { numRuns: 60 },
    );
  });

  it('reads what never came when a later frame shows the gap', async () => {
    const { log, sequencer, frames, until } = listening();
    await sequencer.enter(new Map([[roomId, 0]]), () => undefined);
    log.head = 5;
    sequencer.offer(frameOf(3, 5));
    await until(5);
    sequencer.close();
    expect(revsOf(frames)).toEqual([1, 2, 3, 4, 5]);
  });

  it('asks again when the database fails', async () => {
    const { log, sequencer, frames, until } = listening();
    await sequencer.enter(new Map([[roomId, 0]]), () => undefined);
    log.head = 3;
    log.failing = 2;
    sequencer.offer(frameOf(2, 3));
    await until(3);
    sequencer.close();
    expect(revsOf(frames)).toEqual([1, 2, 3]);
    expect(log.reads).toBe(3);
  });

  it('tells a joining socket the place from which it will be sent everything', async () => {
    const { log, sequencer, frames, until } = listening();
    log.head = 7;
    const joining = sequencer.enter(new Map([[roomId, 7]]), () => undefined);
    sequencer.offer(frameOf(7, 9));
    log.head = 9;
    const place = (await joining).get(roomId) ?? 0;
    await sequencer.reconcile();
    sequencer.offer(frameOf(9, 10));
    log.head = 10;
    await until(10);
    sequencer.close();
    expect(revsOf(frames).filter((rev) => rev > place)).toEqual(upTo(10).slice(place));
  });

  it('does not believe a frame that names a rev nobody committed (S-52)', async () => {
    const { log, sequencer, frames, until } = listening();
    await sequencer.enter(new Map([[roomId, 0]]), () => undefined);
    sequencer.offer({ roomId, after: 1_000_000, upTo: 1_000_001, changes: [] });
    log.head = 2;
    sequencer.offer(frameOf(0, 2));
    await until(2);
    log.head = 3;
    sequencer.offer(frameOf(2, 3));
    await until(3);
    sequencer.close();
    expect(revsOf(frames)).toEqual([1, 2, 3]);
  });

  it('does not deliver what was forged for a rev when that rev comes to be (S-52)', async () => {
    const { log, sequencer, frames, until } = listening();
    await sequencer.enter(new Map([[roomId, 0]]), () => undefined);
    const forged = { ...frameOf(2, 3), changes: [{ ...changeOf(3), kind: 'room' as const, room: {} as never }] };
    sequencer.offer(forged);
    log.head = 1;
    await until(1);
    // It is found out when nothing more is to be read.
    while (sequencer.load.held > 0) await new Promise((resolve) => setImmediate(resolve));
    log.head = 3;
    for (const rev of [2, 3]) sequencer.offer(frameOf(rev - 1, rev));
    await until(3);
    sequencer.close();
    expect(revsOf(frames)).toEqual([1, 2, 3]);
    expect(frames.flatMap(({ changes }) => changes.map(({ kind }) => kind))).toEqual(['message', 'message', 'message']);
  });

  it('reads what is missing in many rooms fifty at a time', async () => {
    const { log, sequencer, frames } = listening();
    const roomIds = Array.from({ length: 120 }, (_, i) => `room ${i}`);
    await sequencer.enter(new Map(roomIds.map((id) => [id, 0])), () => undefined);
    log.head = 1;
    await sequencer.reconcile();
    sequencer.close();
    expect(frames.map(({ roomId: id }) => id)).toEqual(roomIds);
    expect(log.reads).toBe(3);
  });

  it('keeps nothing of a room after its last socket left, and a bounded number of early changes before', async () => {
    const { log, sequencer, leave } = listening();
    await sequencer.enter(new Map([[roomId, 0]]), () => undefined);
    log.failing = Number.POSITIVE_INFINITY;
    for (let rev = 1; rev < 5_000; rev++) sequencer.offer(frameOf(rev, rev + 1));
    expect(sequencer.load).toEqual({ rooms: 1, held: 1_000 });
    leave();
    expect(sequencer.load).toEqual({ rooms: 0, held: 0 });
    sequencer.close();
  });
});
