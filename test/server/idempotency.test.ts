import { SentMessage, type RequestInput } from '../../src/protocol/index.js';
import { DataSource } from 'typeorm';
import { poolOf } from '../../src/database/data-source.js';
import { Cluster } from './cluster.js';

let cluster: Cluster;
beforeAll(async () => (cluster = await Cluster.start(3)));
afterEach(() => cluster.hangUp());
afterAll(() => cluster.stop());

async function roomOfAnn(): Promise<string> {
  const ann = await cluster.connect('ann');
  return (await ann.ask('room:create', { name: 'Retries' })).room.id;
}

const rowsOf = (roomId: string) =>
  cluster.query<{ seq: number; text: string }>('select seq::int, text from messages where room_id = $1 order by seq', [
    roomId,
  ]);

describe('a send that is tried again', () => {
  it('is kept once of fifty at the same time through three instances, and all are told the same', async () => {
    const roomId = await roomOfAnn();
    const devices = await Promise.all([0, 1, 2].map((instance) => cluster.connect('ann', instance)));
    for (let round = 1; round <= 5; round++) {
      const send = { roomId, clientMsgId: `round-${round}`, text: `Round ${round}` };
      const replies = await Promise.all(
        Array.from({ length: 50 }, async (_, i) => devices[i % 3]?.ask('message:send', send)),
      );
      expect(replies.filter((reply) => reply?.duplicate === false).length).toBe(1);
      expect(new Set(replies.map((reply) => JSON.stringify(reply?.message))).size).toBe(1);
      expect(replies[0]?.message).toMatchObject({ seq: round, rev: round + 2, text: send.text });
    }
    expect(await rowsOf(roomId)).toEqual([1, 2, 3, 4, 5].map((seq) => ({ seq, text: `Round ${seq}` })));
    for (const device of devices) {
      await device.until(() => device.textsOf(roomId).length >= 5);
      expect(device.textsOf(roomId)).toEqual([1, 2, 3, 4, 5].map((seq) => `Round ${seq}`));
    }
  });

  it('is answered with its own message when many are tried again at once, in few queries', async () => {
    const rooms = [await roomOfAnn(), await roomOfAnn()];
    const ann = await cluster.connect('ann');
    const sends = Array.from({ length: 50 }, (_, i) => ({
      roomId: rooms[i % 2] ?? '',
      clientMsgId: `m${i}`,
      text: `Text ${i}`,
    }));
    const sendAll = () => Promise.all(sends.map((send) => ann.ask('message:send', send)));
    const first = await sendAll();
    const pool = poolOf(cluster.instances[0]?.app.get(DataSource) as DataSource);
    let queries = 0;
    const count = () => (queries += 1);
    pool.on('acquire', count);
    const again = await sendAll();
    pool.off('acquire', count);
    expect(again).toEqual(first.map((sent) => ({ ...sent, duplicate: true })));
    expect(queries).toBeGreaterThan(0);
    expect(queries).toBeLessThan(20);
  });

  it('is kept once when it is tried through the socket and through REST', async () => {
    const roomId = await roomOfAnn();
    const body = { clientMsgId: 'both-ways', text: 'Once' };
    const socket = await cluster.connect('ann', 1);
    const first = await socket.ask('message:send', { roomId, ...body });
    const rest = await cluster.rest('ann', 2);
    const path = `/v1/rooms/${roomId}/messages`;
    expect(await rest.ok('POST', path, SentMessage, body)).toEqual({ ...first, duplicate: true });
    expect(await rest.ok('POST', path, SentMessage, { clientMsgId: 'rest', text: 'First by REST' })).toMatchObject({
      duplicate: false,
      message: { seq: 2 },
    });
    const again = await socket.ask('message:send', { roomId, clientMsgId: 'rest', text: 'First by REST' });
    expect(again).toMatchObject({ duplicate: true, message: { seq: 2 } });
    expect((await rest.refused('POST', path, { ...body, text: 'Twice' })).code).toBe('idempotency_mismatch');
  });

  it('is told that it was another message, before and after that was deleted', async () => {
    const roomId = await roomOfAnn();
    const ann = await cluster.connect('ann');
    const send: RequestInput<'message:send'> = { roomId, clientMsgId: 'one', text: 'This' };
    await ann.ask('message:send', send);
    expect(await ann.refusal('message:send', { ...send, text: 'That' })).toMatchObject({
      code: 'idempotency_mismatch',
      retryable: false,
    });
    const { message } = await ann.ask('message:delete', { roomId, seq: 1 });
    expect((await ann.refusal('message:send', { ...send, text: 'That' })).code).toBe('idempotency_mismatch');
    expect((await ann.refusal('message:send', { ...send, text: 'this' })).code).toBe('idempotency_mismatch');
    expect(await ann.ask('message:send', send)).toEqual({ message, duplicate: true });
    expect(await rowsOf(roomId)).toEqual([{ seq: 1, text: '' }]);
  });

  it('of which one says this and one that at the same time keeps one of them', async () => {
    const roomId = await roomOfAnn();
    const devices = await Promise.all([0, 1, 2].map((instance) => cluster.connect('ann', instance)));
    const replies = await Promise.all(
      Array.from({ length: 30 }, async (_, i) =>
        devices[i % 3]?.reply('message:send', { roomId, clientMsgId: 'torn', text: i % 2 === 0 ? 'this' : 'that' }),
      ),
    );
    const [kept, ...others] = await rowsOf(roomId);
    expect(others).toEqual([]);
    replies.forEach((reply, i) => {
      const mine = (i % 2 === 0 ? 'this' : 'that') === kept?.text;
      expect(reply?.ok === true ? 'ok' : reply?.error.code).toBe(mine ? 'ok' : 'idempotency_mismatch');
    });
  });

  it('may differ in how its letters are composed', async () => {
    const roomId = await roomOfAnn();
    const ann = await cluster.connect('ann');
    const send = (text: string) => ann.ask('message:send', { roomId, clientMsgId: 'letters', text });
    expect(await send('Cafe\u0301 \u1112\u1161\u11ab')).toMatchObject({
      duplicate: false,
      message: { text: 'Caf\u00e9 \ud55c' },
    });
    expect(await send('Caf\u00e9 \ud55c')).toMatchObject({ duplicate: true, message: { seq: 1 } });
  });

  it('is its sender’s and its room’s own: the same name elsewhere is another message (S-59)', async () => {
    const [roomId, otherId] = [await roomOfAnn(), await roomOfAnn()];
    const [ann, ben] = [await cluster.connect('ann'), await cluster.connect('ben', 1)];
    await ben.ask('room:join', { roomId });
    const send = { clientMsgId: 'same', text: 'The same' };
    const sent = [
      await ann.ask('message:send', { roomId, ...send }),
      await ben.ask('message:send', { roomId, ...send }),
      await ann.ask('message:send', { roomId: otherId, ...send }),
    ];
    expect(sent.map(({ duplicate, message }) => [duplicate, message.seq, message.sender.name])).toEqual([
      [false, 1, 'ann'],
      [false, 2, 'ben'],
      [false, 1, 'ann'],
    ]);
  });

  it('tells nobody else whether there is a message under it (S-59)', async () => {
    const ann = await cluster.connect('ann');
    const stranger = await cluster.connect('stranger', 1);
    for (const visibility of ['private', 'public'] as const) {
      const roomId = (await ann.ask('room:create', { name: 'Hers', visibility })).room.id;
      await ann.ask('message:send', { roomId, clientMsgId: 'taken', text: 'The same' });
      const answers = ['taken', 'free'].map((clientMsgId) =>
        stranger.refusal('message:send', { roomId, clientMsgId, text: 'The same' }),
      );
      const [taken, free] = await Promise.all(answers);
      expect(taken).toEqual(free);
      expect(taken?.code).toBe(visibility === 'private' ? 'not_found' : 'not_member');
    }
  });

  it('is found also by a sender who has left since', async () => {
    const roomId = await roomOfAnn();
    const ben = await cluster.connect('ben', 1);
    await ben.ask('room:join', { roomId });
    const send = { roomId, clientMsgId: 'parting', text: 'Goodbye' };
    const { message } = await ben.ask('message:send', send);
    await ben.ask('room:leave', { roomId });
    expect(await ben.ask('message:send', send)).toEqual({ message, duplicate: true });
    expect((await ben.refusal('message:send', { ...send, clientMsgId: 'more' })).code).toBe('not_member');
  });

  it('is not remembered when it was refused', async () => {
    const roomId = await roomOfAnn();
    const ben = await cluster.connect('ben');
    const send = { roomId, clientMsgId: 'early', text: 'Too early' };
    expect((await ben.refusal('message:send', send)).code).toBe('not_member');
    expect((await ben.refusal('message:send', { ...send, text: ' ' })).code).toBe('invalid_argument');
    await ben.ask('room:join', { roomId });
    expect(await ben.ask('message:send', { ...send, text: 'In time' })).toMatchObject({ duplicate: false });
  });
});
