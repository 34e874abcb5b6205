import { enterAsGuest, Parley, type ParleyOptions } from '../../sdk/index.js';
import type { PlainClient } from '../client.js';
import type { RoomAndMember, SentMessage } from '../../src/protocol/index.js';
import { adminKey, testToken } from '../instance.js';
import { eventually } from '../start/processes.js';
import { Follower } from './follower.js';
import * as patient from './patient.js';
import { Topology, type InstanceProcess } from './topology.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

describe('three instances behind the balancer', () => {
  const topology = new Topology();
  const plain: PlainClient[] = [];
  const followers: Follower[] = [];

  const connect = async (user: string, transports?: string[]): Promise<PlainClient> => {
    const client = await patient.connect(topology.url, user, transports);
    plain.push(client);
    return client;
  };
  const follow = async (user: string, options: Partial<ParleyOptions> = {}): Promise<Follower> => {
    const parley = new Parley({ url: topology.url, token: () => testToken(user), ...options });
    const follower = new Follower(parley);
    followers.push(follower);
    await parley.ready();
    return follower;
  };
  const sessions = async () => (await topology.balancer.backends()).map((backend) => backend.sessions);

  // Long, for it may have to build first.
  beforeAll(() => topology.start(), 300_000);
  afterEach(() => {
    plain.splice(0).forEach((client) => client.close());
    followers.splice(0).forEach(({ parley }) => parley.close());
  });
  afterAll(() => topology.stop(), 60_000);

  it('serves the page, REST and the admin REST', async () => {
    const html = await (await fetch(topology.url)).text();
    expect(html).toContain('<script type="module"');
    const script = /src="([^"]+\.js)"/.exec(html)?.[1] ?? '';
    expect((await fetch(new URL(script, topology.url))).headers.get('content-type')).toContain('javascript');

    const { token } = await enterAsGuest(topology.url, 'Ann');
    const ask = async (path: string, body?: object, bearer = token): Promise<{ status: number; body: unknown }> => {
      const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
      const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
      const response = await fetch(topology.url + path, { ...init, headers });
      return { status: response.status, body: await response.json() };
    };
    const created = await ask('/v1/rooms', { name: 'By REST' });
    expect(created.status).toBe(201);
    const { id } = (created.body as RoomAndMember).room;
    const send = async () =>
      (await ask(`/v1/rooms/${id}/messages`, { clientMsgId: 'once', text: 'hello' })).body as SentMessage;
    const sends = await Promise.all(numbers(6).map(send));
    expect(sends.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(new Set(sends.map(({ message }) => message.seq))).toEqual(new Set([1]));
    const listed = await ask('/admin/v1/rooms?query=by+rest', undefined, adminKey);
    expect(listed.body).toMatchObject({ items: [{ id, lastSeq: 1 }], total: 1 });
  });

  it('lets clients of both transports, on every instance, see one conversation in one order', async () => {
    const clients: PlainClient[] = [];
    for (let i = 0; i < 6; i += 1) clients.push(await connect(`both${i}`, [i < 3 ? 'websocket' : 'polling']));
    expect(Math.min(...(await sessions()))).toBeGreaterThan(0);
    const [first] = clients as [PlainClient];
    const { room } = await patient.ask(first, 'room:create', { name: 'Both' });
    await Promise.all(clients.map((client) => patient.ask(client, 'room:join', { roomId: room.id })));
    await Promise.all(
      clients.flatMap((client, who) =>
        numbers(10).map((i) =>
          patient.ask(client, 'message:send', { roomId: room.id, clientMsgId: `${i}`, text: `${who}: ${i}` }),
        ),
      ),
    );
    for (const client of clients) await client.until(() => client.textsOf(room.id).length >= 60);
    const seen = clients.map((client) => client.textsOf(room.id));
    expect(new Set(seen[0]).size).toBe(60);
    for (const texts of seen) expect(texts).toEqual(seen[0]);
  });

  it('keeps each of many polling clients on its instance', async () => {
    const clients = await Promise.all(numbers(36).map((i) => connect(`poller${i}`, ['polling'])));
    const { room } = await patient.ask(clients[0] as PlainClient, 'room:create', { name: 'Pollers' });
    await Promise.all(clients.map((client) => patient.ask(client, 'room:join', { roomId: room.id })));
    await Promise.all(
      clients.map((client, i) =>
        patient.ask(client, 'message:send', { roomId: room.id, clientMsgId: '1', text: `${i}` }),
      ),
    );
    for (const client of clients) await client.until(() => client.textsOf(room.id).length >= 36);
    expect(clients.every(({ socket }) => socket.connected)).toBe(true);
    expect(Math.min(...(await sessions()))).toBeGreaterThan(0);
  });

  it('would lose the polling clients without its cookie', async () => {
    const handshake = `${topology.url}/socket.io/?EIO=4&transport=polling`;
    const poll = async (withCookie: boolean) => {
      const opened = await fetch(handshake);
      const { sid } = JSON.parse((await opened.text()).slice(1)) as { sid: string };
      const cookie = opened.headers.getSetCookie()[0]?.split(';')[0] ?? '';
      const sent = await fetch(`${handshake}&sid=${sid}`, {
        method: 'POST',
        body: '40{"token":"none"}',
        headers: withCookie ? { cookie } : {},
      });
      return `${sent.status} ${await sent.text()}`;
    };
    expect(new Set(await Promise.all(numbers(12).map(() => poll(true))))).toEqual(new Set(['200 ok']));
    // An instance that has the fewest connections by far gets them all for a while.
    let strays: string[] = [];
    for (let tries = 0; tries < 20 && !strays.some((answer) => answer.includes('Session ID unknown')); tries++)
      strays = await Promise.all(numbers(12).map(() => poll(false)));
    expect(strays).toContainEqual(expect.stringContaining('Session ID unknown'));
  });

  it('lets polling clients upgrade to WebSocket', async () => {
    const clients = await Promise.all(numbers(9).map((i) => connect(`upgrader${i}`, ['polling', 'websocket'])));
    const upgraded = () => clients.every(({ socket }) => socket.io.engine.transport.name === 'websocket');
    await eventually(upgraded, 'every client upgrades');
    for (const client of clients) expect((await patient.ask(client, 'rooms:discover', {})).items).toBeInstanceOf(Array);
    expect(clients.every(({ socket }) => socket.connected)).toBe(true);
  });

  it('brings the clients of a killed instance back, each with everything once and in order', async () => {
    const members: Follower[] = [];
    for (let i = 0; i < 9; i += 1) members.push(await follow(`killed${i}`, i < 6 ? {} : { transports: ['polling'] }));
    const [writer] = members as [Follower];
    const { room } = await writer.parley.createRoom({ name: 'Kill' });
    await Promise.all(members.map(({ parley }) => parley.joinRoom(room.id)));

    const before = await sessions();
    const victim = before.indexOf(Math.max(...before));
    const offline = () => members.filter((member) => member.statuses.includes('offline')).length;
    let sent = 0;
    const sendAll = () => Promise.all(members.map(({ parley }) => parley.send(room.id, `message ${(sent += 1)}`).sent));
    await sendAll();
    const killed = topology.instances[victim]?.end('SIGKILL');
    while (offline() === 0 || sent < 90) await sendAll();
    expect(await killed).toMatchObject({ signal: 'SIGKILL' });
    await sendAll();
    for (const member of members)
      await eventually(() => member.seqs(room.id).length >= sent, 'every member has every message');

    expect(offline()).toBeGreaterThan(0);
    expect(offline()).toBeLessThan(members.length);
    for (const member of members) {
      expect(member.seqs(room.id)).toEqual(numbers(sent));
      expect(member.parley.status).toBe('online');
    }
    await topology.instances[victim]?.start();
    const back = async () => (await topology.balancer.backends())[victim]?.status === 'UP';
    await eventually(back, 'the balancer takes the instance in again');
  }, 120_000);

  it('fails no send while an instance is stopped for an update', async () => {
    const members = await Promise.all(numbers(9).map((i) => follow(`updated${i}`)));
    const [writer] = members as [Follower];
    const { room } = await writer.parley.createRoom({ name: 'Update' });
    await Promise.all(members.map(({ parley }) => parley.joinRoom(room.id)));

    const [instance] = topology.instances as [InstanceProcess];
    const statusOf = async () => (await topology.balancer.backends())[0]?.status;
    let sent = 0;
    let ended: Awaited<ReturnType<typeof instance.end>> | undefined;
    const sendAll = () => Promise.all(members.map(({ parley }) => parley.send(room.id, `message ${(sent += 1)}`).sent));
    await sendAll();
    const ending = instance.end('SIGTERM').then((how) => (ended = how));
    await eventually(async () => (await instance.readiness())?.ready !== true, 'its readiness goes');
    while (ended === undefined) await sendAll();
    await sendAll();
    await ending;
    expect(ended).toEqual({ code: 0, signal: null });
    expect(instance.output()).not.toMatch(/unhandled|uncaught/i);
    await eventually(async () => (await statusOf()) === 'DOWN', 'the balancer gives it nothing new');
    for (const member of members) {
      await eventually(() => member.seqs(room.id).length >= sent, 'every member has every message');
      expect(member.seqs(room.id)).toEqual(numbers(sent));
    }
    await instance.start();
    await eventually(async () => (await statusOf()) === 'UP', 'the balancer takes it in again');
  }, 120_000);
});
