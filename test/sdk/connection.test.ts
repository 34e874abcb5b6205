import type { Socket } from 'node:net';
import { limits } from '../../src/protocol/index.js';
import { ParleyError } from '../../sdk/index.js';
import { time } from './samples.js';
import { refusals, ScriptedServer, status, statuses } from './scripted-server.js';

let server: ScriptedServer;

beforeEach(async () => {
  server = await ScriptedServer.start();
});

afterEach(() => server.stop());

test('is online once the rooms are caught up with', async () => {
  const client = server.client();
  expect(client.status).toBe('connecting');
  let caughtUp = false;
  server.answer('rooms:sync', () => {
    caughtUp = client.status === 'connecting';
    return { ok: true, data: { epoch: 'one', rooms: [], gone: [] } };
  });
  await client.ready();
  expect(caughtUp).toBe(true);
  expect(client.status).toBe('online');
  expect(client.session?.epoch).toBe('one');
});

test('is closed for good when the server does not know the token', async () => {
  server.refuseNext.push(refusals.unauthenticated);
  const client = server.client();
  const closed = new Promise<ParleyError>((resolve) => client.on('closed', resolve));
  await expect(client.ready()).rejects.toMatchObject({ code: 'unauthenticated', retryable: false });
  expect(await closed).toBeInstanceOf(ParleyError);
  expect(client.status).toBe('closed');
  await expect(client.discoverRooms()).rejects.toMatchObject({ code: 'unauthenticated' });
  await expect(client.send('room', 'text').sent).rejects.toMatchObject({ code: 'unauthenticated' });
  expect(server.handshakes).toHaveLength(1);
});

test('asks for another token when one has expired, once', async () => {
  server.refuseNext.push(refusals.expired);
  let asked = 0;
  const client = server.client({ token: () => `token ${++asked}` });
  await client.ready();
  expect(server.handshakes.map(({ token }) => token)).toEqual(['token 1', 'token 2']);

  server.refuseNext.push(refusals.expired, refusals.expired);
  server.sockets[0]?.emit('session:closed', { error: refusals.expired });
  await status(client, 'closed');
  // One for the renewal, after which the refusal is final.
  expect(asked).toBe(3);
});

test('is closed when a token that cannot be renewed has expired', async () => {
  server.refuseNext.push(refusals.expired);
  await expect(server.client().ready()).rejects.toMatchObject({ code: 'token_expired' });
  expect(server.handshakes).toHaveLength(1);
});

test('tries again when the token cannot be had, and gives up when that is final', async () => {
  let asked = 0;
  const client = server.client({
    token: () => (++asked === 1 ? Promise.reject(new Error('no network')) : Promise.resolve('late')),
  });
  await client.ready();
  expect(asked).toBe(2);
  const refused = server.client({ token: () => Promise.reject(new ParleyError(refusals.unauthenticated)) });
  await expect(refused.ready()).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('comes back after a refusal not before the time that the server asked for', async () => {
  server.refuseNext.push(refusals.busy);
  await server.client({ random: () => 0 }).ready();
  const [first, second] = server.handshakes;
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(refusals.busy.retryAfterMs - 1);
});

test('goes offline and comes back when the connection breaks', async () => {
  const client = server.client();
  await client.ready();
  const seen = statuses(client);
  server.cutAll();
  await status(client, 'offline');
  await status(client, 'online');
  expect(seen).toEqual(['offline', 'connecting', 'online']);
  expect(server.handshakes).toHaveLength(2);
});

test('waits longer from try to try, also when connections open and break at once', async () => {
  const busy = { ...refusals.busy, retryAfterMs: 0 };
  server.refuseNext.push(busy, busy, busy);
  const client = server.client({ random: () => 0.999, backoff: { baseMs: 40, capMs: 300 } });
  client.on('status', (now) => {
    if (now === 'online' && server.handshakes.length < 6) server.cutAll();
  });
  await new Promise<void>((resolve) => client.on('status', () => server.handshakes.length === 6 && resolve()));
  const gaps = server.handshakes.slice(1).map(({ at }, i) => at - (server.handshakes[i]?.at ?? 0));
  [40, 80, 160, 300, 300].forEach((wait, i) => expect(gaps[i]).toBeGreaterThanOrEqual(0.999 * wait - 2));
});

test('moves when the server asks it to, at its place in the span that it was given, and works on until then', async () => {
  const client = server.client({ random: () => 0.5 });
  await client.ready();
  const told = performance.now();
  server.sockets[0]?.emit('session:reconnect', { reason: 'drain', afterMs: 100, spreadMs: 100 });
  server.answer('rooms:discover', () => ({ ok: true, data: { items: [], nextCursor: null } }));
  await client.discoverRooms();
  expect(client.status).toBe('online');
  expect(server.handshakes).toHaveLength(1);
  await status(client, 'offline');
  await status(client, 'online');
  const waited = (server.handshakes[1]?.at ?? 0) - told;
  expect(waited).toBeGreaterThanOrEqual(149);
});

test('ends with the last word of the server, or comes back, as that word says', async () => {
  const slow = server.client();
  await slow.ready();
  server.sockets[0]?.emit('session:closed', { error: { code: 'slow_consumer', message: 'Slow', retryable: true } });
  await status(slow, 'offline');
  await status(slow, 'online');
  slow.close();

  const banned = server.client();
  await banned.ready();
  const error = { code: 'banned', message: 'Go', retryable: false } as const;
  for (const socket of server.sockets) socket.emit('session:closed', { error });
  await status(banned, 'closed');
  expect(server.handshakes).toHaveLength(3);
});

test('asks again after timeouts and retryable errors, and rejects with any other', async () => {
  const client = server.client({ requestTimeoutMs: 500 });
  const page = { items: [], nextCursor: null };
  const replies = ['silence', { ok: false, error: refusals.busy }, { ok: true, data: page }] as const;
  server.answer('rooms:discover', () => replies[server.countOf('rooms:discover') - 1] ?? 'silence');
  await expect(client.discoverRooms()).resolves.toEqual(page);
  expect(server.countOf('rooms:discover')).toBe(3);
  expect(server.handshakes).toHaveLength(1);

  server.answer('room:update', () => ({
    ok: false,
    error: { code: 'forbidden', message: 'No', retryable: false, details: ['x'] },
  }));
  await expect(client.updateRoom({ roomId: 'r', name: 'n' })).rejects.toMatchObject({
    name: 'ParleyError',
    code: 'forbidden',
    details: ['x'],
  });
});

test('asks on the next connection what the last one did not answer, and nothing twice', async () => {
  const client = server.client();
  await client.ready();
  const page = { items: [], nextCursor: null };
  server.answer('rooms:discover', () => {
    if (server.countOf('rooms:discover') > 1) return { ok: true, data: page };
    server.cutAll();
    return 'silence';
  });
  await expect(client.discoverRooms()).resolves.toEqual(page);

  server.cutAll();
  await status(client, 'offline');
  await expect(client.discoverRooms({ query: 'offline' })).resolves.toEqual(page);
  const asked = server.asked.filter(({ event }) => event === 'rooms:discover');
  expect(asked.map(({ connection }) => connection)).toEqual([1, 2, 3]);
});

test('takes a connection for dead on which nothing is heard', async () => {
  const client = server.client({ requestTimeoutMs: 100 });
  await client.ready();
  const page = { items: [], nextCursor: null };
  server.answer('rooms:discover', () => ({ ok: true, data: page }));
  const [socket] = server.sockets;
  const raw = (socket?.conn.transport as unknown as { socket: { _socket: Socket } }).socket._socket;
  raw.pause();
  await expect(client.discoverRooms()).resolves.toEqual(page);
  expect(server.handshakes).toHaveLength(2);
  raw.resume();
});

test('asks no more at once than half of what the server takes', async () => {
  server.session = { limits: { ...limits, requestsInFlight: 8 } };
  const client = server.client();
  await client.ready();
  const replies: (() => void)[] = [];
  let open = 0;
  let most = 0;
  server.sockets[0]?.removeAllListeners();
  server.sockets[0]?.offAny();
  server.sockets[0]?.onAny((_event: string, _request: unknown, reply: (value: unknown) => void) => {
    most = Math.max(most, ++open);
    replies.push(() => {
      open -= 1;
      reply({ ok: true, data: { items: [], nextCursor: null } });
    });
    if (replies.length === 4) for (const answer of replies.splice(0)) setImmediate(answer);
  });
  await Promise.all(Array.from({ length: 20 }, () => client.discoverRooms()));
  expect(most).toBe(4);
});

test('does not send a request for which the server would cut the connection', async () => {
  const client = server.client();
  await client.ready();
  const query = 'é'.repeat(40_000);
  await expect(client.discoverRooms({ query })).rejects.toMatchObject({ code: 'payload_too_large' });
  expect(server.countOf('rooms:discover')).toBe(0);
});

test('ends when the token turns out to be another user’s', async () => {
  const client = server.client();
  await client.ready();
  server.session = { userId: '0199aaaa-0000-7000-8000-00000000000b' };
  server.cutAll();
  await status(client, 'closed');
  expect(client.rooms.size).toBe(0);
});

test('rejects what is pending when it is closed, and says nothing of a server’s word', async () => {
  const client = server.client();
  await client.ready();
  let word: ParleyError | undefined;
  client.on('closed', (error) => (word = error));
  const pending = client.discoverRooms();
  client.close();
  await expect(pending).rejects.toMatchObject({ code: 'unavailable', retryable: false });
  await expect(client.discoverRooms()).rejects.toBeInstanceOf(ParleyError);
  expect(client.status).toBe('closed');
  expect(word).toBeUndefined();
});

test('uses long-polling where WebSocket is refused', async () => {
  const polling = await ScriptedServer.start(['polling']);
  try {
    await polling.client({ transports: ['websocket', 'polling'] }).ready();
    expect(polling.handshakes.map(({ transport }) => transport)).toEqual(['polling']);
  } finally {
    await polling.stop();
  }
});

test('uses long-polling where WebSocket is swallowed', async () => {
  const polling = await ScriptedServer.start(['polling']);
  const kept: Socket[] = [];
  polling.http.removeAllListeners('upgrade');
  polling.http.on('upgrade', (_request, socket: Socket) => kept.push(socket));
  try {
    await polling.client({ transports: ['websocket', 'polling'], requestTimeoutMs: 150 }).ready();
    expect(kept.length).toBeGreaterThan(0);
    expect(new Set(polling.handshakes.map(({ transport }) => transport))).toEqual(new Set(['polling']));
  } finally {
    for (const socket of kept) socket.destroy();
    await polling.stop();
  }
});

test('brings another token before the one it has ends, and goes on', async () => {
  let given = 0;
  const client = server.client({ token: () => `token ${++given}`, random: () => 0.1 });
  await client.ready();
  const seen = statuses(client);
  const tokenExpiresAt = '2099-01-01T00:00:00.000Z';
  const offered = new Promise((resolve) =>
    server.answer('auth:refresh', (request) => {
      resolve(request);
      return { ok: true, data: { tokenExpiresAt } };
    }),
  );
  server.sockets[0]?.emit('session:expiring', { expiresAt: time, inMs: 1_000 });
  expect(await offered).toEqual({ token: 'token 2' });
  server.answer('rooms:discover', () => ({ ok: true, data: { items: [], nextCursor: null } }));
  await client.discoverRooms();
  expect(client.session?.tokenExpiresAt).toBe(tokenExpiresAt);
  expect(seen).toEqual([]);
  expect(server.handshakes).toHaveLength(1);
});

test('tries again to bring another token while its app or the server cannot, and not once it is refused', async () => {
  let given = 0;
  const client = server.client({
    token: () => (++given === 2 ? Promise.reject(new Error('no network')) : `token ${given}`),
  });
  await client.ready();
  const replies = [refusals.busy, { code: 'forbidden', message: 'Not you', retryable: false } as const];
  const refused = new Promise<void>((resolve) =>
    server.answer('auth:refresh', () => {
      const error = replies[server.countOf('auth:refresh') - 1] ?? refusals.expired;
      if (error.code === 'forbidden') resolve();
      return { ok: false, error };
    }),
  );
  server.sockets[0]?.emit('session:expiring', { expiresAt: time, inMs: 0 });
  await refused;
  server.sockets[0]?.emit('session:closed', { error: refusals.expired });
  await status(client, 'connecting');
  await status(client, 'online');
  expect(server.countOf('auth:refresh')).toBe(2);
  expect(server.handshakes.map(({ token }) => token)).toEqual(['token 1', 'token 5']);
});

test('asks for no other token where there is only the one', async () => {
  const client = server.client();
  await client.ready();
  server.answer('rooms:discover', () => ({ ok: true, data: { items: [], nextCursor: null } }));
  server.sockets[0]?.emit('session:expiring', { expiresAt: time, inMs: 0 });
  // Longer than it takes for one that asks at once.
  for (let i = 0; i < 5; i++) await client.discoverRooms();
  server.sockets[0]?.emit('session:closed', { error: refusals.expired });
  await status(client, 'closed');
  expect(server.countOf('auth:refresh')).toBe(0);
});

test('asks again with another token what was refused because the one of the connection has expired', async () => {
  let given = 0;
  const client = server.client({ token: () => `token ${++given}` });
  await client.ready();
  server.answer('rooms:discover', () =>
    server.countOf('rooms:discover') === 1
      ? { ok: false, error: refusals.expired }
      : { ok: true, data: { items: [], nextCursor: null } },
  );
  expect((await client.discoverRooms()).items).toEqual([]);
  expect(server.handshakes.map(({ token }) => token)).toEqual(['token 1', 'token 2']);
});
