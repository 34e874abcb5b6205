import type { Message, ReadState } from '../../src/protocol/index.js';
import type { Timeline } from './timeline.js';

/** The server counts no further. */
const cap = 100;

/** How far I have read a room: what the server told last, and what came since. */
export class Reading {
  /** My own marks that are not told yet. */
  private marked = 0;
  /** The seqs of unread messages among those counted that were deleted since, and of those of them that mention me. */
  private readonly deleted = new Set<number>();
  private readonly deletedMentions = new Set<number>();

  constructor(
    private told: ReadState,
    private readonly timeline: Timeline,
    private readonly me: string,
  ) {}

  /** @param answered the mark of mine that the server answers with it. @returns whether it is news */
  tell(state: ReadState, answered = 0): boolean {
    const { readSeq, unread, mentions } = this;
    const { version, headRev } = this.told;
    // From now on what the server tells counts: on another device I may have gone back since.
    if (this.marked <= answered) this.marked = 0;
    if (state.version > version || (state.version === version && state.headRev >= headRev)) {
      this.told = state;
      this.deleted.clear();
      this.deletedMentions.clear();
    }
    return readSeq !== this.readSeq || unread !== this.unread || mentions !== this.mentions;
  }

  /** As if it were told already; false when nothing moves. */
  mark(seq: number): boolean {
    if (seq <= this.readSeq) return false;
    this.marked = seq;
    return true;
  }

  /** What I marked and was not told is void. */
  unmark(): void {
    this.marked = 0;
  }

  /** Before the message takes the place of the copy that is known. */
  note(message: Message): void {
    const { headRev, lastSeq, readSeq } = this.told;
    if (message.deletedAt === null || message.rev <= headRev || message.sender.id === this.me) return;
    if (message.seq <= readSeq || message.seq > lastSeq || this.timeline.at(message.seq)?.deletedAt) return;
    // One that nobody but its sender ever saw was not counted.
    if (message.deletedAt === message.createdAt) return;
    this.deleted.add(message.seq);
    if (this.isMention(message)) this.deletedMentions.add(message.seq);
  }

  get readSeq(): number {
    return Math.max(this.told.readSeq, this.marked, this.ownNewest);
  }

  get unread(): number {
    // Of what is not at hand each message counts.
    const unseen = (from: number) => Math.max(0, this.first - 1 - from);
    return this.count(this.told.unread, this.deleted.size, unseen, (message) => this.isUnread(message));
  }

  get mentions(): number {
    const names = (message: Message) => this.isUnread(message) && this.isMention(message);
    return this.count(this.told.mentions, this.deletedMentions.size, () => 0, names);
  }

  /** Counted here where all of it is here, and on from what was told where it is not. */
  private count(
    told: number,
    deleted: number,
    unseen: (from: number) => number,
    counts: (message: Message) => boolean,
  ): number {
    const { readSeq } = this;
    if (!this.timeline.hasBefore || this.first <= readSeq + 1) return this.countAfter(readSeq, counts);
    if (readSeq > this.told.readSeq) return Math.min(cap, this.countAfter(readSeq, counts) + unseen(readSeq));
    const { lastSeq } = this.told;
    const before = told >= cap ? cap : told - deleted;
    return Math.min(cap, before + this.countAfter(lastSeq, counts) + unseen(lastSeq));
  }

  private isUnread({ sender, deletedAt }: Message): boolean {
    return sender.id !== this.me && deletedAt === null;
  }

  private isMention({ mentions }: Message): boolean {
    return mentions !== undefined && (mentions.room || mentions.users.includes(this.me));
  }

  /** The seq of the first message that is at hand. */
  private get first(): number {
    return this.timeline.messages[0]?.seq ?? Infinity;
  }

  /** Mine, sent since it was told. */
  private get ownNewest(): number {
    const { messages } = this.timeline;
    for (let i = messages.length - 1; i >= 0; i--) {
      const message = messages[i];
      if (!message || message.seq <= this.told.lastSeq) return 0;
      if (message.sender.id === this.me) return message.seq;
    }
    return 0;
  }

  private countAfter(seq: number, counts: (message: Message) => boolean): number {
    const { messages } = this.timeline;
    let count = 0;
    for (let i = messages.length - 1; i >= 0 && count < cap; i--) {
      const message = messages[i];
      if (!message || message.seq <= seq) break;
      if (counts(message)) count += 1;
    }
    return count;
  }
}
