import { uuidv7 } from 'uuidv7';
import { requests, type RequestName } from '../../src/protocol/index.js';
import { RawConnection } from '../load/raw-connection.js';
import { pause } from '../processes/program.js';
import type { Random } from '../random.js';
import { Mutations, type Fuzzed } from './mutations.js';

/** Packets in one write. */
const batch = 60;
/** Writes on one connection; then comes one that most likely ends it, or leaves it waiting for the rest of a frame. */
const batches = 3;
/** How long a connection that is open may say nothing to a question, in ms. */
const patienceMs = 5_000;
const names = Object.keys(requests) as RequestName[];
/** How long the last packet of a connection gets to end it, in ms. */
const lastWordMs = 30;

export interface FuzzCounts {
  packets: number;
  engine: number;
  parser: number;
  event: number;
  /** Frames that came back: replies, errors, the packets of new connections. */
  answered: number;
  /** Connections that the server ended, as a broken frame or packet deserves. */
  ended: number;
  /** Connections that the server did not take. */
  refused: number;
  /** Open connections that no longer answered, after packets that leave a connection usable. */
  mute: number;
}

export interface FuzzOptions {
  urls: string[];
  token: string;
  roomId: string;
  random: Random;
  /** Connections at the same time. */
  connections: number;
}

/** Sends so many mutated packets, as fast as the instances take them. */
export async function fuzz(options: FuzzOptions, packets: number, isOver: () => boolean): Promise<FuzzCounts> {
  const counts: FuzzCounts = { packets: 0, engine: 0, parser: 0, event: 0, answered: 0, ended: 0, refused: 0, mute: 0 };
  await Promise.all(
    Array.from({ length: options.connections }, async (_, i) => {
      const mutations = new Mutations(options.random.fork(`connection ${i}`), samplesOf(options.roomId));
      const url = options.urls[i % options.urls.length] ?? '';
      while (counts.packets < packets && !isOver()) await fuzzOnce(url, options.token, mutations, counts, packets);
    }),
  );
  return counts;
}

/** On one connection, for as long as it lasts. */
async function fuzzOnce(
  url: string,
  token: string,
  mutations: Mutations,
  counts: FuzzCounts,
  packets: number,
): Promise<void> {
  const connection = await RawConnection.open(url);
  if (connection === undefined) {
    counts.refused += 1;
    await pause(50);
    return;
  }
  connection.send(`40${JSON.stringify({ token })}`);
  await next(connection, 'session:ready');
  for (let i = 0; i < batches && !connection.isOver && counts.packets < packets; i++) {
    const made = Array.from({ length: batch }, () => mutations.gentle());
    // Its answer tells that all before it was read.
    const read = next(connection, '439999999[');
    connection.write(Buffer.concat(made.map(({ bytes }) => bytes)));
    connection.send('429999999["no:such:thing"]');
    if (await read) count(counts, made);
    else {
      if (isOpen(connection)) counts.mute += 1;
      break;
    }
  }
  const last = mutations.rough();
  if (connection.write(last.bytes)) {
    count(counts, [last]);
    await Promise.race([connection.closed, pause(lastWordMs)]);
  }
  counts.answered += connection.received;
  if (connection.isOver) counts.ended += 1;
  connection.destroy();
}

/** Now, whatever it was a moment ago. */
function isOpen(connection: RawConnection): boolean {
  return !connection.isOver;
}

/** Whether such a frame came before the connection ended or nothing had come for too long. */
async function next(connection: RawConnection, text: string): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const came = new Promise<boolean>((resolve) => {
    connection.onText = (received) => {
      if (received.includes(text)) resolve(true);
    };
    timer = setTimeout(() => resolve(false), patienceMs);
  });
  const answered = await Promise.race([came, connection.closed.then(() => false)]);
  clearTimeout(timer);
  return answered;
}

function count(counts: FuzzCounts, made: Fuzzed[]): void {
  counts.packets += made.length;
  for (const { level } of made) counts[level] += 1;
}

/** Requests of every kind, right or nearly so; in an own room of nobody nothing of it is ever stored. */
export function samplesOf(roomId: string): string[] {
  return names.flatMap((event) =>
    event === 'room:create'
      ? [JSON.stringify([event, { name: '' }])]
      : [requestOf(event, roomId), { roomId }, {}].map((request) => JSON.stringify([event, request])),
  );
}

/** What such a request may say of itself, as far as there is one thing to say for all. */
export function requestOf(event: RequestName, roomId: string): Record<string, unknown> {
  const all = { roomId, clientMsgId: uuidv7(), text: 'Hello', name: 'Room', limit: 5, after: 0, seq: 1, emoji: '👍' };
  const known = fieldsOf(event);
  return Object.fromEntries(Object.entries(all).filter(([name]) => known.includes(name)));
}

/** The names that the schema of a request knows. */
export function fieldsOf(event: RequestName): string[] {
  return Object.keys(requests[event].request.shape);
}
