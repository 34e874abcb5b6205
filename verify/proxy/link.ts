import { Socket } from 'node:net';
import type { Random } from '../random.js';
import { abort, Lane, type Mode } from './lane.js';
import { PatternMatcher } from './pattern.js';

/** `up` is from the client to the target, `down` from the target to the client. */
export type Direction = 'up' | 'down';

export interface Cut {
  /** The direction to look in, and what to look for. */
  watch: Direction;
  pattern: Buffer;
  /** Cut at each n-th occurrence, counted over all connections; 1 is each. */
  every?: number;
  /** What vanishes from the pattern on, itself included; by default the direction that is watched. */
  drop?: Direction | 'both';
  /** The connection is reset on both sides this long after. */
  resetAfterMs?: number;
  /** Stop after so many cuts. */
  times?: number;
}

export interface ActiveCut {
  readonly cut: Cut;
  seen: number;
  done: number;
}

export interface LinkOptions {
  target: { host: string; port: number };
  modes: Record<Direction, Mode>;
  random: Random;
  labels: Record<string, Buffer>;
  limit: { direction: Direction; bytes: number } | undefined;
  labelled: (label: string) => void;
  mayCut: (active: ActiveCut) => boolean;
}

/** One proxied connection: two sockets and the two lanes between them. */
export class Link {
  readonly labels = new Set<string>();
  readonly up: Lane;
  readonly down: Lane;
  /** Both sockets are closed. */
  readonly gone: Promise<void>;
  private readonly upstream: Socket;
  private readonly watches: { direction: Direction; matcher: PatternMatcher; found: () => boolean }[] = [];
  private remaining: number;
  private timer: NodeJS.Timeout | undefined;
  private dialled = false;
  private sockets = 2;

  constructor(
    private readonly client: Socket,
    private readonly options: LinkOptions,
  ) {
    this.remaining = options.limit?.bytes ?? Infinity;
    this.upstream = new Socket({ allowHalfOpen: true });
    this.upstream.setNoDelay(true);
    for (const [label, pattern] of Object.entries(options.labels)) {
      this.watches.push({ direction: 'up', matcher: new PatternMatcher(pattern), found: () => this.show(label) });
    }
    this.up = new Lane(client, options.modes.up, options.random.fork('up'), (chunk) => this.inspect('up', chunk));
    this.down = new Lane(this.upstream, options.modes.down, options.random.fork('down'), (chunk) =>
      this.inspect('down', chunk),
    );
    this.down.connect(client);
    this.gone = new Promise((resolve) => {
      for (const socket of [client, this.upstream]) {
        socket.on('error', () => undefined);
        socket.on('close', () => this.closed(resolve));
      }
    });
    if (options.modes.up.kind === 'blackhole') this.up.lose();
    this.dial();
  }

  /** Of the connection to the target, on this side. */
  get port(): number {
    return this.upstream.localPort ?? 0;
  }

  set(modes: Partial<Record<Direction, Mode | undefined>>): void {
    if (modes.up !== undefined) this.up.set(modes.up);
    if (modes.down !== undefined) this.down.set(modes.down);
    this.dial();
  }

  reset(): void {
    clearTimeout(this.timer);
    this.up.stop();
    this.down.stop();
    abort(this.client);
    if (this.dialled) abort(this.upstream);
    else this.upstream.destroy();
  }

  watchFor(active: ActiveCut): void {
    const { watch, pattern, drop = watch, resetAfterMs = 0 } = active.cut;
    const found = () => {
      if (!this.options.mayCut(active)) return false;
      // The watched lane gets rid of its bytes itself, from the pattern on.
      if (drop !== 'down' && watch !== 'up') this.up.lose();
      if (drop !== 'up' && watch !== 'down') this.down.lose();
      this.timer ??= setTimeout(() => this.reset(), resetAfterMs);
      return drop === watch || drop === 'both';
    };
    this.watches.push({ direction: watch, matcher: new PatternMatcher(pattern), found });
  }

  private dial(): void {
    if (this.dialled || !this.up.flows) return;
    this.dialled = true;
    this.upstream.connect(this.options.target.port, this.options.target.host);
    this.up.connect(this.upstream);
  }

  private show(label: string): boolean {
    if (!this.labels.has(label)) {
      this.labels.add(label);
      this.options.labelled(label);
    }
    return false;
  }

  /** How many bytes of the chunk may go on. */
  private inspect(direction: Direction, chunk: Buffer): number {
    for (const watch of this.watches) {
      if (watch.direction !== direction) continue;
      for (const start of watch.matcher.feed(chunk)) if (watch.found()) return Math.max(0, start);
    }
    if (direction !== this.options.limit?.direction || chunk.length < this.remaining) {
      this.remaining -= direction === this.options.limit?.direction ? chunk.length : 0;
      return chunk.length;
    }
    this.timer ??= setTimeout(() => this.reset(), 0);
    return this.remaining;
  }

  private closed(gone: () => void): void {
    this.sockets -= 1;
    if (!this.dialled) {
      // Nobody waits on the other side: the client of a connection that never reached the target is gone.
      this.dialled = true;
      this.upstream.destroy();
    }
    if (this.sockets > 0) return;
    clearTimeout(this.timer);
    this.up.stop();
    this.down.stop();
    gone();
  }
}
