import { Histogram } from '../checks/histogram.js';
import type { Cluster } from '../processes/cluster.js';
import { add, compare, none, type Differences, type Found } from './compare.js';
import type { Said } from './conversation.js';
import { Listener } from './listener.js';
import { tokenOf } from '../processes/token.js';
import { Speakers } from './speakers.js';

/** A speaker is connected before his turn comes: so many messages of his room before. */
const AHEAD = 8;
/** A listener who hears nothing for so long has heard all that he will, in ms. */
const SILENCE = 15_000;
const PAGE = 200;

export interface ReplayOptions {
  said: readonly Said[];
  cluster: Cluster;
  /** Sends a second, over all rooms; undefined: as fast as each room's order allows. */
  rate: number | undefined;
  /** Speakers connected at a time. */
  sockets: number;
  progress: (sent: number) => void;
}

export interface Replayed {
  sent: number;
  seconds: number;
  /** Messages that reached a connected member, listeners and speakers together. */
  deliveries: number;
  connects: number;
  /** In µs. */
  acknowledgement: Histogram;
  delivery: Histogram;
  /** Against the file: what Postgres has, what each instance tells over REST, what each listener heard. */
  compared: { where: string; differences: Differences }[];
}

/**
 * Says everything in the conversation again, each message by its own user over the SDK, each room in the order of the file:
 * the next speaker waits until the one before was acknowledged, as people do. Rooms go side by side.
 */
export async function replay({ said, cluster, rate, sockets, progress }: ReplayOptions): Promise<Replayed> {
  const urls = cluster.nodes.map(({ url }) => url);
  const sentAt = new Map<string, number>();
  const acknowledgement = new Histogram();
  const delivery = new Histogram();
  const listeners = urls.map((url, i) => new Listener(`listener-${i + 1}`, url, sentAt, delivery));
  let overheard = 0;
  const speakers = new Speakers(urls, sockets, () => (overheard += 1));
  try {
    const byRoom = new Map<string, Said[]>();
    for (const each of said) {
      const ofRoom = byRoom.get(each.room);
      if (ofRoom === undefined) byRoom.set(each.room, [each]);
      else ofRoom.push(each);
    }
    const rooms = new Map<string, readonly Said[]>();
    for (const [name, ofRoom] of byRoom) {
      const roomId = (await listeners[0]?.open(name)) ?? '';
      for (const listener of listeners.slice(1)) await listener.join(roomId);
      rooms.set(roomId, ofRoom);
    }

    const turn = pacer(rate);
    const begun = performance.now();
    let sent = 0;
    const sayRoom = async (roomId: string, ofRoom: readonly Said[]): Promise<void> => {
      const ahead = ofRoom.slice(0, AHEAD).map(({ user }) => speakers.take(user, roomId));
      for (const [i, { id, user, text }] of ofRoom.entries()) {
        const next = ofRoom[i + AHEAD];
        if (next !== undefined) ahead.push(speakers.take(next.user, roomId));
        const client = await ahead.shift();
        await turn();
        const since = performance.now();
        sentAt.set(String(id), since);
        await client?.send(roomId, text, { clientMsgId: String(id) }).sent;
        acknowledgement.add((performance.now() - since) * 1_000);
        speakers.release(user);
        progress((sent += 1));
      }
    };
    await Promise.all([...rooms].map(([roomId, ofRoom]) => sayRoom(roomId, ofRoom)));
    const seconds = (performance.now() - begun) / 1_000;
    for (const listener of listeners) await listener.until(said.length, SILENCE);
    speakers.close();

    const compared = [
      { where: 'Postgres', differences: await comparedWith(rooms, (roomId) => fromPostgres(cluster, roomId)) },
    ];
    for (const [i, { name, url }] of listeners.entries()) {
      compared.push({
        where: `REST of instance ${i + 1}`,
        differences: await comparedWith(rooms, (roomId) => fromRest(url, name, roomId)),
      });
    }
    for (const listener of listeners) {
      const differences = await comparedWith(rooms, (roomId) => Promise.resolve(listener.roomOf(roomId)));
      compared.push({
        where: `${listener.name}, live`,
        differences: { ...differences, lost: differences.lost + listener.resets },
      });
    }
    const heard = listeners.reduce((sum, { count }) => sum + count, 0);
    const { connects } = speakers;
    return { sent, seconds, deliveries: heard + overheard, connects, acknowledgement, delivery, compared };
  } finally {
    speakers.close();
    for (const listener of listeners) listener.close();
  }
}

async function comparedWith(
  rooms: ReadonlyMap<string, readonly Said[]>,
  read: (roomId: string) => Promise<Found[]>,
): Promise<Differences> {
  let differences = none;
  for (const [roomId, said] of rooms) differences = add(differences, compare(said, await read(roomId)));
  return differences;
}

function fromPostgres({ postgres, databaseUrl }: Cluster, roomId: string): Promise<Found[]> {
  const sql = `select client_msg_id as "clientMsgId", text from messages where room_id = $1 order by seq`;
  return postgres.query<Found>(sql, [roomId], databaseUrl);
}

async function fromRest(url: string, user: string, roomId: string): Promise<Found[]> {
  const headers = { authorization: `Bearer ${await tokenOf(user)}` };
  const found: Found[] = [];
  for (let after = 0, more = true; more;) {
    const response = await fetch(`${url}/v1/rooms/${roomId}/messages?after=${after}&limit=${PAGE}`, { headers });
    if (!response.ok) throw new Error(`The history of a room is answered with ${response.status}`);
    const page = (await response.json()) as { messages: (Found & { seq: number })[]; hasAfter: boolean };
    found.push(...page.messages);
    after = page.messages.at(-1)?.seq ?? after;
    more = page.hasAfter;
  }
  return found;
}

/** Resolves each time one more may be sent. */
function pacer(rate: number | undefined): () => Promise<void> {
  if (rate === undefined) return () => Promise.resolve();
  let next = performance.now();
  return async () => {
    const wait = next - performance.now();
    next = Math.max(next, performance.now() - 1_000) + 1_000 / rate;
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  };
}
