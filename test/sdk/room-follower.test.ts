import fc from 'fast-check';
import type { Change, Reply, RoomChanges, RoomSnapshot, RoomSynced } from '../../src/protocol/index.js';
import { RoomFollower, type FollowerHost } from '../../sdk/rooms/room-follower.js';
import { RoomModel } from '../../sdk/rooms/room-state.js';
import { member, message, readState, room, roomId, settled, snapshot, time, userNumber } from './samples.js';

const policy = { baseMs: 1, capMs: 1, random: () => 0 };
const syncPage = 4;

/** A room as the server keeps it: current rows, each with the rev of its latest change. */
class ServerRoom {
  readonly rows = new Map<string, Change>();
  readonly frames: RoomChanges[] = [];
  rev = 0;
  private seq = 0;

  commit(kinds: number[]): void {
    const after = this.rev;
    const changes = kinds.map((kind) => this.change(kind));
    this.frames.push({ roomId, after, upTo: this.rev, changes });
  }

  /** In a coalesced answer each row appears once, at its latest rev. */
  sync(after: number | undefined): RoomSynced {
    if (after === undefined || after > this.rev) return this.snapshot();
    const missed = [...this.rows.values()].filter(({ rev }) => rev > after).sort((a, b) => a.rev - b.rev);
    const changes = missed.slice(0, syncPage);
    const more = missed.length > changes.length;
    return {
      reset: false,
      roomId,
      after,
      upTo: more ? (changes.at(-1)?.rev ?? after) : this.rev,
      changes,
      more,
      read: readState(),
    };
  }

  snapshot(): RoomSnapshot {
    return snapshot({
      upTo: this.rev,
      room: this.room,
      messages: this.messages,
      memberCount: this.memberCount,
    });
  }

  get memberCount(): number {
    return 1 + this.members.filter(({ leftAt }) => leftAt === null).length;
  }

  get messages() {
    const messages = [...this.rows.values()].flatMap((row) => (row.kind === 'message' ? [row.message] : []));
    return messages.sort((a, b) => a.seq - b.seq);
  }

  get members() {
    return [...this.rows.values()].flatMap((row) => (row.kind === 'member' ? [row.member] : []));
  }

  get room() {
    const row = this.rows.get('room');
    return row?.kind === 'room' ? row.room : room();
  }

  private change(kind: number): Change {
    const rev = ++this.rev;
    const pick = kind % 7;
    let change: Change;
    if (pick < 3 || this.seq === 0) change = { rev, kind: 'message', message: message(++this.seq, { rev }) };
    else if (pick < 5) {
      const seq = 1 + (kind % this.seq);
      change = { rev, kind: 'message', message: message(seq, { rev, text: '', deletedAt: time }) };
    } else if (pick === 5) change = { rev, kind: 'room', room: room({ rev, name: `name ${rev}` }) };
    else {
      const user = userNumber(kind % 3);
      change = { rev, kind: 'member', member: member({ rev, user, leftAt: kind % 2 ? time : null }), memberCount: 0 };
    }
    const key = change.kind === 'message' ? `message ${change.message.seq}` : change.kind;
    this.rows.set(change.kind === 'member' ? `member ${change.member.user.id}` : key, change);
    if (change.kind === 'member') change.memberCount = this.memberCount;
    return change;
  }
}

/** What stands between the two: asked requests wait until they are answered, in any state that the server has by then. */
class Wire implements FollowerHost {
  readonly applied: number[] = [];
  readonly asked: { after: number | undefined; answer: (reply: Reply<RoomSynced> | 'gone') => void }[] = [];
  resets = 0;
  refusals = 0;

  sync(_roomId: string, after: number | undefined): Promise<Reply<RoomSynced> | 'gone'> {
    return new Promise((answer) => this.asked.push({ after, answer }));
  }

  pause(): Promise<void> {
    return Promise.resolve();
  }

  settle(taken: RoomSnapshot, known: RoomModel | undefined): RoomModel {
    if (!known) return new RoomModel(taken, [], 500);
    this.resets += 1;
    known.reset(taken);
    return known;
  }

  changed(_roomId: string, change: Change): void {
    this.applied.push(change.rev);
  }

  refused(): void {
    this.refusals += 1;
  }
}

function followed(server: ServerRoom): { follower: RoomFollower; wire: Wire; model: RoomModel } {
  const wire = new Wire();
  const follower = new RoomFollower(roomId, wire, policy, true);
  follower.resume(server.snapshot());
  if (!follower.model) throw new Error('No model');
  return { follower, wire, model: follower.model };
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      kinds: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('deliver' as const), at: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat' as const), at: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('lose' as const), at: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('answer' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const) }) },
);

test('applies every change once and in rev order, and ends where the server is, whatever the wire does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const server = new ServerRoom();
      server.commit([0, 0, 6]);
      const { follower, wire, model } = followed(server);
      const start = server.rev;
      server.frames.length = 0;
      let delivered: RoomChanges[] = [];
      const deliver = (frame: RoomChanges | undefined) => {
        if (!frame) return;
        delivered.push(frame);
        follower.receive(frame);
      };
      for (const next of steps) {
        const at = 'at' in next ? next.at : 0;
        if (next.do === 'commit') server.commit(next.kinds);
        else if (next.do === 'deliver') deliver(server.frames.splice(at % (server.frames.length || 1), 1)[0]);
        else if (next.do === 'repeat') deliver(delivered[at % (delivered.length || 1)]);
        else if (next.do === 'lose') server.frames.splice(at % (server.frames.length || 1), 1);
        else if (next.do === 'answer') {
          const asked = wire.asked.shift();
          asked?.answer({ ok: true, data: server.sync(asked.after) });
        } else {
          for (const asked of wire.asked.splice(0)) asked.answer('gone');
          server.frames.length = 0;
          delivered = [];
          follower.restart();
          follower.resume(server.sync(model.cursor));
        }
        await settled();
      }
      // One more change that does arrive shows any gap; then everything that is asked is answered.
      server.commit([0]);
      deliver(server.frames.at(-1));
      for (let asked = wire.asked.shift(); asked; asked = wire.asked.shift()) {
        asked.answer({ ok: true, data: server.sync(asked.after) });
        await settled();
      }

      expect(wire.resets).toBe(0);
      expect(wire.applied).toEqual([...new Set(wire.applied)].sort((a, b) => a - b));
      expect(model.cursor).toBe(server.rev);
      const latest = [...server.rows.values()].map(({ rev }) => rev).filter((rev) => rev > start);
      expect(latest.filter((rev) => !wire.applied.includes(rev))).toEqual([]);
      expect(model.messages).toEqual(server.messages);
      expect(model.room).toEqual(server.room);
      for (const row of server.members) {
        if (row.rev > start) expect(model.members.get(row.user.id)).toEqual(row);
      }
    }),
    { numRuns: 300 },
  );
});

test('asks nothing while the frames follow on', () => {
  const server = new ServerRoom();
  const { follower, wire, model } = followed(server);
  for (let n = 0; n < 20; n++) server.commit([n, n + 1]);
  for (const frame of server.frames) follower.receive(frame);
  expect(wire.asked).toEqual([]);
  expect(wire.applied).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  expect(model.cursor).toBe(40);
});

test('asks once for a gap, and holds what comes meanwhile', async () => {
  const server = new ServerRoom();
  const { follower, wire, model } = followed(server);
  for (let n = 0; n < 3; n++) server.commit([0]);
  follower.receive(server.frames[1] as RoomChanges);
  follower.receive(server.frames[2] as RoomChanges);
  expect(wire.asked.map(({ after }) => after)).toEqual([0]);
  expect(wire.applied).toEqual([]);
  // The server read before the third change was there.
  wire.asked.shift()?.answer({
    ok: true,
    data: {
      reset: false,
      roomId,
      after: 0,
      upTo: 1,
      changes: (server.frames[0] as RoomChanges).changes,
      more: false,
      read: readState(),
    },
  });
  await settled();
  expect(wire.applied).toEqual([1, 2, 3]);
  expect(wire.asked).toEqual([]);
  expect(model.messages.map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

test('holds no more than a bounded number of changes, and fetches the rest', async () => {
  const server = new ServerRoom();
  const { follower, wire, model } = followed(server);
  for (let n = 0; n < 3_000; n++) server.commit([0]);
  const [first, ...others] = server.frames as [RoomChanges, ...RoomChanges[]];
  for (const frame of others) follower.receive(frame);
  wire.asked.shift()?.answer({ ok: true, data: { reset: false, ...first, more: false, read: readState() } });
  await settled();
  expect(model.cursor).toBe(1_001);
  for (let asked = wire.asked.shift(); asked; asked = wire.asked.shift()) {
    asked.answer({ ok: true, data: server.sync(asked.after) });
    await settled();
  }
  expect(model.cursor).toBe(3_000);
  expect(wire.applied).toHaveLength(3_000);
});

test('fetches page after page, although nobody tells of the room meanwhile', async () => {
  const server = new ServerRoom();
  const { follower, wire, model } = followed(server);
  server.commit(new Array<number>(10).fill(0));
  follower.restart();
  follower.resume(server.sync(0));
  for (let asked = wire.asked.shift(); asked; asked = wire.asked.shift()) {
    asked.answer({ ok: true, data: server.sync(asked.after) });
    await settled();
  }
  expect(wire.applied).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(model.cursor).toBe(10);
});

test('moves to the end of a frame, also where it has no change', () => {
  const { follower, wire, model } = followed(new ServerRoom());
  follower.receive({
    roomId,
    after: 0,
    upTo: 3,
    changes: [{ rev: 2, kind: 'message', message: message(1, { rev: 2 }) }],
  });
  follower.receive({ roomId, after: 3, upTo: 4, changes: [] });
  expect(model.cursor).toBe(4);
  expect(wire.asked).toEqual([]);
});

test('applies nothing any more once it is stopped', async () => {
  const server = new ServerRoom();
  const { follower, wire, model } = followed(server);
  server.commit([0]);
  void follower.pull();
  follower.stop();
  wire.asked.shift()?.answer({ ok: true, data: server.sync(0) });
  await settled();
  expect(wire.applied).toEqual([]);
  expect(model.messages).toEqual([]);
});

test('asks for a snapshot of a room that it hears of before it knows it', async () => {
  const server = new ServerRoom();
  server.commit([0, 0]);
  const wire = new Wire();
  const follower = new RoomFollower(roomId, wire, policy, false);
  follower.receive(server.frames[0] as RoomChanges);
  expect(wire.asked.map(({ after }) => after)).toEqual([undefined]);
  wire.asked.shift()?.answer({ ok: true, data: server.sync(undefined) });
  await settled();
  expect(follower.model?.messages.map(({ seq }) => seq)).toEqual([1, 2]);
  expect(wire.applied).toEqual([]);
});

test('starts from the snapshot when the server says that the cursor is void, even if it lies behind', async () => {
  const server = new ServerRoom();
  server.commit([0, 0, 0]);
  const { follower, wire, model } = followed(server);
  const restored = new ServerRoom();
  restored.commit([0]);
  const said = restored.sync(undefined);
  follower.restart();
  // To the void cursor this frame looks old; it is newer than the snapshot.
  restored.commit([0]);
  follower.receive(restored.frames.at(-1) as RoomChanges);
  follower.resume(said);
  expect(wire.resets).toBe(1);
  await settled();
  expect(wire.applied).toEqual([2]);
  expect(model.cursor).toBe(2);
  expect(model.messages.map(({ seq }) => seq)).toEqual([1, 2]);
});

test('gives a room up that the server refuses, and tries again after any other failure', async () => {
  const wire = new Wire();
  const follower = new RoomFollower(roomId, wire, policy, false);
  void follower.pull();
  wire.asked.shift()?.answer({ ok: false, error: { code: 'internal', message: 'Oh', retryable: false } });
  await settled();
  expect([wire.refusals, wire.asked.length]).toEqual([0, 1]);
  wire.asked.shift()?.answer({ ok: false, error: { code: 'not_member', message: 'No', retryable: false } });
  await settled();
  expect(wire.refusals).toBe(1);
});
