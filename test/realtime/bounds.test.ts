import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect, type Socket as TcpSocket } from 'node:net';
import pg from 'pg';
import { ConnectionGuard } from '../../src/realtime/connection-guard.js';
import { PlainClient } from '../client.js';
import { createDatabase } from '../environment/database.js';
import { startInstance, testToken, type Instance } from '../instance.js';

const KIB = 1024;
const limits = {
  requestsPerSecond: 500,
  inboundBytesPerSecond: 1024 * KIB,
  outboundBytes: 1024 * KIB,
  connectsPerSecond: 250,
};

/** A client that completes the handshakes of WebSocket and Socket.IO and then never reads again. */
async function deafClient(url: string, user: string): Promise<TcpSocket> {
  const { hostname, port, host } = new URL(url);
  const tcp = connect(Number(port), hostname);
  await once(tcp, 'connect');
  tcp.write(
    `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16, 1).toString('base64')}\r\n\r\n`,
  );
  await once(tcp, 'data');
  tcp.write(maskedText(`40${JSON.stringify({ token: await testToken(user) })}`));
  let seen = '';
  while (!seen.includes('session:ready')) seen += String((await once(tcp, 'data'))[0]);
  tcp.pause();
  return tcp;
}

/** A client's WebSocket text frame; masked, as the protocol wants it, with a mask of zeros. */
function maskedText(text: string): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(8);
  header[0] = 0x81;
  header[1] = 0x80 | 126;
  header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
}

/** A client's WebSocket pong with so many zeros in it. */
function maskedPong(length: number): Buffer {
  return Buffer.concat([Buffer.from([0x8a, 0x80 | length, 0, 0, 0, 0]), Buffer.alloc(length)]);
}

/** A connection of somebody else's, in a transaction. */
async function locking(databaseUrl: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('begin');
  return client;
}

describe('one connection', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let instance: Instance;
  let ann: PlainClient;
  let ben: PlainClient;
  let roomId: string;
  const cuts = () => instance.app.get(ConnectionGuard).cuts;

  const start = async (changed: Partial<typeof limits> = {}): Promise<void> => {
    instance = await startInstance(database.url, undefined, { limits: { ...limits, ...changed } });
    ann = await PlainClient.connect(instance.url, 'ann');
    ben = await PlainClient.connect(instance.url, 'ben');
    roomId = (await ann.ask('room:create', { name: 'Room' })).room.id;
    await ben.ask('room:join', { roomId });
  };

  beforeEach(async () => (database = await createDatabase()));
  afterEach(async () => {
    ann.close();
    ben.close();
    await instance.stop();
    await database.drop();
  });

  it('that does not read is cut when its bytes are too many, and the others miss nothing', async () => {
    await start({ requestsPerSecond: 10_000, inboundBytesPerSecond: 64 * 1024 * KIB, outboundBytes: 64 * KIB });
    const deaf = await deafClient(instance.url, 'ben');
    const gone = once(deaf, 'close');
    const text = 'x'.repeat(4_000);
    let sent = 0;
    // More than the buffers of the kernel hold on both sides, in pieces that a reader keeps up with.
    while (cuts().slow_consumer === 0 && sent < 10_000) {
      await Promise.all(
        Array.from({ length: 10 }, (_, i) => ann.ask('message:send', { roomId, clientMsgId: `m${sent + i}`, text })),
      );
      sent += 10;
    }
    expect(cuts().slow_consumer).toBe(1);
    await ben.until(() => ben.textsOf(roomId).length === sent);
    expect(ben.socket.connected).toBe(true);
    deaf.resume();
    await gone;
  });

  it('that does not read is cut although the kernel takes all that it is sent, and one that reads is not', async () => {
    await start();
    const deaf = await deafClient(instance.url, 'ben');
    const gone = once(deaf, 'close');
    const text = 'x'.repeat(4_000);
    for (let i = 0; i < 40; i++) await ann.ask('message:send', { roomId, clientMsgId: `m${i}`, text });
    // What Engine.IO wants to hear, said without reading; the pong of a WebSocket, made up.
    const pretending = setInterval(() => deaf.write(Buffer.concat([maskedText('3'), maskedPong(8)])), 500);
    while (cuts().slow_consumer === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    clearInterval(pretending);
    expect(cuts().slow_consumer).toBe(1);
    expect([ann.socket.connected, ben.socket.connected]).toEqual([true, true]);
    deaf.resume();
    await gone;
  }, 30_000);

  it('that asks too much is told when to ask again, and one that floods is cut (S-40)', async () => {
    await start({ inboundBytesPerSecond: 256 * KIB });
    const asks = Array.from({ length: 300 }, () => ann.reply('rooms:discover', {}));
    const refused = (await Promise.all(asks)).filter((reply) => !reply.ok);
    expect(refused.length).toBeGreaterThan(0);
    for (const reply of refused)
      expect(reply).toMatchObject({
        error: { code: 'rate_limited', retryable: true },
      });

    const gone = new Promise((resolve) => ann.socket.once('disconnect', resolve));
    for (let i = 0; i < 60; i++) ann.socket.emit('rooms:discover', { query: 'x'.repeat(30 * KIB) }, () => undefined);
    await gone;
    expect(cuts().rate_limited).toBe(1);
    expect(ben.socket.connected).toBe(true);
    // Not at once again.
    await expect(PlainClient.connect(instance.url, 'ann')).rejects.toMatchObject({
      error: { code: 'rate_limited', retryable: true },
    });
    const other = await PlainClient.connect(instance.url, 'cid');
    other.close();
  });

  it.each(['rooms:discover', 'no:such:thing'])('that is refused %s again and again is cut (S-40)', async (event) => {
    await start();
    const answers: unknown[] = [];
    const gone = new Promise((resolve) => ann.socket.once('disconnect', resolve));
    for (let i = 0; i < 400; i++) ann.socket.emit(event as 'rooms:discover', {}, (reply) => answers.push(reply));
    await gone;
    expect(cuts().rate_limited).toBe(1);
    expect(answers.length).toBeLessThan(330);
    expect(ben.socket.connected).toBe(true);
  });

  it('that asks for much at once has a few of its requests worked on at a time (S-40)', async () => {
    await start();
    const lock = await locking(database.url);
    await lock.query('lock table rooms in access exclusive mode');
    const asks = Array.from({ length: 30 }, () => ann.reply('rooms:discover', {}));
    const waitingForLock = async () => {
      await lock.query('select pg_stat_clear_snapshot()');
      const { rows } = await lock.query<{ count: number }>(
        `select count(*)::int from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()
           and query like '%visibility%'`,
      );
      return rows[0]?.count ?? NaN;
    };
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await waitingForLock()).toBe(4);
    await lock.query('rollback');
    await lock.end();
    expect((await Promise.all(asks)).every(({ ok }) => ok)).toBe(true);
  });

  it('to a room that somebody has locked waits, and the other rooms do not', async () => {
    await start();
    const other = (await ann.ask('room:create', { name: 'Other' })).room.id;
    const lock = await locking(database.url);
    await lock.query('select from rooms where id = $1 for update', [roomId]);
    const order: string[] = [];
    const send = async (to: string, clientMsgId: string): Promise<void> => {
      await ann.ask('message:send', { roomId: to, clientMsgId, text: clientMsgId });
      order.push(clientMsgId);
    };
    const locked = [send(roomId, 'locked-1'), send(roomId, 'locked-2')];
    await send(other, 'free-1');
    await send(other, 'free-2');
    expect(order).toEqual(['free-1', 'free-2']);
    await lock.query('commit');
    await lock.end();
    await Promise.all([...locked, send(roomId, 'locked-3')]);
    const { messages } = await ann.ask('history:get', { roomId });
    expect(messages.map(({ text }) => text)).toEqual(['locked-1', 'locked-2', 'locked-3']);
  });

  it('is answered although the database hangs, within five seconds', async () => {
    await start();
    const lock = await locking(database.url);
    await lock.query('lock table messages in access exclusive mode');
    const begun = performance.now();
    const reply = await ann.reply('message:send', { roomId, clientMsgId: 'm', text: 'Hello' });
    expect(reply).toMatchObject({ ok: false, error: { code: 'unavailable', retryable: true } });
    expect(performance.now() - begun).toBeLessThan(6_000);
    await lock.query('commit');
    await lock.end();
    // As the refusal asked for.
    const { retryAfterMs } = reply.ok ? fail() : reply.error;
    await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
    const again = await ann.ask('message:send', { roomId, clientMsgId: 'm', text: 'Hello' });
    expect(again.message.seq).toBe(1);
  });
});

describe('an instance that is stopped', () => {
  it('asks its clients to come back, answers what is under way and is gone soon, whoever does not read', async () => {
    const database = await createDatabase();
    const instance = await startInstance(database.url, undefined, { drainMs: 1_000 });
    const ann = await PlainClient.connect(instance.url, 'ann');
    const { room } = await ann.ask('room:create', { name: 'Room' });
    const deaf = await deafClient(instance.url, 'ben');
    const notice = new Promise((resolve) => ann.socket.once('session:reconnect', resolve));
    const sends = Array.from({ length: 50 }, (_, i) =>
      ann.ask('message:send', { roomId: room.id, clientMsgId: `m${i}`, text: `${i}` }),
    );
    const begun = performance.now();
    const stopped = instance.stop();
    expect(await notice).toMatchObject({ reason: 'draining', afterMs: 0, spreadMs: 800 });
    await expect(PlainClient.connect(instance.url, 'cid')).rejects.toMatchObject({
      error: { code: 'draining', retryable: true },
    });
    await Promise.all(sends);
    await stopped;
    expect(performance.now() - begun).toBeLessThan(10_000);
    deaf.destroy();
    await database.drop();
  });

  it('tells who is still there everything in its order, whoever joins meanwhile', async () => {
    const database = await createDatabase();
    const instance = await startInstance(database.url, undefined, { drainMs: 1_000 });
    const [ann, ben, cid] = await Promise.all(
      ['ann', 'ben', 'cid'].map((name) => PlainClient.connect(instance.url, name)),
    );
    if (!ann || !ben || !cid) throw new Error('Nobody is there');
    const { room } = await ann.ask('room:create', { name: 'Room' });
    await ben.ask('room:join', { roomId: room.id });
    const asked = new Promise((resolve) => ann.socket.once('session:reconnect', resolve));
    const stopped = instance.stop();
    await asked;
    const say = (clientMsgId: string) => ann.ask('message:send', { roomId: room.id, clientMsgId, text: clientMsgId });
    await say('one');
    await cid.ask('room:join', { roomId: room.id });
    await say('two');
    await ben.until(() => ben.textsOf(room.id).includes('two'));
    expect(ben.textsOf(room.id)).toEqual(['one', 'two']);
    await stopped;
    await database.drop();
  });

  it('is gone as soon with connections that ask for nothing, and with those that never stop to ask', async () => {
    const database = await createDatabase();
    const instance = await startInstance(database.url, undefined, { drainMs: 200 });
    const { port } = new URL(instance.url);
    const silent = connect(Number(port), '127.0.0.1');
    await once(silent, 'connect');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const asking = askUntilRefused(`${instance.url}/health/live`, agent);
    await once(agent, 'free');
    const begun = performance.now();
    await instance.stop();
    expect(performance.now() - begun).toBeLessThan(10_000);
    await asking;
    agent.destroy();
    silent.destroy();
    await database.drop();
  });
});

/** One request after the other, each over the same connection for as long as it lasts. */
async function askUntilRefused(url: string, agent: Agent): Promise<void> {
  for (let refused = false; !refused;)
    refused = await new Promise<boolean>((resolve) => {
      get(url, { agent }, (response) => response.resume().once('end', () => resolve(false))).once('error', () =>
        resolve(true),
      );
    });
}

function fail(): never {
  throw new Error('The database answered');
}
