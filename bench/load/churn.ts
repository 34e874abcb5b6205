import { until } from '../../verify/processes/program.js';
import { Random } from '../../verify/random.js';
import { BenchClient } from './client.js';
import type { Dialect } from './dialect.js';
import { Histogram } from './histogram.js';
import { inTurns } from './in-turns.js';

/** What those do who come and go: so many a second of each, from all of them together. What a server does not know is left out. */
export interface ChurnJob {
  tokens: string[];
  seed: string;
  perSecond: { joinOrLeave: number; history: number; members: number; sync: number; reconnect: number };
}

type Act = keyof ChurnJob['perSecond'];

/** What came of it, warm-up included. In ms, from when it was due. */
export interface Churned {
  perSecond: number;
  p50: number;
  p99: number;
  /** Refused, or not answered. */
  failed: number;
}

interface Churner {
  client: BenchClient;
  token: string;
  url: string;
  roomIds: Set<string>;
  asked: number;
}

/** Users who join, leave, read back and reconnect in the rooms of a load. Nothing is promised of what they see of it. */
export class Churn {
  private readonly random: Random;
  private readonly acts: Act[];
  private idle: Churner[] = [];
  private readonly churners: Churner[] = [];
  /** What nobody has had time for yet: at most what falls due in one run. */
  private readonly due: { act: Act; at: number }[] = [];
  private readonly times = new Histogram();
  private timer: NodeJS.Timeout | undefined;
  private since = 0;
  private done = 0;
  private failed = 0;

  constructor(
    private readonly job: ChurnJob,
    private readonly dialect: Dialect,
    private readonly roomIds: readonly string[],
  ) {
    this.random = new Random(job.seed);
    this.acts = (Object.keys(job.perSecond) as Act[]).filter((act) => isKnown(act, dialect));
  }

  async prepare(urls: readonly string[]): Promise<void> {
    const { tokens } = this.job;
    const made = await inTurns(tokens.length, async (i): Promise<Churner> => {
      const [url, token] = [urls[i % urls.length] ?? '', tokens[i] ?? ''];
      const client = await BenchClient.connect(url, this.dialect, token);
      return { client, token, url, roomIds: new Set(), asked: 0 };
    });
    this.churners.push(...made);
    this.idle = [...made];
    // A room each from the start, so that there is something to read.
    await inTurns(made.length, (i) => this.joinOrLeave(made[i]));
  }

  start(): void {
    this.since = performance.now();
    const next = new Map(this.acts.map((act) => [act, this.since + this.pauseBefore(act)]));
    this.timer = setInterval(() => {
      for (const [act, first] of next) {
        let at = first;
        for (; at <= performance.now(); at += this.pauseBefore(act)) this.due.push({ act, at });
        next.set(act, at);
      }
      this.work();
    }, 1);
  }

  /** Resolves when all that was due has been done. */
  async stop(patienceMs: number): Promise<Churned> {
    clearInterval(this.timer);
    const seconds = (performance.now() - this.since) / 1_000;
    await until(() => this.idle.length === this.churners.length, patienceMs, 'all is done').catch(() => undefined);
    const unanswered = this.churners.length - this.idle.length + this.due.length;
    return {
      perSecond: this.done / seconds,
      p50: this.times.quantile(0.5),
      p99: this.times.quantile(0.99),
      failed: this.failed + unanswered,
    };
  }

  close(): void {
    this.due.length = 0;
    for (const { client } of this.churners) client.close();
  }

  private pauseBefore(act: Act): number {
    return this.random.exponential(1_000 / this.job.perSecond[act]);
  }

  /** What is due waits for one who has nothing to do. */
  private work(): void {
    while (this.due.length > 0 && this.idle.length > 0) {
      const [churner] = this.idle.splice(this.random.int(this.idle.length), 1);
      const next = this.due.shift();
      if (churner === undefined || next === undefined) return;
      this.carryOut(next.act, churner)
        .catch(() => (this.failed += 1))
        .finally(() => {
          this.done += 1;
          this.times.add(performance.now() - next.at);
          this.idle.push(churner);
          this.work();
        });
    }
  }

  private async carryOut(act: Act, churner: Churner): Promise<void> {
    const { history, members, sync } = this.dialect;
    if (act === 'reconnect') return this.reconnect(churner);
    if (act === 'sync') return this.ask(churner, sync);
    const [roomId] = churner.roomIds;
    if (act === 'joinOrLeave' || roomId === undefined) return this.joinOrLeave(churner);
    return this.ask(churner, (number) => (act === 'history' ? history : members)?.(number, roomId) ?? '');
  }

  /** At most three rooms each. */
  private async joinOrLeave(churner: Churner | undefined): Promise<void> {
    if (churner === undefined) return;
    const [oldest] = churner.roomIds;
    if (oldest !== undefined && (churner.roomIds.size > 2 || this.random.chance(0.5))) {
      churner.roomIds.delete(oldest);
      await this.ask(churner, (number) => this.dialect.leave(number, oldest));
    } else {
      const roomId = this.random.pick(this.roomIds);
      await this.ask(churner, (number) => this.dialect.join(number, roomId));
      churner.roomIds.add(roomId);
    }
  }

  /** Away and back, and into the rooms again: by what they know where the server keeps it, by joining where it does not. */
  private async reconnect(churner: Churner): Promise<void> {
    churner.client.close();
    churner.client = await BenchClient.connect(churner.url, this.dialect, churner.token);
    if (this.dialect.sync !== undefined) return this.ask(churner, this.dialect.sync);
    for (const roomId of churner.roomIds) await this.ask(churner, (number) => this.dialect.join(number, roomId));
  }

  /** @throws when there is no answer, or it is a no */
  private async ask(churner: Churner, packet: ((number: number) => string) | undefined): Promise<void> {
    if (packet === undefined) return;
    const number = ++churner.asked;
    await churner.client.ask(number, packet(number));
  }
}

function isKnown(act: Act, { history, members, sync }: Dialect): boolean {
  return {
    joinOrLeave: true,
    reconnect: true,
    history: history !== undefined,
    members: members !== undefined,
    sync: sync !== undefined,
  }[act];
}
