import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Random } from '../random.js';

/**
 * What a direction of a connection does with its bytes. `stall` holds them back and delivers them when it ends, as TCP does
 * after a partition that heals. `blackhole` reads and drops them: the sender sees nothing wrong, the receiver gets nothing.
 */
export type Mode =
  | { kind: 'pass' }
  /** A chunk waits `ms` ± `jitterMs`, and for the chunks before it. */
  | { kind: 'delay'; ms: number; jitterMs?: number }
  | { kind: 'throttle'; bytesPerSecond: number }
  | { kind: 'stall' }
  | { kind: 'blackhole' };

/** Resets a connection. One that is being ended cannot be reset any more (its handle would stay open for ever) and is only closed. */
export function abort(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** Bytes that wait in a lane before it stops reading its source. */
const highWater = 256 * 1024;

/**
 * One direction of a proxied connection: reads `source`, writes `sink`, in order, with the backpressure of the sink.
 * A lane that dropped bytes, or a close, stays a black hole whatever mode follows: a stream with a hole in it is no stream
 * that TCP could deliver.
 */
export class Lane {
  private readonly queue: { chunk: Buffer; due: number }[] = [];
  private queued = 0;
  private blocked = false;
  private lost = false;
  private ending: 'end' | 'reset' | undefined;
  private credit = 0;
  private creditAt = 0;
  private timer: NodeJS.Timeout | undefined;
  private sink: Socket | undefined;
  /** Bytes that went through, and bytes that vanished. */
  readonly bytes = { passed: 0, dropped: 0 };

  /** `inspect` sees what arrives, before the mode applies, and gives back how many of its bytes may go on; the rest vanishes, with all that follows. */
  constructor(
    private readonly source: Socket,
    private mode: Mode,
    private readonly random: Random,
    private readonly inspect: (chunk: Buffer) => number,
  ) {
    source.on('data', (chunk: Buffer) => this.push(chunk));
    source.on('end', () => this.finish('end'));
    source.on('error', () => this.finish('reset'));
    // A socket that ends without `end` or `error` was destroyed by this side: nothing more to carry.
    source.on('close', () => this.finish('end'));
    if (mode.kind === 'stall') source.pause();
  }

  /** A lane may start without a sink, and holds what arrives until it has one. */
  connect(sink: Socket): void {
    this.sink = sink;
    sink.on('drain', () => {
      this.blocked = false;
      this.pump();
    });
    sink.on('close', () => this.discard());
    this.pump();
  }

  get flows(): boolean {
    return !this.lost && this.mode.kind !== 'stall' && this.mode.kind !== 'blackhole';
  }

  set(mode: Mode): void {
    this.mode = mode;
    this.creditAt = performance.now();
    this.credit = 0;
    if (mode.kind === 'blackhole') this.discard();
    this.pump();
  }

  /** From here on everything vanishes. */
  lose(): void {
    this.lost = true;
    this.discard();
    this.steer();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.discard();
  }

  private push(chunk: Buffer): void {
    const kept = this.inspect(chunk);
    const gone = this.lost || this.mode.kind === 'blackhole' || this.sink?.destroyed === true;
    const passes = gone ? 0 : kept;
    this.bytes.dropped += chunk.length - passes;
    if (passes > 0) this.enqueue(chunk.subarray(0, passes));
    if (passes < chunk.length) this.lost = true;
    this.pump();
  }

  private enqueue(chunk: Buffer): void {
    if (this.mode.kind === 'delay') {
      const jitter = (this.mode.jitterMs ?? 0) * (2 * this.random.next() - 1);
      this.queue.push({ chunk, due: performance.now() + this.mode.ms + jitter });
    } else {
      this.queue.push({ chunk, due: 0 });
    }
    this.queued += chunk.length;
  }

  private finish(how: 'end' | 'reset'): void {
    this.ending = how === 'reset' ? how : (this.ending ?? how);
    if (this.mode.kind === 'blackhole') this.lost = true;
    this.pump();
  }

  private pump(): void {
    clearTimeout(this.timer);
    if (this.sink !== undefined && this.mode.kind !== 'stall' && this.mode.kind !== 'blackhole')
      this.forward(this.sink);
    this.steer();
  }

  private forward(sink: Socket): void {
    for (;;) {
      const head = this.queue[0];
      if (head === undefined || sink.destroyed || this.blocked) break;
      const wait = this.mode.kind === 'delay' ? head.due - performance.now() : 0;
      if (wait > 0) {
        this.again(wait);
        return;
      }
      const allowed =
        this.mode.kind === 'throttle' ? this.spend(head.chunk.length, this.mode.bytesPerSecond) : head.chunk.length;
      if (allowed === 0) {
        this.again(10);
        return;
      }
      const piece = allowed === head.chunk.length ? head.chunk : head.chunk.subarray(0, allowed);
      if (allowed === head.chunk.length) this.queue.shift();
      else head.chunk = head.chunk.subarray(allowed);
      this.queued -= piece.length;
      this.bytes.passed += piece.length;
      this.blocked = !sink.write(piece);
    }
    if (this.queue.length === 0 && !this.lost && !sink.destroyed) {
      if (this.ending === 'reset') abort(sink);
      else if (this.ending === 'end' && !sink.writableEnded) sink.end();
    }
  }

  private again(ms: number): void {
    this.timer = setTimeout(() => this.pump(), Math.max(1, ms));
  }

  /** What of `wanted` bytes the rate allows now; saves up at most 50 ms, but always a byte. */
  private spend(wanted: number, bytesPerSecond: number): number {
    const now = performance.now();
    const most = Math.max(1, bytesPerSecond * 0.05);
    this.credit = Math.min(most, this.credit + ((now - this.creditAt) / 1_000) * bytesPerSecond);
    this.creditAt = now;
    const allowed = Math.min(wanted, Math.floor(this.credit));
    this.credit -= allowed;
    return allowed;
  }

  private discard(): void {
    for (const { chunk } of this.queue) this.bytes.dropped += chunk.length;
    if (this.queue.length > 0) this.lost = true;
    this.queue.length = 0;
    this.queued = 0;
    this.blocked = false;
    this.steer();
  }

  /** Reads on only while there is room; a stalled lane leaves its bytes in the kernel, so the sender feels it. */
  private steer(): void {
    if (this.source.destroyed) return;
    const vanishing = this.lost || this.mode.kind === 'blackhole';
    const full = this.mode.kind === 'stall' || this.queued >= highWater;
    if (full && !vanishing) this.source.pause();
    else if (this.source.isPaused()) this.source.resume();
  }
}
