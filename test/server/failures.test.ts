import { uuidv7 } from 'uuidv7';
import { limits, type Reply, type SentMessage } from '../../src/protocol/index.js';
import type { PlainClient } from '../client.js';
import { TcpProxy } from '../../verify/proxy/tcp-proxy.js';
import { Random } from '../../verify/random.js';
import { createDatabase } from '../environment/database.js';
import { startInstance } from '../instance.js';
import { Cluster } from './cluster.js';

const secret = 'relation "accounts" of host db-7.internal';
const roomOf = async (client: PlainClient): Promise<string> =>
  (await client.ask('room:create', { name: 'Room' })).room.id;
const codeOf = (reply: Reply<unknown>): string => (reply.ok ? 'ok' : reply.error.code);

describe('when the database refuses', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start(1, { logLevel: 'error' });
    // Raises on a magic text or name, as a fault of ours would.
    await cluster.query(`create function poison() returns trigger language plpgsql as $$ begin
      if to_jsonb(new)->>'text' = 'poison' or to_jsonb(new)->>'name' = 'poison' then raise exception '${secret}'; end if;
      return new; end $$`);
    await cluster.query(
      'create trigger poison before insert or update on messages for each row execute function poison()',
    );
    await cluster.query(
      'create trigger poison before insert or update on rooms for each row execute function poison()',
    );
  });
  afterEach(() => cluster.hangUp());
  afterAll(() => cluster.stop());
  /** As another instance that stores messages in it. */
  const holdRoom = (roomId: string) => cluster.hold('select from rooms where id = $1 for no key update', [roomId]);

  it('answers internal, without its text (S-39)', async () => {
    const client = await cluster.connect('ann');
    const roomId = await roomOf(client);
    const replies = await Promise.all([
      client.reply('message:send', { roomId, clientMsgId: 'a', text: 'poison' }),
      client.reply('room:create', { name: 'poison' }),
      client.reply('room:update', { roomId, name: 'poison' }),
    ]);
    for (const reply of replies) {
      expect(codeOf(reply)).toBe('internal');
      expect(JSON.stringify(reply)).not.toMatch(/accounts|db-7|relation|poison/);
    }
    const rest = await cluster.rest('ann');
    const problem = await rest.refused('PATCH', `/v1/rooms/${roomId}`, { name: 'poison' });
    expect(problem).toMatchObject({ code: 'internal', status: 500, retryable: false });
    expect(JSON.stringify(problem)).not.toMatch(/accounts|db-7|relation|poison/);
    expect((await client.ask('history:get', { roomId })).messages).toEqual([]);
  });

  it('fails one poisoned send alone and keeps the others of its batch in order (S-34)', async () => {
    const client = await cluster.connect('ann');
    const [roomId, otherId] = [await roomOf(client), await roomOf(client)];
    const holder = await holdRoom(roomId);
    const send = (room: string, i: number) =>
      client.reply('message:send', { roomId: room, clientMsgId: `m${i}`, text: i === 20 ? 'poison' : `${i}` });
    // They wait for the room together, so they are stored together.
    const replies = Array.from({ length: 50 }, (_, i) => send(i % 5 === 3 ? otherId : roomId, i));
    await holder.waitedFor();
    await holder.release();
    const codes = (await Promise.all(replies)).map(codeOf);
    expect(codes).toEqual(codes.map((_, i) => (i === 20 ? 'internal' : 'ok')));
    const sent = Array.from({ length: 50 }, (_, i) => i).filter((i) => i !== 20);
    for (const [room, wanted] of [
      [roomId, sent.filter((i) => i % 5 !== 3)],
      [otherId, sent.filter((i) => i % 5 === 3)],
    ] as const) {
      const { messages } = await client.ask('history:get', { roomId: room, limit: 200 });
      expect(messages.map(({ text }) => Number(text))).toEqual(wanted);
      expect(messages.map(({ seq }) => seq)).toEqual(wanted.map((_, i) => i + 1));
    }
  });

  it('answers one request more than may wait with rate_limited, and the others when they can be', async () => {
    const client = await cluster.connect('ann');
    const roomId = await roomOf(client);
    const holder = await holdRoom(roomId);
    const replies = Array.from({ length: limits.requestsInFlight + 1 }, (_, i) =>
      client.reply('message:send', { roomId, clientMsgId: `m${i}`, text: 'waits' }),
    );
    const refused = await Promise.race(replies);
    expect(refused).toMatchObject({ ok: false, error: { code: 'rate_limited', retryable: true } });
    expect(refused.ok ? 0 : refused.error.retryAfterMs).toBeGreaterThan(0);
    await holder.release();
    const codes = (await Promise.all(replies)).map(codeOf);
    expect(codes.filter((code) => code === 'ok').length).toBe(limits.requestsInFlight);
    expect(codes.at(-1)).toBe('rate_limited');
  });
});

describe('when the database is away', () => {
  it('answers unavailable and retryable, and serves again when it is back (S-39)', async () => {
    const database = await createDatabase();
    const target = new URL(database.url);
    const proxy = await TcpProxy.start({
      target: { host: target.hostname, port: Number(target.port) },
      random: new Random('away'),
    });
    const url = Object.assign(new URL(target), { host: `127.0.0.1:${proxy.port}` }).href;
    const instance = await startInstance(url, undefined, { logLevel: 'error' });
    const cluster = await Cluster.of([instance], database);
    try {
      const client = await cluster.connect('ann');
      const roomId = await roomOf(client);
      proxy.refuse(true);
      proxy.reset();
      const send = { roomId, clientMsgId: 'once', text: 'Kept' };
      const replies = await Promise.all([
        client.reply('message:send', send),
        client.reply('message:delete', { roomId, seq: 1 }),
        client.reply('history:get', { roomId }),
        client.reply('rooms:sync', {}),
        client.reply('room:sync', { roomId }),
        client.reply('room:create', { name: 'Another' }),
        client.reply('room:update', { roomId, name: 'Renamed' }),
        client.reply('room:join', { roomId: uuidv7() }),
        client.reply('room:leave', { roomId }),
        client.reply('rooms:discover', {}),
        client.reply('member:add', { roomId, userId: uuidv7() }),
        client.reply('members:list', { roomId }),
      ]);
      for (const reply of replies)
        expect(reply).toMatchObject({ ok: false, error: { code: 'unavailable', retryable: true } });
      expect(replies.every((reply) => !reply.ok && (reply.error.retryAfterMs ?? 0) > 0)).toBe(true);
      const rest = await cluster.rest('ann');
      const answer = await rest.send('GET', `/v1/rooms/${roomId}/messages`);
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
      await expect(cluster.connect('newcomer')).rejects.toMatchObject({
        error: { code: 'unavailable', retryable: true },
      });

      proxy.heal();
      const again = (await client.reply('message:send', send)) as Reply<SentMessage>;
      expect(again).toMatchObject({ ok: true, data: { message: { seq: 1, text: 'Kept' } } });
      expect((await client.ask('history:get', { roomId })).messages.length).toBe(1);
    } finally {
      proxy.heal();
      await cluster.stop();
      await proxy.stop();
    }
  });
});
