import { performance } from 'node:perf_hooks';
import { crc32 } from 'node:zlib';
import type { Change, Message } from '../src/protocol/index.js';
import { HistoryWriter, type Seen, type SeenMessage, type Untimed } from './history.js';

/** Writes the history of a run: sets the time, counts connections and requests, and gives ids short names. */
export class Recorder {
  private readonly writer: HistoryWriter;
  private readonly start = performance.now();
  private readonly names = new Map<string, string>();
  private connections = 0;
  private requests = 0;
  private faults = 0;
  private closed = false;

  constructor(readonly path: string) {
    this.writer = new HistoryWriter(path);
  }

  /** Nanoseconds since the start of the run. */
  now(): number {
    return Math.round((performance.now() - this.start) * 1e6);
  }

  /** After `close` nothing more is taken. */
  write(record: Untimed): void {
    if (this.closed) return;
    this.writer.write({ ...record, t: this.now() });
  }

  nextConnection(): number {
    return this.connections++;
  }

  nextRequest(): number {
    return this.requests++;
  }

  nextFault(): number {
    return this.faults++;
  }

  /** From here on the history calls this id so. */
  call(id: string, name: string): void {
    this.names.set(id, name);
  }

  nameOf(id: string): string {
    return this.names.get(id) ?? id;
  }

  seen(change: Change): Seen {
    if (change.kind === 'message') return this.seenMessage(change.message, change.rev);
    if (change.kind === 'room') return ['r', change.rev];
    return ['u', change.rev, this.nameOf(change.member.user.id), change.member.leftAt === null ? 0 : 1];
  }

  seenMessage(message: Message, rev = message.rev): SeenMessage {
    const { seq, sender, clientMsgId, text, deletedAt, version = 1, reactions } = message;
    const seen: SeenMessage = ['m', rev, seq, this.nameOf(sender.id), clientMsgId, hashOf(text)];
    if (deletedAt !== null || version > 1 || reactions !== undefined)
      seen.push(deletedAt === null ? 0 : 1, version, lookOf(reactions));
    return seen;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.writer.close();
  }
}

/** What tells other reactions from these; 0 where there are none. */
export function lookOf(reactions: Message['reactions'] | null): number {
  if (!reactions || reactions.length === 0) return 0;
  return crc32(reactions.map(({ emoji, count, users }) => `${emoji} ${count} ${users.join()}`).join('; '));
}

/** What tells a changed text from the one that was sent. */
export function hashOf(text: string): number {
  return crc32(text);
}
