import { BenchClient } from './client.js';
import { dialects, type Dialect } from './dialect.js';
import { Histogram } from './histogram.js';
import type { Job, Outcome } from './job.js';
import { inTurns } from './in-turns.js';
import { FrameReader, markOf } from './marks.js';

const ANSWERS_WITHIN = 10_000;
const ARRIVES_WITHIN = 20_000;
/** A sender that is refused tries again after this, in ms. */
const REFUSED_PAUSE = 50;

interface Room {
  id: string;
  members: Member[];
  /** What was acknowledged of it: how many messages, and the sum of their ids. */
  count: number;
  sum: number;
}

interface Member {
  client: BenchClient;
  room: Room;
  /** What it was given: how many messages, and the sum of their ids. */
  count: number;
  sum: number;
}

/**
 * The load of one measurement. Connections are raw WebSockets, and what the members of a room are given alike is read once,
 * so that it takes less than the server does.
 */
export class Generator {
  private readonly dialect: Dialect;
  private readonly reader = new FrameReader();
  private readonly rooms: Room[] = [];
  private readonly senders: Member[] = [];
  /** By id, when each message was sent, or was due, by `performance.now()`. */
  private readonly sentAt: number[] = [0];
  private readonly open = new Map<number, Member>();
  private readonly acks = new Histogram();
  private readonly deliveries = new Histogram();
  private measuring = false;
  private sending = false;
  private sends = 0;
  private delivered = 0;
  private refused = 0;
  private lastDelivery = 0;

  constructor(private readonly job: Job) {
    this.dialect = dialects[job.dialect];
  }

  /** Connects everybody and makes and joins the rooms. @throws when the server does not take part */
  async prepare(): Promise<void> {
    const { rooms, members, tokens, urls } = this.job;
    const clients = await inTurns(rooms * members, (i) =>
      BenchClient.connect(urls[i % urls.length] ?? '', this.dialect, tokens[i] ?? ''),
    );
    await inTurns(rooms, async (r) => {
      const own = clients.slice(r * members, (r + 1) * members);
      const room: Room = { id: await this.make(own[0], r), members: [], count: 0, sum: 0 };
      room.members = own.map((client) => ({ client, room, count: 0, sum: 0 }));
      this.rooms[r] = room;
    });
    const everyone = this.rooms.flatMap((room) => room.members);
    await inTurns(everyone.length, async (i) => {
      const member = everyone[i];
      if (member === undefined) return;
      await member.client.ask(2, this.dialect.join(2, member.room.id));
      member.client.onEvent = (frame) => this.take(member, frame);
      member.client.onAck = (id, ok) => this.acknowledge(id, ok);
    });
    this.senders.push(...this.rooms.flatMap((room) => room.members.slice(0, this.job.senders)));
  }

  /** @param mark told when the measured time begins and ends */
  async run(mark: (type: 'begin' | 'end') => void): Promise<Outcome> {
    const { pace, warmUpMs, lengthMs } = this.job;
    this.sending = true;
    const schedule = pace.kind === 'open' ? this.sendWhenDue(pace.perSecond) : undefined;
    if (pace.kind === 'closed') for (const sender of this.senders) this.sendFrom(sender, performance.now());
    await pause(warmUpMs);
    mark('begin');
    this.measuring = true;
    const before = { at: performance.now(), cpu: process.cpuUsage(), sends: this.sends, delivered: this.delivered };
    await pause(lengthMs);
    this.measuring = false;
    const seconds = (performance.now() - before.at) / 1_000;
    const cpu = process.cpuUsage(before.cpu);
    const [sends, delivered] = [this.sends - before.sends, this.delivered - before.delivered];
    mark('end');
    this.sending = false;
    clearInterval(schedule);
    const ended = performance.now();
    await holds(() => this.open.size === 0, ANSWERS_WITHIN);
    await holds(() => this.missing() === 0, ARRIVES_WITHIN);
    await pause(200); // what comes again comes late
    return {
      sendsPerSecond: sends / seconds,
      deliveriesPerSecond: delivered / seconds,
      ackP50: this.acks.quantile(0.5),
      ackP99: this.acks.quantile(0.99),
      deliveryP50: this.deliveries.quantile(0.5),
      deliveryP99: this.deliveries.quantile(0.99),
      lost: this.missing(),
      doubled: this.doubled(),
      refused: this.refused,
      unanswered: this.open.size,
      behindMs: Math.max(0, this.lastDelivery - ended),
      generatorCpu: (cpu.user + cpu.system) / 1e6 / seconds,
    };
  }

  close(): void {
    for (const { members } of this.rooms) for (const { client } of members) client.close();
  }

  private async make(client: BenchClient | undefined, r: number): Promise<string> {
    const name = `bench-${r}`;
    if (this.dialect.createRoom === undefined || client === undefined) return name;
    return this.dialect.roomIdOf(await client.ask(1, this.dialect.createRoom(1, name)));
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

  private sendFrom(sender: Member, at: number): void {
    const id = this.sentAt.push(at) - 1;
    this.open.set(id, sender);
    sender.client.send(this.dialect.send(id, sender.room.id, markOf(id).padEnd(this.job.textLength, '.')));
  }

  private acknowledge(id: number, ok: boolean): void {
    const sender = this.open.get(id);
    if (sender === undefined) return;
    this.open.delete(id);
    const now = performance.now();
    if (ok) {
      this.sends += 1;
      sender.room.count += 1;
      sender.room.sum += id;
      if (this.measuring) this.acks.add(now - (this.sentAt[id] ?? NaN));
    } else this.refused += 1;
    if (!this.sending || this.job.pace.kind === 'open') return;
    if (ok) this.sendFrom(sender, now);
    else setTimeout(() => this.sendFrom(sender, performance.now()), REFUSED_PAUSE);
  }

  private take(member: Member, frame: Buffer): void {
    const ids = this.reader.idsOf(frame);
    if (ids.length === 0) return;
    const now = performance.now();
    this.lastDelivery = now;
    this.delivered += ids.length;
    member.count += ids.length;
    for (const id of ids) {
      member.sum += id;
      if (this.measuring) this.deliveries.add(now - (this.sentAt[id] ?? NaN));
    }
  }

  /** Deliveries that are still to come. */
  private missing(): number {
    return this.count(({ room, count }) => room.count - count);
  }

  /** Deliveries too many; and members to whom the right number came, but not the right ones. */
  private doubled(): number {
    return this.count(({ room, count, sum }) => (count === room.count && sum !== room.sum ? 1 : count - room.count));
  }

  private count(of: (member: Member) => number): number {
    let total = 0;
    for (const { members } of this.rooms) for (const member of members) total += Math.max(0, of(member));
    return total;
  }
}

async function holds(condition: () => boolean, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!condition() && performance.now() < deadline) await pause(20);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
