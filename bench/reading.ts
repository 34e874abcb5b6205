import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { tokenOf } from '../verify/processes/token.js';
import { fillMessages, fillRooms, type FilledRoom } from './fill.js';
import { BenchClient } from './load/client.js';
import { dialects, packet } from './load/dialect.js';
import { Histogram } from './load/histogram.js';
import { measure, type Figures } from './measure.js';
import type { Backing } from './servers/backing.js';
import { contenderOf, withContender } from './servers/contenders.js';
import type { ServerProcess } from './servers/server-process.js';
import { apart, closed, windows, type Workload } from './workloads.js';

const rooms = 2_000;
const writers = 1_000;
/** The rooms of him who reads: the largest, and as many small ones. */
const ownRooms = 200;
const page = 50;
const pages = 2_000;
const syncs = 300;
const explained = 300;

/** In ms. */
export interface Times {
  p50: number;
  p99: number;
}

/** W5: what it costs to read, and to send, where much is stored. One client asks for one thing after another. */
export interface Reading {
  messages: number;
  fillSeconds: number;
  /** A page of 50 before a random place of a random room; as the client sees it, and what all its statements take inside Postgres. */
  history: Times;
  historyInside: Times;
  /** Of a client that has missed nothing in any of 200 rooms, and whose user has read all of them. */
  currentSync: Times;
  currentSyncInside: Times;
  /** Of a client that knows nothing yet of 200 rooms, in which nothing was read. */
  firstSync: Times;
  firstSyncInside: Times;
  /** Sends to 50 rooms of 10, as fast as it answers: among them the largest that are stored. */
  sends: Figures;
}

/** @param messages how many there are in all rooms together, most of them in few */
export function measureReading(backing: Backing, messages: number): Promise<Reading> {
  const contender = contenderOf('Parley');
  return withContender(contender, backing, async (running) => {
    const { servers, databaseUrl } = running;
    const [server] = servers;
    if (server === undefined) throw new Error('Parley has no instance');
    const database = await backing.postgres.connect(databaseUrl);
    try {
      const sending = { name: `W5-${messages}`, title: '', pace: closed, ...apart(50, 10, 4) };
      const filled = layout(sending);
      const since = performance.now();
      await fillRooms(database, filled);
      await fillMessages(
        database,
        filled.map(({ id }) => id),
        Array.from({ length: writers }, (_, n) => `writer-${n}`),
        messages,
      );
      const fillSeconds = (performance.now() - since) / 1_000;
      const workload = { ...sending, rooms: sending.rooms.map((room, r) => ({ ...room, id: filled[r]?.id ?? '' })) };
      const sends = await measure({
        contender,
        ...running,
        backing,
        workload,
        pace: workload.pace,
        windows: windows.cold,
      });
      return { messages, fillSeconds, ...(await readings(server, database)), sends };
    } finally {
      await database.end();
    }
  });
}

/** Those who send are in the largest rooms; he who reads is in the largest hundred and in every nineteenth of the others. */
function layout({ name, rooms: sending }: Workload): FilledRoom[] {
  return Array.from({ length: rooms }, (_, n) => {
    const senders = (sending[n]?.members ?? []).map((i) => `${name}-user-${i}`);
    const read = n < ownRooms / 2 || (n % 19 === 0 && n < ownRooms / 2 + (19 * ownRooms) / 2);
    const members = [...senders, ...(read ? ['reader'] : [])];
    return { id: randomUUID(), members: members.length > 0 ? members : ['writer-0'] };
  });
}

async function readings(
  server: ServerProcess,
  database: pg.Client,
): Promise<Omit<Reading, 'messages' | 'fillSeconds' | 'sends'>> {
  const client = await BenchClient.connect(server.url, dialects.parley, await tokenOf('reader'));
  const { rows: heads } = await database.query<{ id: string; seq: string; rev: string }>(
    `select room.id, room.seq, room.rev from rooms room join memberships on room_id = room.id
     join users on users.id = user_id where subject = 'reader'`,
  );
  let number = 0;
  const ask = (event: string, request: object): Promise<string> => {
    number += 1;
    return client.ask(number, packet(number, event, request));
  };
  const timed = (count: number, event: string, request: () => object): Promise<Times> =>
    timesOf(count, async () => {
      const asked = performance.now();
      await ask(event, request());
      return performance.now() - asked;
    });
  const inside = async (count: number, event: string, request: () => object): Promise<Times> => {
    await server.statements();
    return timesOf(count, async () => {
      await ask(event, request());
      return executionMs(database, await server.statements());
    });
  };
  const somewhere = (): object => {
    const { id, seq } = heads[Math.floor(Math.random() * heads.length)] ?? { id: '', seq: '1' };
    return { roomId: id, before: 1 + Math.floor(Math.random() * Number(seq)), limit: page };
  };
  const epoch = /"epoch":"([^"]+)"/.exec(await ask('rooms:sync', {}))?.[1];
  const current = (): object => ({ epoch, cursors: Object.fromEntries(heads.map(({ id, rev }) => [id, Number(rev)])) });
  const unknown = (): object => ({ cursors: {} });
  try {
    const unread = {
      history: await timed(pages, 'history:get', somewhere),
      historyInside: await inside(explained, 'history:get', somewhere),
      firstSync: await timed(syncs / 10, 'rooms:sync', unknown),
      firstSyncInside: await inside(explained / 10, 'rooms:sync', unknown),
    };
    await database.query(
      `update memberships set read_seq = rooms.seq from rooms, users
       where rooms.id = room_id and users.id = user_id and subject = 'reader'`,
    );
    return {
      ...unread,
      currentSync: await timed(syncs, 'rooms:sync', current),
      currentSyncInside: await inside(explained, 'rooms:sync', current),
    };
  } finally {
    client.close();
  }
}

async function timesOf(count: number, measured: () => Promise<number>): Promise<Times> {
  const times = new Histogram();
  for (let i = 0; i < count; i++) times.add(await measured());
  return { p50: times.quantile(0.5), p99: times.quantile(0.99) };
}

/** What these statements take inside Postgres, run again with the same values. */
async function executionMs(
  database: pg.Client,
  statements: readonly { text: string; values: unknown[] }[],
): Promise<number> {
  let sum = 0;
  for (const { text, values } of statements.filter(({ text }) => /^\s*(select|with)\b/i.test(text))) {
    const { rows } = await database.query<{ 'QUERY PLAN': { 'Execution Time': number }[] }>(
      `explain (analyze, timing off, buffers off, format json) ${text}`,
      values,
    );
    sum += rows[0]?.['QUERY PLAN'][0]?.['Execution Time'] ?? NaN;
  }
  return sum;
}
