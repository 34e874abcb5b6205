import type { HistoryPage, Message } from '../../src/protocol/index.js';

/**
 * The messages of one room that are at hand: always a run without gaps that ends at the newest one known. Of two copies
 * of a message the one with the higher `rev` stays, whatever way they came.
 */
export class Timeline {
  /** Ascending seq, contiguous. The array stays the same one. */
  readonly messages: Message[] = [];
  hasBefore = false;
  /** Those that came before one of their predecessors: catching up tells a message that changed at its latest `rev`. */
  private readonly early = new Map<number, Message>();
  /** Messages older than the run that changed while a page of history was on its way. */
  private readonly olderChanges = new Map<number, Message>();
  /** Messages up to this seq are not for me. */
  private hidden = 0;
  private loading = 0;
  private loaded = 0;

  constructor(private readonly window: number) {}

  /** The seq of the newest message shown; 0 when there is none. */
  get lastSeq(): number {
    return this.messages.at(-1)?.seq ?? 0;
  }

  at(seq: number): Message | undefined {
    return this.messages[seq - (this.messages[0]?.seq ?? 0)];
  }

  reset(messages: readonly Message[], hasBefore: boolean, hidden = this.hidden): void {
    this.hidden = hidden;
    this.messages.splice(0, Infinity, ...messages);
    this.hasBefore = hasBefore;
    this.early.clear();
    this.loaded = 0;
  }

  put(message: Message): void {
    const first = this.messages[0]?.seq ?? (this.hasBefore ? message.seq : this.hidden + 1);
    const end = first + this.messages.length;
    if (message.seq < first) {
      if (this.loading > 0) this.olderChanges.set(message.seq, newer(message, this.olderChanges.get(message.seq)));
    } else if (message.seq < end) {
      this.messages[message.seq - first] = newer(message, this.messages[message.seq - first]);
    } else if (message.seq === end) {
      this.append(message);
    } else {
      this.early.set(message.seq, newer(message, this.early.get(message.seq)));
      if (this.early.size > this.window) this.jump();
    }
  }

  /** A page of history is asked for: from now until `settle`, changes of older messages are remembered for it. */
  expect(): void {
    this.loading += 1;
  }

  /** The page is here, or will not come. */
  settle(): void {
    this.loading -= 1;
    if (this.loading === 0) this.olderChanges.clear();
  }

  /** Takes in a page that touches the run; another one is left alone, as it would tear a gap. */
  merge(page: HistoryPage, before?: number): void {
    const first = this.messages[0]?.seq;
    const [oldest] = page.messages;
    if (!oldest) {
      if (before !== undefined && before === first) this.hasBefore = page.hasBefore;
    } else if (isRun(page.messages) && this.touches(page)) {
      const older = page.messages.filter(({ seq }) => first !== undefined && seq < first);
      this.messages.unshift(...older.map((message) => newer(message, this.olderChanges.get(message.seq))));
      this.loaded += older.length;
      if (first === undefined || oldest.seq <= first) this.hasBefore = page.hasBefore;
      for (const message of page.messages.slice(older.length)) this.put(message);
    }
  }

  private touches({ messages, hasBefore, hasAfter }: HistoryPage): boolean {
    const from = messages[0]?.seq ?? 0;
    const to = messages.at(-1)?.seq ?? 0;
    const first = this.messages[0]?.seq;
    if (first === undefined) return !hasAfter && (this.hasBefore || !hasBefore);
    return from <= this.lastSeq + 1 && to >= first - 1;
  }

  private append(message: Message): void {
    this.messages.push(message);
    for (let next = message.seq + 1; this.early.size > 0; next++) {
      const early = this.early.get(next);
      if (!early) break;
      this.early.delete(next);
      this.messages.push(early);
    }
    this.trim();
  }

  /** So many messages were missed that the way back to the run is not worth keeping: the newest ones become the run. */
  private jump(): void {
    const seqs = [...this.early.keys()].sort((a, b) => b - a);
    const gap = seqs.findIndex((seq, i) => i > 0 && seq !== (seqs[i - 1] ?? 0) - 1);
    const run = seqs.slice(0, gap < 0 ? seqs.length : gap).reverse();
    this.reset(
      run.map((seq) => this.early.get(seq) as Message),
      true,
    );
    this.trim();
  }

  private trim(): void {
    const surplus = this.messages.length - this.window - this.loaded;
    if (surplus <= 0) return;
    this.messages.splice(0, surplus);
    this.hasBefore = true;
  }
}

function newer(message: Message, known: Message | undefined): Message {
  return known && known.rev >= message.rev ? known : message;
}

function isRun(messages: readonly Message[]): boolean {
  return messages.every(({ seq }, i) => i === 0 || seq === (messages[i - 1]?.seq ?? 0) + 1);
}
