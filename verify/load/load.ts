import { uuidv7 } from 'uuidv7';
import { pause, until } from '../processes/program.js';
import type { Random } from '../random.js';
import type { Recorder } from '../recorder.js';
import { joinOverRest } from './join-over-rest.js';
import { PlainClient, type Place } from './plain-client.js';
import { Sender } from './sender.js';

export interface LoadShape {
  clients: number;
  rooms: number;
  /** Members of each room; together with the above it says how many rooms a client is in. */
  members: number;
  /** Sends a second, all clients together, at random times (open loop); or sends that each client keeps on their way (closed loop). */
  pace: { perSecond: number } | { onTheirWay: number };
  /** Clients that are in no room and must hear of none. */
  outsiders: number;
  /** Members of one large room beside the others. */
  crowd?: number;
  /** Shortest and longest text. */
  text: [number, number];
  /** Edits, deletions, reactions and read marks a second; and users who join and leave, how often a second. */
  beside?: { editsPerSecond: number; visitors: number; movesPerSecond: number };
}

const beside = { editsPerSecond: 25, visitors: 6, movesPerSecond: 2 };

export const loads = {
  L1: { clients: 60, rooms: 10, members: 12, pace: { perSecond: 50 }, outsiders: 4, text: [20, 200], beside },
  L2: { clients: 600, rooms: 50, members: 12, pace: { perSecond: 100 }, outsiders: 10, text: [20, 200], beside },
  L3: { clients: 5_000, rooms: 200, members: 25, pace: { perSecond: 50 }, outsiders: 0, text: [20, 200], crowd: 1_000 },
  L4: { clients: 20, rooms: 1, members: 20, pace: { onTheirWay: 8 }, outsiders: 2, text: [20, 200] },
} satisfies Record<string, LoadShape> as Record<'L1' | 'L2' | 'L3' | 'L4', LoadShape>;

export type LoadName = keyof typeof loads;

export interface LoadOptions {
  shape: LoadShape;
  recorder: Recorder;
  random: Random;
  places: Place[];
  /** Where client number so and so connects; without it, anywhere, as behind a balancer without stickiness. */
  placeOf?: (client: number, places: readonly Place[]) => Place | undefined;
  token: (user: string) => Promise<string>;
  /** Told of each acknowledged message. */
  onSent?: (roomId: string, seq: number, sender: PlainClient) => void;
}

/** Connections that are opened a second, so that the preparation is no storm; of a large load so many that it takes so many seconds. */
const connectsPerSecond = 150;
const connectSeconds = 15;
const joinsAtOnce = 24;
/** The share of sends that mention somebody. */
const mentioning = 0.1;

/** N clients over M rooms: makes them, and sends at the chosen pace until it is told to stop. */
export class Load {
  readonly clients: PlainClient[] = [];
  readonly outsiders: PlainClient[] = [];
  readonly senders: Sender[] = [];
  readonly rooms: string[] = [];
  /** By client: the ids of its rooms. */
  readonly roomsOf = new Map<PlainClient, string[]>();
  /** Of the rooms that no load is sent to. */
  private readonly firstOf = new Map<string, PlainClient>();
  private readonly members = new Map<string, readonly PlainClient[]>();
  private timer: NodeJS.Timeout | undefined;
  private running = false;
  private turn = 0;
  private readonly random: Random;

  constructor(private readonly options: LoadOptions) {
    this.random = options.random.fork('load');
  }

  /** Connects every client, makes the rooms and lets the members in. */
  async prepare(): Promise<void> {
    const { shape, recorder } = this.options;
    for (let i = 0; i < shape.clients; i++) {
      const client = await this.client(`c${i}`, `u${i}`, i);
      this.clients.push(client);
      const sender = new Sender(client, recorder);
      sender.onSent = ({ message }) => this.options.onSent?.(message.roomId, message.seq, client);
      this.senders.push(sender);
      this.roomsOf.set(client, []);
    }
    for (let i = 0; i < shape.outsiders; i++) this.outsiders.push(await this.client(`x${i}`, `ux${i}`));
    if (shape.crowd !== undefined) await this.gather(shape.crowd);
    const everyone = [...this.clients, ...this.outsiders];
    const every = 1_000 / Math.max(connectsPerSecond, everyone.length / connectSeconds);
    const since = performance.now();
    for (const [i, client] of everyone.entries()) {
      const early = since + i * every - performance.now();
      if (early > 0) await pause(early);
      client.connect();
    }
    await until(() => everyone.every(({ live }) => live), 60_000, 'every client is connected');
    if (shape.crowd === undefined) await Promise.all(Array.from({ length: shape.rooms }, (_, i) => this.room(i)));
  }

  /** Of every load the same clients send to the same rooms in the same order; when, the answers decide in a closed loop. */
  start(): void {
    const { pace } = this.options.shape;
    this.running = true;
    if ('onTheirWay' in pace) {
      this.senders.forEach((sender, i) => {
        const fill = () => {
          while (this.running && sender.waiting < pace.onTheirWay) this.sendOne(i);
        };
        sender.onRoom = fill;
        fill();
      });
      return;
    }
    let due = performance.now();
    this.timer = setInterval(() => {
      for (; due <= performance.now(); due += this.random.exponential(1_000 / pace.perSecond)) {
        this.sendOne(this.random.int(this.clients.length));
      }
    }, 4);
  }

  /** No new sends; those that wait are sent still. */
  stop(): void {
    this.running = false;
    clearInterval(this.timer);
  }

  get shape(): LoadShape {
    return this.options.shape;
  }

  /** Sends that are not acknowledged yet. */
  get waiting(): number {
    return this.senders.reduce((sum, { waiting }) => sum + waiting, 0);
  }

  get counts(): { acknowledged: number; refused: number; triedAgain: number } {
    const sum = { acknowledged: 0, refused: 0, triedAgain: 0 };
    for (const { counts } of this.senders) {
      sum.acknowledged += counts.acknowledged;
      sum.refused += counts.refused;
      sum.triedAgain += counts.triedAgain;
    }
    return sum;
  }

  close(): void {
    this.stop();
    for (const sender of this.senders) sender.stop();
    for (const client of [...this.clients, ...this.outsiders]) client.close();
  }

  /** A client of this load that is in no room yet. */
  async client(name: string, user: string, number?: number): Promise<PlainClient> {
    const { recorder, token } = this.options;
    return new PlainClient({
      name,
      user,
      token: await token(user),
      recorder,
      random: this.random.fork(name),
      place: () => this.place(number),
    });
  }

  /** One room more, with the first `members` clients, and how to send to it beside the load. */
  async crowd(name: string, members: number): Promise<{ roomId: string; send: (text: string) => void }> {
    const roomId = uuidv7();
    this.options.recorder.call(roomId, name);
    const [first, ...others] = this.clients.slice(0, members) as [PlainClient, ...PlainClient[]];
    await first.request(
      'room:create',
      { roomId, name },
      { membership: { room: name, user: first.options.user, on: true } },
    );
    for (const client of [first, ...others]) {
      if (!(await client.join(roomId))) throw new Error(`${client.name} could not join ${name}`);
    }
    this.rooms.push(roomId);
    this.firstOf.set(roomId, first);
    return { roomId, send: (text) => this.senders[0]?.send(roomId, text) };
  }

  /** Somebody who is in the room from its beginning to the end. */
  memberOf(roomId: string): PlainClient | undefined {
    return this.firstOf.get(roomId) ?? this.clients.find((client) => this.roomsOf.get(client)?.includes(roomId));
  }

  /** Who is in the room from its beginning to the end. */
  membersIn(roomId: string): readonly PlainClient[] {
    let members = this.members.get(roomId);
    if (members === undefined) {
      members = this.clients.filter((client) => this.roomsOf.get(client)?.includes(roomId));
      this.members.set(roomId, members);
    }
    return members;
  }

  text(): string {
    const [shortest, longest] = this.options.shape.text;
    const length = shortest + this.random.int(longest - shortest + 1);
    let text = this.random.uint32().toString(36);
    while (text.length < length) text += ` ${this.random.uint32().toString(36)}`;
    return text.slice(0, length).trimEnd();
  }

  /** Where clients connect to. */
  get ports(): Set<number> {
    return new Set(this.options.places.map(({ url }) => Number(new URL(url).port)));
  }

  private place(client?: number): Place {
    const { places, placeOf } = this.options;
    const own = client === undefined ? undefined : placeOf?.(client, places);
    return own ?? (places[this.turn++ % places.length] as Place);
  }

  private sendOne(sender: number): void {
    const client = this.clients[sender];
    const rooms = client && this.roomsOf.get(client);
    if (rooms === undefined || rooms.length === 0) return;
    const room = this.random.pick(rooms);
    const text = this.text();
    if (this.shape.beside === undefined || this.random.next() > mentioning) this.senders[sender]?.send(room, text);
    else this.senders[sender]?.send(room, text, [this.random.pick(this.membersIn(room)).userId]);
  }

  /** The rooms of a large load, whose members join over REST before they connect: nobody has to be told of each joining. */
  private async gather(crowd: number): Promise<void> {
    const { shape, recorder } = this.options;
    const rooms = Array.from({ length: shape.rooms + 1 }, (_, index) => {
      const isCrowd = index === shape.rooms;
      const name = isCrowd ? 'large' : `r${index}`;
      const members = isCrowd ? this.clients.slice(0, crowd) : this.membersOf(index);
      return { roomId: uuidv7(), name, members };
    });
    const url = () => `${this.place().url}/v1/rooms`;
    const joins: (() => Promise<void>)[] = [];
    for (const [index, { roomId, name, members }] of rooms.entries()) {
      recorder.call(roomId, name);
      this.rooms[index] = roomId;
      for (const client of members) this.roomsOf.get(client)?.push(roomId);
      await joinOverRest(members[0] as PlainClient, url(), roomId, { roomId, name });
      for (const client of members.slice(1)) joins.push(() => joinOverRest(client, `${url()}/${roomId}/join`, roomId));
    }
    // Rooms in turn, so that those who join at the same time do not wait for one room's lock.
    const order = this.random.fork('joins').shuffled(joins).values();
    await Promise.all(
      Array.from({ length: joinsAtOnce }, async () => {
        for (const join of order) await join();
      }),
    );
  }

  private membersOf(room: number): PlainClient[] {
    const { members } = this.options.shape;
    return Array.from(
      { length: members },
      (_, j) => this.clients[(room * members + j) % this.clients.length] as PlainClient,
    );
  }

  private async room(index: number): Promise<void> {
    const { recorder } = this.options;
    const roomId = uuidv7();
    const name = `r${index}`;
    recorder.call(roomId, name);
    this.rooms[index] = roomId;
    for (const [j, client] of this.membersOf(index).entries()) {
      if (j === 0) {
        const noted = { membership: { room: name, user: client.options.user, on: true } };
        await client.request('room:create', { roomId, name }, noted);
      }
      if (!(await client.join(roomId))) throw new Error(`${client.name} could not join ${name}`);
      this.roomsOf.get(client)?.push(roomId);
    }
  }
}
