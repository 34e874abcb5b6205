import { pause, until } from '../../verify/processes/program.js';
import { Random } from '../../verify/random.js';
import { BenchClient } from './client.js';
import { Churn } from './churn.js';
import { dialects, type Dialect } from './dialect.js';
import { Histogram } from './histogram.js';
import type { Job, Outcome } from './job.js';
import { inTurns } from './in-turns.js';
import { FrameReader, markOf } from './marks.js';

const ANSWERS_WITHIN = 10_000;
const ARRIVES_WITHIN = 20_000;
/** How long it may take to count what the servers have used so far, in ms; that takes from this process, and is not measured. */
const COUNTED_WITHIN = 300;
/** A sender that is refused tries again after this, in ms. */
const REFUSED_PAUSE = 50;

interface Room {
  id: string;
  members: Member[];
  /** What was acknowledged of it: how many messages, and the sum of their ids. */
  count: number;
  sum: number;
}

/** A connection, and all the rooms that it is in throughout. */
interface Member {
  client: BenchClient;
  rooms: Room[];
  /** What it was given: how many messages, and the sum of their ids. */
  count: number;
  sum: number;
}

interface Sender {
  member: Member;
  room: Room;
}

/**
 * The load of one measurement. Connections are raw WebSockets, and what the members of a room are given alike is read once,
 * so that it takes less than the server does.
 */
export class Generator {
  private readonly dialect: Dialect;
  private readonly reader = new FrameReader();
  private members: Member[] = [];
  private senders: Sender[] = [];
  /** By id, when each message was sent, or was due, by `performance.now()`. */
  private readonly sentAt: number[] = [0];
  private readonly open = new Map<number, Sender>();
  private readonly acks = new Histogram();
  private readonly deliveries = new Histogram();
  private churn: Churn | undefined;
  /** The measured time. */
  private begin = Infinity;
  private end = Infinity;
  private sending = false;
  private refused = 0;
  private lastDelivery = 0;
  /** So far. */
  private readonly total = { sends: 0, deliveries: 0, frames: 0, bytes: 0 };

  constructor(private readonly job: Job) {
    this.dialect = dialects[job.dialect];
  }

  /** Connects everybody and makes and joins the rooms. @throws when the server does not take part */
  async prepare(): Promise<void> {
    const { rooms, tokens, urls } = this.job;
    this.members = await inTurns(tokens.length, async (i) => {
      const client = await BenchClient.connect(urls[i % urls.length] ?? '', this.dialect, tokens[i] ?? '');
      return { client, rooms: [], count: 0, sum: 0 };
    });
    const made = await inTurns(rooms.length, (r) => this.make(r));
    const joining = made.flatMap((room, r) =>
      rooms[r]?.id === undefined ? room.members.map((member) => ({ member, room })) : [],
    );
    await inTurns(joining.length, async (i) => {
      const { member, room } = joining[i] ?? {};
      if (member !== undefined && room !== undefined) await member.client.ask(i, this.dialect.join(i, room.id));
    });
    for (const room of made) for (const member of room.members) member.rooms.push(room);
    for (const member of this.members) {
      member.client.onEvent = (frame) => this.take(member, frame);
      member.client.onAck = (id, ok) => this.acknowledge(id, ok);
    }
    // Mixed, so that an open pace does not give one room everything at once.
    this.senders = new Random('senders').shuffled(
      made.flatMap((room, r) => room.members.slice(0, rooms[r]?.senders).map((member) => ({ member, room }))),
    );
    if (this.job.churn !== undefined) {
      this.churn = new Churn(
        this.job.churn,
        this.dialect,
        made.map(({ id }) => id),
      );
      await this.churn.prepare(urls);
    }
  }

  /** @param mark told when the measured time begins and ends */
  async run(mark: (type: 'begin' | 'end') => void): Promise<Outcome> {
    const { pace, warmUpMs, lengthMs, arrivesWithinMs = ARRIVES_WITHIN } = this.job;
    this.sending = true;
    this.churn?.start();
    const schedule = pace.kind === 'open' ? this.sendWhenDue(pace.perSecond) : undefined;
    if (pace.kind === 'closed') for (const sender of this.senders) this.sendFrom(sender, performance.now());
    await pause(warmUpMs);
    mark('begin');
    await pause(COUNTED_WITHIN);
    this.begin = performance.now();
    const before = { cpu: process.cpuUsage(), ...this.total };
    await pause(lengthMs);
    this.end = performance.now();
    const cpu = process.cpuUsage(before.cpu);
    const after = { ...this.total };
    mark('end');
    this.sending = false;
    clearInterval(schedule);
    const churned = await this.churn?.stop(ANSWERS_WITHIN);
    await until(() => this.open.size === 0, ANSWERS_WITHIN, 'all is answered').catch(() => undefined);
    await until(() => this.missing() === 0, arrivesWithinMs, 'all has arrived').catch(() => undefined);
    await pause(200); // what comes again comes late
    const seconds = (this.end - this.begin) / 1_000;
    const rate = (of: keyof typeof after): number => (after[of] - before[of]) / seconds;
    return {
      sendsPerSecond: rate('sends'),
      deliveriesPerSecond: rate('deliveries'),
      framesPerSecond: rate('frames'),
      bytesPerSecond: rate('bytes'),
      ackP50: this.acks.quantile(0.5),
      ackP99: this.acks.quantile(0.99),
      deliveryP50: this.deliveries.quantile(0.5),
      deliveryP99: this.deliveries.quantile(0.99),
      lost: this.missing(),
      doubled: this.doubled(),
      refused: this.refused,
      unanswered: this.open.size,
      cut: this.members.filter(({ client }) => client.isOver).length,
      behindMs: Math.max(0, this.lastDelivery - this.end),
      generatorCpu: (cpu.user + cpu.system) / 1e6 / seconds,
      ...(churned === undefined ? {} : { churned }),
    };
  }

  close(): void {
    for (const { client } of this.members) client.close();
    this.churn?.close();
  }

  private async make(r: number): Promise<Room> {
    const { id, members } = this.job.rooms[r] ?? { members: [] };
    const own = members.flatMap((i) => this.members[i] ?? []);
    return { id: id ?? (await this.create(own[0], r)), members: own, count: 0, sum: 0 };
  }

  private async create(owner: Member | undefined, r: number): Promise<string> {
    const name = `bench-${r}`;
    if (this.dialect.createRoom === undefined || owner === undefined) return name;
    return this.dialect.roomIdOf(await owner.client.ask(r, this.dialect.createRoom(r, name)));
  }

  /** An open loop: a send that is late counts from when it was due, so that no stall hides what it held up. */
  private sendWhenDue(perSecond: number): NodeJS.Timeout {
    const since = performance.now();
    let next = 0;
    return setInterval(() => {
      for (let due = since; ; next += 1) {
        due = since + (next * 1_000) / perSecond;
        if (due > performance.now()) return;
        const sender = this.senders[next % this.senders.length];
        if (sender !== undefined) this.sendFrom(sender, due);
      }
    }, 1);
  }

  private sendFrom(sender: Sender, at: number): void {
    const { member, room } = sender;
    const id = this.sentAt.push(at) - 1;
    this.open.set(id, sender);
    member.client.send(this.dialect.send(id, room.id, markOf(id).padEnd(this.job.textLength, '.')));
  }

  private acknowledge(id: number, ok: boolean): void {
    const sender = this.open.get(id);
    if (sender === undefined) return;
    this.open.delete(id);
    const now = performance.now();
    if (ok) {
      this.total.sends += 1;
      sender.room.count += 1;
      sender.room.sum += id;
      this.note(this.acks, id, now);
    } else this.refused += 1;
    if (!this.sending || this.job.pace.kind === 'open') return;
    if (ok) this.sendFrom(sender, now);
    else
      setTimeout(() => {
        if (this.sending) this.sendFrom(sender, performance.now());
      }, REFUSED_PAUSE);
  }

  private take(member: Member, frame: Buffer): void {
    const ids = this.reader.idsOf(frame);
    if (ids.length === 0) return;
    const now = performance.now();
    this.lastDelivery = now;
    this.total.deliveries += ids.length;
    this.total.frames += 1;
    this.total.bytes += frame.length;
    member.count += ids.length;
    for (const id of ids) {
      member.sum += id;
      this.note(this.deliveries, id, now);
    }
  }

  /** Whatever was sent in the measured time counts, also what came after it: leaving that out would flatter who is behind. */
  private note(times: Histogram, id: number, now: number): void {
    const at = this.sentAt[id] ?? NaN;
    if (at >= this.begin && at < this.end) times.add(now - at);
  }

  /** Deliveries that are still to come. */
  private missing(): number {
    return this.members.reduce((sum, member) => sum + Math.max(0, expected(member).count - member.count), 0);
  }

  /** Deliveries too many; and members to whom the right number came, but not the right ones. What was not answered may have come. */
  private doubled(): number {
    const unanswered = new Set([...this.open.values()].map(({ room }) => room));
    return this.members.reduce((sum, member) => {
      if (member.rooms.some((room) => unanswered.has(room))) return sum;
      const { count, sum: ids } = expected(member);
      return sum + (count === member.count && ids !== member.sum ? 1 : Math.max(0, member.count - count));
    }, 0);
  }
}

/** What was acknowledged in all rooms of a member. */
function expected({ rooms }: Member): { count: number; sum: number } {
  return {
    count: rooms.reduce((sum, room) => sum + room.count, 0),
    sum: rooms.reduce((sum, room) => sum + room.sum, 0),
  };
}
