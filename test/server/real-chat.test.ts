import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import { HistoryPage, RoomAndMember, SentMessage, type Message } from '../../src/protocol/index.js';
import type { PlainClient } from '../client.js';
import { Cluster } from './cluster.js';
import type { Rest } from './rest.js';

/** Recorded conversations may lie beside the project; they are no part of it. */
const fileOf = (name: string) => fileURLToPath(new URL(`../../../shared/data/${name}.ndjson.gz`, import.meta.url));
const whereRecorded = ['kdconv-zh', 'ubuntu-irc'].every((name) => existsSync(fileOf(name))) ? describe : describe.skip;

interface Said {
  room: string;
  user: string;
  text: string;
}

/** The first messages of some rooms of a recording, room by room. */
async function recorded(name: string, rooms: number, each: number): Promise<Map<string, Said[]>> {
  const found = new Map<string, Said[]>();
  const lines = createInterface({ input: createReadStream(fileOf(name)).pipe(createGunzip()) });
  for await (const line of lines) {
    const said = JSON.parse(line) as Said;
    const sofar = found.get(said.room) ?? [];
    if (found.size === rooms && [...found.values()].every(({ length }) => length === each)) break;
    if (sofar.length === each || (sofar.length === 0 && found.size === rooms)) continue;
    sofar.push(said);
    found.set(said.room, sofar);
  }
  return found;
}

whereRecorded('recorded conversations', () => {
  let cluster: Cluster;
  let listener: PlainClient;
  beforeAll(async () => {
    cluster = await Cluster.start(2);
    listener = await cluster.connect('listener', 1);
  });
  afterAll(() => cluster.stop());

  /** What is live and in history, by socket and by REST, held against what was said. */
  async function compare(roomId: string, said: Said[]): Promise<void> {
    const wanted = said.map(({ user, text }) => `${user}: ${text.normalize('NFC')}`);
    const line = ({ sender, text }: Message) => `${sender.name}: ${text}`;
    await listener.until(() => listener.textsOf(roomId).length >= wanted.length);
    const live = listener
      .changesOf(roomId)
      .flatMap((change) => (change.kind === 'message' ? [line(change.message)] : []));
    expect(live).toEqual(wanted);
    const rest = await cluster.rest('listener');
    for (const page of [
      (after: number) => listener.ask('history:get', { roomId, after, limit: 200 }),
      (after: number) => rest.ok('GET', `/v1/rooms/${roomId}/messages?after=${after}&limit=200`, HistoryPage),
    ]) {
      const history: Message[] = [];
      for (let more = true; more;) {
        const { messages, hasAfter } = await page(history.at(-1)?.seq ?? 0);
        history.push(...messages);
        more = hasAfter;
      }
      expect(history.map(line)).toEqual(wanted);
      expect(history.map(({ seq }) => seq)).toEqual(wanted.map((_, i) => i + 1));
    }
    const bytes = await cluster.query<{ text: Buffer }>(
      `select convert_to(text, 'UTF8') as text from messages where room_id = $1 order by seq`,
      [roomId],
    );
    expect(bytes.every(({ text }, i) => text.equals(Buffer.from(said[i]?.text.normalize('NFC') ?? '')))).toBe(true);
  }

  it('in Chinese come out as they went in, through sockets', async () => {
    const rooms = await recorded('kdconv-zh', 3, 350);
    expect(rooms.size).toBe(3);
    await Promise.all(
      [...rooms].map(async ([name, said]) => {
        const { id: roomId } = (await listener.ask('room:create', { name })).room;
        const users = new Map<string, PlainClient>();
        for (const user of new Set(said.map((each) => each.user))) {
          const client = await cluster.connect(user);
          await client.ask('room:join', { roomId });
          users.set(user, client);
        }
        for (const [i, { user, text }] of said.entries())
          await users.get(user)?.ask('message:send', { roomId, clientMsgId: `${i}`, text });
        for (const client of users.values()) client.close();
        await compare(roomId, said);
      }),
    );
  }, 120_000);

  it('of an IRC channel come out as they went in, through REST', async () => {
    const rooms = await recorded('ubuntu-irc', 3, 350);
    expect(rooms.size).toBe(3);
    await Promise.all(
      [...rooms].map(async ([name, said]) => {
        const { id: roomId } = (await listener.ask('room:create', { name })).room;
        const users = new Map<string, Rest>();
        for (const user of new Set(said.map((each) => each.user))) {
          const rest = await cluster.rest(user);
          await rest.ok('POST', `/v1/rooms/${roomId}/join`, RoomAndMember);
          users.set(user, rest);
        }
        for (const [i, { user, text }] of said.entries())
          await users.get(user)?.ok('POST', `/v1/rooms/${roomId}/messages`, SentMessage, { clientMsgId: `${i}`, text });
        await compare(roomId, said);
      }),
    );
  }, 120_000);
});
