import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Random } from '../random.js';
import type { Mode } from './lane.js';
import { Link, type ActiveCut, type Cut, type Direction } from './link.js';

export type { Mode } from './lane.js';
export type { Cut, Direction } from './link.js';

export interface Reach {
  /** `existing` leaves connections that come later alone, `new` those that are open. Otherwise both. */
  only?: 'existing' | 'new';
  /** Only connections that showed this label's bytes; see `ProxyOptions.labels`. One that shows them later is taken then. */
  label?: string;
}

export interface ProxyOptions {
  target: { host: string; port: number };
  random: Random;
  host?: string;
  port?: number;
  /** Names for connections by bytes that their client sends at any time, such as a Redis subscriber's `SUBSCRIBE`. */
  labels?: Record<string, Buffer>;
}

/**
 * A TCP proxy whose faults are switched while it runs.
 *
 * A connection that a black hole took bytes (or a close) from stays dead in that direction for ever, and no close crosses it: the
 * other side sees a silent peer, until one of the two gives up or the proxy stops. A connection that comes while `up` is a black
 * hole is accepted, hangs, and never reaches the target; one that comes during a stall reaches it when the stall ends.
 */
export class TcpProxy {
  private readonly links = new Set<Link>();
  private readonly labelled = new Map<string, Record<Direction, Mode | undefined>>();
  private readonly cuts = new Set<ActiveCut>();
  private modes: Record<Direction, Mode> = { up: { kind: 'pass' }, down: { kind: 'pass' } };
  private refusing = false;
  private limit: { direction: Direction; bytes: number } | undefined;
  readonly counts = { connections: 0, cuts: 0, resets: 0 };

  private constructor(
    private readonly server: Server,
    private readonly options: ProxyOptions,
  ) {
    server.on('connection', (client) => this.accept(client));
  }

  static async start(options: ProxyOptions): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new TcpProxy(server, options);
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get open(): number {
    return this.links.size;
  }

  /** The local ports of the connections to the target. */
  get ports(): number[] {
    return [...this.links].map(({ port }) => port);
  }

  /** Bytes of the connections that are open: what went through and what vanished. */
  get traffic(): Record<Direction, { passed: number; dropped: number }> {
    const sum = { up: { passed: 0, dropped: 0 }, down: { passed: 0, dropped: 0 } };
    for (const link of this.links) {
      for (const direction of ['up', 'down'] as const) {
        sum[direction].passed += link[direction].bytes.passed;
        sum[direction].dropped += link[direction].bytes.dropped;
      }
    }
    return sum;
  }

  set(mode: Mode | Partial<Record<Direction, Mode>>, reach: Reach = {}): void {
    const modes = 'kind' in mode ? { up: mode, down: mode } : mode;
    if (reach.only !== 'existing') {
      if (reach.label === undefined) this.modes = { ...this.modes, ...modes };
      else
        this.labelled.set(reach.label, {
          ...{ up: undefined, down: undefined },
          ...this.labelled.get(reach.label),
          ...modes,
        });
    }
    if (reach.only === 'new') return;
    for (const link of this.links) if (reach.label === undefined || link.labels.has(reach.label)) link.set(modes);
  }

  /** Resets both ends of every connection there is. */
  reset(reach: Pick<Reach, 'label'> = {}): number {
    const doomed = [...this.links].filter((link) => reach.label === undefined || link.labels.has(reach.label));
    for (const link of doomed) link.reset();
    this.counts.resets += doomed.length;
    return doomed.length;
  }

  /** New connections are reset at once, as if nothing listened. */
  refuse(on: boolean): void {
    this.refusing = on;
  }

  /** Connections that come from now on are reset once so many bytes went through in that direction. */
  cutAfter(direction: Direction, bytes: number): void {
    this.limit = { direction, bytes };
  }

  /** Starts to look for the pattern, also in the connections that are open; gives back how to stop. */
  cutOn(cut: Cut): () => void {
    const active = { cut, seen: 0, done: 0 };
    this.cuts.add(active);
    for (const link of this.links) link.watchFor(active);
    return () => this.cuts.delete(active);
  }

  /** Everything passes again; what a black hole swallowed from stays dead. */
  heal(): void {
    this.labelled.clear();
    this.cuts.clear();
    this.limit = undefined;
    this.refusing = false;
    this.set({ kind: 'pass' });
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    const gone = [...this.links].map((link) => {
      link.reset();
      return link.gone;
    });
    await Promise.all([closed, ...gone]);
  }

  private accept(client: Socket): void {
    this.counts.connections += 1;
    if (this.refusing) {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const link: Link = new Link(client, {
      target: this.options.target,
      modes: this.modes,
      random: this.options.random.fork(`link-${this.counts.connections}`),
      labels: this.options.labels ?? {},
      limit: this.limit,
      labelled: (label) => {
        const modes = this.labelled.get(label);
        if (modes !== undefined) link.set(modes);
      },
      mayCut: (active) => this.mayCut(active),
    });
    void link.gone.then(() => this.links.delete(link));
    this.links.add(link);
    for (const active of this.cuts) link.watchFor(active);
  }

  private mayCut(active: ActiveCut): boolean {
    if (!this.cuts.has(active) || active.done >= (active.cut.times ?? Infinity)) return false;
    active.seen += 1;
    if (active.seen % (active.cut.every ?? 1) !== 0) return false;
    active.done += 1;
    this.counts.cuts += 1;
    return true;
  }
}
