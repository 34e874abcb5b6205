import fc from 'fast-check';
import pg from 'pg';
import { uuidv7 } from 'uuidv7';
import type { Reply, SentMessage } from '../../src/protocol/index.js';
import type { PlainClient } from '../client.js';
import { Cluster } from './cluster.js';

let cluster: Cluster;
beforeAll(async () => (cluster = await Cluster.start(1)));
afterEach(() => cluster.hangUp());
afterAll(() => cluster.stop());

const roomOf = async (client: PlainClient): Promise<string> =>
  (await client.ask('room:create', { name: 'Room' })).room.id;

/** Of all sends in their order: the code of a refusal, or the seq. */
async function outcomesOf(
  client: PlainClient,
  sends: { roomId: string; text: string }[],
): Promise<(string | number)[]> {
  const replies = (await Promise.all(
    sends.map(({ roomId, text }) => client.reply('message:send', { roomId, clientMsgId: text, text })),
  )) as Reply<SentMessage>[];
  return replies.map((reply) => (reply.ok ? reply.data.message.seq : reply.error.code));
}

/** Sends of nobody's on a connection of its own, which plans the statement at the first. */
class Planned {
  private constructor(private readonly client: pg.Client) {}

  static async connect(): Promise<Planned> {
    const client = new pg.Client({ connectionString: cluster.databaseUrl });
    await client.connect();
    return new Planned(client);
  }

  /** Rows that a send to the room reads of each table. */
  async read(roomId: string): Promise<Record<string, number>> {
    const { client } = this;
    await client.query('begin');
    await client.query('select from send_messages($1, $2, $3, $4, $3, false)', [
      [roomId],
      [uuidv7()],
      ['a'],
      [Buffer.alloc(16)],
    ]);
    const { rows } = await client.query<{ relname: string; read: number }>(
      `select relname, (coalesce(seq_scan, 0) * 1000 + coalesce(idx_tup_fetch, 0))::int as read
       from pg_stat_xact_user_tables where relname in ('rooms', 'memberships', 'messages')`,
    );
    await client.query('rollback');
    return Object.fromEntries(rows.map(({ relname, read }) => [relname, read]));
  }

  end(): Promise<void> {
    return this.client.end();
  }
}

// First, as long as nothing is stored.
it('are looked up one by one, by index, also where the plan is made while the tables are empty or small', async () => {
  await cluster.query('vacuum analyze rooms, memberships, messages');
  const early = await Planned.connect();
  expect(await early.read(uuidv7())).toEqual({ rooms: 0, memberships: 0, messages: 0 });
  const ann = await cluster.connect('ann');
  const roomId = await roomOf(ann);
  const say = (id: string) => ann.ask('message:send', { roomId, clientMsgId: id, text: 'x' });
  try {
    for (const messages of [2, 20]) {
      await Promise.all(Array.from({ length: messages }, (_, i) => say(`${messages}-${i}`)));
      // There is one room, with one member; whichever way these are found.
      expect(await early.read(roomId)).toMatchObject({ messages: 0 });
      await cluster.query('analyze rooms, memberships, messages');
      const late = await Planned.connect();
      try {
        expect(await late.read(roomId)).toMatchObject({ messages: 0 });
      } finally {
        await late.end();
      }
    }
  } finally {
    await early.end();
  }
});

it('of any text and clientMsgId are stored as they were sent, whatever shares their commit (S-34, S-35)', async () => {
  const ann = await cluster.connect('ann');
  const hostile = ['"', '\\', '\\"', '{}', '{"a","b"}', 'NULL', ',', "'", '\n', '\\x00', '👩‍👩‍👧', 'a\tb', '$1', '%'];
  const text = fc.oneof(
    fc.constantFrom(...hostile),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }).filter((any) => !any.includes('\0')),
  );
  const clientMsgId = fc
    .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 64 })
    .filter((any) => !any.includes(' '));
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.record({ text, clientMsgId }), { selector: (each) => each.clientMsgId, maxLength: 20 }),
      async (written) => {
        const sends = written.filter((each) => each.text.trim() !== '');
        const roomId = await roomOf(ann);
        const sent = await Promise.all(sends.map((send) => ann.ask('message:send', { roomId, ...send })));
        const expected = sends.map((send) => ({ clientMsgId: send.clientMsgId, text: send.text.normalize('NFC') }));
        const parts = (message: SentMessage['message']) => ({ clientMsgId: message.clientMsgId, text: message.text });
        expect(sent.map(({ message }) => parts(message))).toEqual(expected);
        const { messages } = await ann.ask('history:get', { roomId });
        expect(messages.map(parts)).toEqual(expected);
        const again = await Promise.all(sends.map((send) => ann.ask('message:send', { roomId, ...send })));
        expect(again).toEqual(sent.map((first) => ({ ...first, duplicate: true })));
      },
    ),
    { numRuns: 20 },
  );
});

it('that share a commit are judged each by itself, and numbered without a gap', async () => {
  const [ann, ben] = [await cluster.connect('ann'), await cluster.connect('ben')];
  const [own, other, foreign, archived] = [await roomOf(ann), await roomOf(ann), await roomOf(ben), await roomOf(ann)];
  const { room: hidden } = await ben.ask('room:create', { name: 'Hidden', visibility: 'private' });
  await cluster.query('update rooms set archived_at = now() where id = $1', [archived]);
  await ann.ask('message:send', { roomId: own, clientMsgId: 'before', text: 'before' });
  await ann.ask('message:send', { roomId: own, clientMsgId: 'other', text: 'of another text' });
  const unknown = uuidv7();
  const sends = [own, foreign, other, hidden.id, own, archived, unknown, own, other].map((roomId, i) => ({
    roomId,
    text: `m${i}`,
  }));
  sends.splice(4, 0, { roomId: own, text: 'before' }, { roomId: own, text: 'other' });
  const expected = [3, 'not_member', 1, 'not_found', 1, 'idempotency_mismatch', 4, 'room_archived', 'not_found', 5, 2];
  expect(await outcomesOf(ann, sends)).toEqual(expected);
  const heads = await cluster.query('select seq::int, rev::int from rooms where id = any($1) order by seq', [
    [own, other],
  ]);
  expect(heads).toEqual([
    { seq: 2, rev: 4 },
    { seq: 5, rev: 7 },
  ]);
});

it('to a room that somebody has locked wait, those beside them in the commit do not', async () => {
  const ann = await cluster.connect('ann');
  const rooms = await Promise.all(Array.from({ length: 8 }, () => roomOf(ann)));
  const [locked = '', ...free] = rooms;
  const lock = await cluster.hold('select from rooms where id = $1 for update', [locked]);
  const late = outcomesOf(ann, [
    { roomId: locked, text: 'a' },
    { roomId: locked, text: 'b' },
  ]);
  expect(
    await outcomesOf(
      ann,
      [...free, ...free].map((roomId, i) => ({ roomId, text: `m${i}` })),
    ),
  ).toEqual([...free.map(() => 1), ...free.map(() => 2)]);
  await lock.waitedFor();
  const behind = outcomesOf(ann, [{ roomId: locked, text: 'c' }]);
  await lock.release();
  expect([...(await late), ...(await behind)]).toEqual([1, 2, 3]);
});
