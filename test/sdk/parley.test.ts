import type { RequestInput, RoomSnapshot } from '../../src/protocol/index.js';
import type { Parley, RoomState } from '../../sdk/index.js';
import { me, member, message, room, roomId, snapshot, time } from './samples.js';
import { ScriptedServer, status } from './scripted-server.js';

let server: ScriptedServer;

beforeEach(async () => {
  server = await ScriptedServer.start();
});

afterEach(() => server.stop());

/** A client that is in one room. */
async function clientIn(state: Partial<RoomSnapshot> = {}): Promise<{ client: Parley; mine: RoomState }> {
  hold(snapshot(state));
  const client = server.client();
  await client.ready();
  return { client, mine: client.rooms.get(roomId) as RoomState };
}

/** What the next `rooms:sync` are answered with. */
function hold(...rooms: RoomSnapshot[]): void {
  server.answer('rooms:sync', () => ({ ok: true, data: { epoch: 'one', rooms, gone: [] } }));
}

function next(client: Parley, event: 'outgoing' | 'change' | 'reset' | 'rooms'): Promise<void> {
  return new Promise((resolve) => {
    const off = client.on(event, () => {
      off();
      resolve();
    });
  });
}

test('creates one room, however often it has to ask', async () => {
  const client = server.client();
  server.answer('room:create', (_request, socket) => {
    if (server.countOf('room:create') > 1) return { ok: true, data: { room: room(), member: member() } };
    socket.conn.close();
    return 'silence';
  });
  server.answer('room:sync', () => ({ ok: true, data: snapshot() }));
  const created = await client.createRoom({ name: 'Room' });
  expect(created).toBe(client.rooms.get(roomId));
  const ids = server.asked
    .filter(({ event }) => event === 'room:create')
    .map(({ request }) => (request as RequestInput<'room:create'>).roomId);
  expect(ids).toHaveLength(2);
  expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(ids[1]).toBe(ids[0]);
});

test('shows an acknowledged message at once, and tells its change once when that comes', async () => {
  const { client, mine } = await clientIn();
  const changes: number[] = [];
  client.on('change', (_room, { rev }) => changes.push(rev));
  const stored = (clientMsgId: string) => message(1, { sender: me, clientMsgId, rev: 1, text: 'Hello' });
  server.answer('message:send', (request) => {
    const { clientMsgId } = request as RequestInput<'message:send'>;
    return { ok: true, data: { message: stored(clientMsgId), duplicate: false } };
  });
  const outgoing = client.send(roomId, 'Hello');
  await outgoing.sent;
  expect(mine.outgoing).toEqual([]);
  expect(mine.messages).toEqual([stored(outgoing.clientMsgId)]);
  expect(mine.cursor).toBe(0);
  const told = next(client, 'change');
  const change = { rev: 1, kind: 'message', message: stored(outgoing.clientMsgId) } as const;
  server.sockets[0]?.emit('room:changes', { roomId, after: 0, upTo: 1, changes: [change] });
  server.sockets[0]?.emit('room:changes', { roomId, after: 0, upTo: 1, changes: [change] });
  server.sockets[0]?.emit('room:changes', {
    roomId,
    after: 1,
    upTo: 2,
    changes: [{ rev: 2, kind: 'room', room: room({ rev: 2 }) }],
  });
  await told;
  if (mine.cursor < 2) await next(client, 'change');
  expect(changes).toEqual([1, 2]);
  expect(mine.messages).toHaveLength(1);
});

test('keeps an acknowledged message among the outgoing while those before it are missing', async () => {
  const { client, mine } = await clientIn();
  const outgoing = client.send(roomId, 'Second');
  const second = message(2, { sender: me, clientMsgId: outgoing.clientMsgId, text: 'Second' });
  server.answer('message:send', () => ({ ok: true, data: { message: second, duplicate: false } }));
  await outgoing.sent;
  expect(mine.outgoing).toEqual([outgoing]);
  expect(outgoing.state).toBe('sent');
  const told = next(client, 'change');
  server.sockets[0]?.emit('room:changes', {
    roomId,
    after: 0,
    upTo: 1,
    changes: [{ rev: 1, kind: 'message', message: message(1) }],
  });
  await told;
  expect(mine.messages.map(({ text }) => text)).toEqual(['text 1', 'Second']);
  expect(mine.outgoing).toEqual([]);
});

test('does not send again what the snapshot of the next connection has', async () => {
  const { client, mine } = await clientIn();
  server.answer('message:send', (request, socket) => {
    const { clientMsgId } = request as RequestInput<'message:send'>;
    hold(snapshot({ upTo: 4, messages: [message(1, { sender: me, clientMsgId })] }));
    socket.conn.close();
    return 'silence';
  });
  const reset = next(client, 'reset');
  const outgoing = client.send(roomId, 'Hello');
  await reset;
  await expect(outgoing.sent).resolves.toMatchObject({ duplicate: true, message: { seq: 1 } });
  await status(client, 'online');
  expect(mine).toMatchObject({ cursor: 4, outgoing: [] });
  expect(server.countOf('message:send')).toBe(1);
});

test('has left a private room although the reply was lost and the room is out of sight now', async () => {
  const { client } = await clientIn();
  server.answer('room:leave', (_request, socket) => {
    if (server.countOf('room:leave') > 1) {
      return { ok: false, error: { code: 'not_found', message: 'No such room', retryable: false } };
    }
    hold();
    socket.conn.close();
    return 'silence';
  });
  await client.leaveRoom(roomId);
  expect(client.rooms.size).toBe(0);
  await expect(client.leaveRoom(roomId)).rejects.toMatchObject({ code: 'not_found' });
});

test('asks once for an older page that is wanted twice', async () => {
  const { client, mine } = await clientIn({ messages: [message(5)], hasBefore: true });
  server.answer('history:get', () => ({
    ok: true,
    data: { messages: [message(3), message(4)], hasBefore: true, hasAfter: true },
  }));
  await expect(Promise.all([client.loadOlder(roomId, 2), client.loadOlder(roomId, 2)])).resolves.toEqual([true, true]);
  expect(server.asked.filter(({ event }) => event === 'history:get').map(({ request }) => request)).toEqual([
    { roomId, before: 5, limit: 2 },
  ]);
  expect(mine.messages.map(({ seq }) => seq)).toEqual([3, 4, 5]);
});

test('takes the newer of two states, whether a reply or a change brings it first', async () => {
  const { client, mine } = await clientIn({ messages: [message(1)], upTo: 1 });
  server.answer('room:update', () => ({ ok: true, data: { room: room({ rev: 3, name: 'Newest' }) } }));
  server.answer('message:delete', () => ({
    ok: true,
    data: { message: message(1, { rev: 4, text: '', deletedAt: time }) },
  }));
  await client.updateRoom({ roomId, name: 'Newest' });
  await client.deleteMessage(roomId, 1);
  const told = next(client, 'change');
  server.sockets[0]?.emit('room:changes', {
    roomId,
    after: 1,
    upTo: 2,
    changes: [{ rev: 2, kind: 'room', room: room({ rev: 2, name: 'Older' }) }],
  });
  await told;
  expect(mine.room.name).toBe('Newest');
  expect(mine.messages[0]?.deletedAt).toBe(time);
});
