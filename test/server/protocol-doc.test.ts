import { readFile } from 'node:fs/promises';
import { compileFunction } from 'node:vm';
import { io, type Socket } from 'socket.io-client';
import { z } from 'zod';
import {
  Ban,
  errorCodes,
  Filter,
  Invite,
  JoinRequest,
  limits,
  may,
  permissions,
  Role,
  Member,
  Message,
  ReadState,
  requests,
  requestScopes,
  Room,
  RoomChanges,
  User,
  type Message as MessageData,
  type RequestName,
} from '../../src/protocol/index.js';
import { testToken } from '../instance.js';
import { Cluster } from './cluster.js';

const page = await readFile('docs/protocol.md', 'utf8');

/** The rows of the table in a chapter, each as its cells. */
function table(chapter: string): string[][] {
  const [, text = ''] = page.split(`\n## ${chapter}\n`);
  const [body = ''] = text.split('\n## ');
  const rows = body.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .replaceAll('\\|', '¦')
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

interface JsonObject {
  properties?: Record<string, unknown>;
  required?: string[];
  oneOf?: JsonObject[];
}

/** The fields as the page writes them: `{ roomId, limit? }`. */
function fields(schema: z.ZodType, io: 'input' | 'output'): string {
  const write = ({ properties, required, oneOf }: JsonObject): string =>
    oneOf?.map(write).join(' or ') ??
    `\`{ ${Object.keys(properties ?? {})
      .map((field) => (required?.includes(field) ? field : `${field}?`))
      .join(', ')} }\``;
  return write(z.toJSONSchema(schema, { io }));
}

describe('docs/protocol.md', () => {
  it('tells every request with its fields, its result and its REST twin', async () => {
    const rows = table('Requests');
    expect(rows.map(([event, request, data]) => [event, request, data])).toEqual(
      Object.entries(requests).map(([event, { request, result }]) => [
        `\`${event}\``,
        fields(request, 'input'),
        fields(result, 'output'),
      ]),
    );
    const { paths } = JSON.parse(await readFile('docs/openapi.json', 'utf8')) as { paths: Record<string, object> };
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `\`${method.toUpperCase()} ${path}\``),
    );
    const told = [...rows.flatMap(([, , , route]) => route || []), ...table('REST').map(([route]) => route)];
    expect(told.toSorted()).toEqual(routes.toSorted());
  });

  it('has twins that a key for reading may ask where it may ask the request', () => {
    const isGet = (route: string) => route.startsWith('`GET ');
    // The one that reads and is no GET; its route says so, and a key that may only read is let in there.
    const twins = table('Requests').filter(([, , , route]) => route && route !== '`POST /v1/sync`');
    expect(twins.length).toBeGreaterThan(20);
    for (const [event = '', , , route = ''] of twins)
      expect([event, isGet(route) ? 'chat:read' : 'chat:write']).toEqual([
        event,
        requestScopes[event.slice(1, -1) as RequestName],
      ]);
  });

  it('tells every event that the server sends', async () => {
    const source = await readFile('src/protocol/events.ts', 'utf8');
    const [, declared = ''] = source.split('export interface ServerToClientEvents');
    const events = [...declared.matchAll(/^ {2}'(\w+:\w+)':/gm)].map(([, event]) => `\`${event}\``);
    expect(events.length).toBeGreaterThan(3);
    expect(table('What the server sends').map(([event]) => event)).toEqual(events);
    expect(table('What the server sends')[0]?.[1]).toContain(fields(RoomChanges, 'output'));
  });

  it('tells every error code with its status', () => {
    expect(table('Errors').map(([code, status, retryable]) => [code, status, retryable])).toEqual(
      Object.entries(errorCodes).map(([code, { status, retryable }]) => [
        `\`${code}\``,
        `${status}`,
        retryable ? 'yes' : 'no',
      ]),
    );
  });

  it('tells every limit with its value', () => {
    expect(table('Limits').map(([limit, value]) => [limit, value])).toEqual(
      Object.entries(limits).map(([limit, value]) => [`\`${limit}\``, `${value}`]),
    );
  });

  it('tells what every role allows', () => {
    const actions = Object.keys(permissions) as (keyof typeof permissions)[];
    expect(table('Roles')).toEqual(
      actions.map((action) => [`\`${action}\``, ...Role.options.map((role) => (may(role, action) ? 'yes' : ''))]),
    );
  });

  it('tells the fields of every object', () => {
    expect(table('Data')).toEqual(
      Object.entries({ Room, Member, ReadState, Message, User, Ban, Invite, JoinRequest, Filter }).map(
        ([name, { shape }]) => [
          `\`${name}\``,
          Object.keys(shape)
            .map((field) => `\`${field}\``)
            .join(', '),
        ],
      ),
    );
  });
});

interface WholeClient {
  rooms: Map<string, { cursor: number; messages: Map<number, MessageData> }>;
  send(roomId: string, text: string): Promise<{ message: MessageData }>;
}

describe('the whole client of docs/protocol.md', () => {
  it('holds what the server holds, through lost connections and another instance', async () => {
    const [, code = ''] = /<!-- The tests run this. -->\s+```js\n([\s\S]*?)```/.exec(page) ?? [];
    const make = compileFunction(`${code}\nreturn { rooms, send };`, ['socket']) as (socket: Socket) => WholeClient;
    const cluster = await Cluster.start(2);
    const socket = io(cluster.instance(0).url, {
      auth: { token: await testToken('reader') },
      transports: ['websocket'],
      reconnectionDelay: 1,
    });
    try {
      const client = make(socket);
      const ann = await cluster.connect('ann', 1);
      const { id: first } = (await ann.ask('room:create', { name: 'First' })).room;
      const reader = await cluster.connect('reader');
      const { userId } = reader.session;
      await ann.ask('member:add', { roomId: first, userId });
      const talk = async (roomId: string, from: number, count: number): Promise<void> => {
        const send = (i: number) => ann.ask('message:send', { roomId, clientMsgId: `${i}`, text: `${i}` });
        for (let i = from; i < from + count; i += 25)
          await Promise.all(Array.from({ length: Math.min(25, from + count - i) }, (_, k) => send(i + k)));
      };
      const holds = (roomId: string, count: number) =>
        cluster.eventually(() => {
          const messages = [...(client.rooms.get(roomId)?.messages.values() ?? [])];
          return messages.filter(({ deletedAt }) => deletedAt === null).length === count;
        });
      await talk(first, 1, 5);
      await holds(first, 5);
      const sent = await client.send(first, 'From the page');
      expect(sent.message).toMatchObject({ seq: 6, sender: { name: 'reader' } });

      // Away: changes, another room, and 350 messages, more than a sync gives at once.
      socket.disconnect();
      const { id: second } = (await ann.ask('room:create', { name: 'Second', visibility: 'private' })).room;
      await ann.ask('member:add', { roomId: second, userId });
      await Promise.all([talk(first, 7, 350), talk(second, 1, 3)]);
      await ann.ask('message:delete', { roomId: first, seq: 2 });
      socket.connect();
      await holds(first, 355);
      await holds(second, 3);

      // Cut in the middle of things.
      const talking = talk(second, 4, 30);
      socket.io.engine.close();
      await talking;
      await holds(second, 33);
      await ann.ask('message:send', { roomId: second, clientMsgId: 'last', text: 'last' });
      await holds(second, 34);
      for (const roomId of [first, second]) {
        const { messages } = client.rooms.get(roomId) ?? {};
        const stored = await cluster.query<{ seq: number; text: string }>(
          'select seq::int, text from messages where room_id = $1 order by seq',
          [roomId],
        );
        const held = [...(messages?.values() ?? [])].map(({ seq, text }) => ({ seq, text }));
        expect(held.toSorted((a, b) => a.seq - b.seq)).toEqual(stored);
      }
      await reader.ask('room:leave', { roomId: second });
      await cluster.eventually(() => !client.rooms.has(second));
    } finally {
      socket.disconnect();
      await cluster.stop();
    }
  });
});
