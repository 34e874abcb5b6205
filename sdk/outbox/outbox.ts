import { uuidv7 } from 'uuidv7';
import type { Message, RequestInput, SentMessage } from '../../src/protocol/index.js';
import { limits } from '../../src/protocol/limits.js';
import { Backoff, type BackoffPolicy } from '../backoff.js';
import type { Answer } from '../connection/link.js';
import { ParleyError } from '../parley-error.js';
import { OutgoingMessage, type Outgoing, type OutgoingOwner, type SendExtras } from './outgoing.js';

export interface OutboxHost {
  readonly online: boolean;
  /** 'gone' when there is no connection. */
  send(request: RequestInput<'message:send'>): Promise<Answer<SentMessage>>;
  pause(ms: number): Promise<void>;
  /** Puts an acknowledged message into its room; returns the seq up to which the room shows its messages. */
  show(message: Message): number;
  changed(): void;
}

/** Sends of one room that may wait for their replies at the same time. */
const window = 16;

/**
 * The sends of one room, stored in the order in which they were handed in.
 *
 * Several are in flight at once. The server takes those of one connection in order, so what is not answered when a
 * connection ends is sent again from its first on, and what the old connection still gets done agrees with that: each
 * of the two streams stores a message after all before it. A retryable refusal stops the queue until everything in
 * flight is answered; then it starts anew from the first message that is not stored, one at a time for a while. Messages
 * that the server took although it refused an earlier one stay where they are: a client cannot prevent that, a server
 * does by refusing for `retryAfterMs` whatever follows.
 */
export class Outbox implements OutgoingOwner {
  /** In send order; one leaves when its room shows it. The array stays the same one. */
  readonly items: OutgoingMessage[] = [];
  private readonly backoff: Backoff;
  private inFlight = 0;
  private recovering = false;
  private retryAfterMs: number | undefined;
  /** Good answers until the window opens again; 0 when it is open. */
  private caution = 0;
  private end: ParleyError | undefined;

  constructor(
    private readonly roomId: string,
    private readonly host: OutboxHost,
    policy: BackoffPolicy,
  ) {
    this.backoff = new Backoff(policy);
  }

  add(text: string, { clientMsgId, ...extras }: SendExtras & { clientMsgId?: string } = {}): Outgoing {
    const pending = clientMsgId && this.items.find((item) => item.clientMsgId === clientMsgId && item.text === text);
    if (pending) return pending;
    const item = new OutgoingMessage(this.roomId, clientMsgId ?? uuidv7(), text, extras, this);
    this.items.push(item);
    const refusal = this.end ?? tooLong(item);
    if (refusal) item.fail(refusal);
    this.pump();
    this.host.changed();
    return item;
  }

  /** To be called when the client is online (again). */
  wake(): void {
    if (this.pump()) this.host.changed();
  }

  /** A message of my own is among the room's: it needs no other try, whatever became of the replies. */
  recognise(message: Message): void {
    const item = this.items.find((candidate) => candidate.clientMsgId === message.clientMsgId);
    if (!item || item.state === 'sent') return;
    if (item.state === 'sending') {
      // Its reply is still to come, and says whether this send or an earlier one stored it.
      item.stored = message;
      item.state = 'sent';
    } else {
      if (item.state === 'failed') item.begin();
      item.acknowledge({ message, duplicate: true });
    }
    this.host.changed();
  }

  /** The room shows its messages up to `seq`: those of them that were sent leave. */
  shown(seq: number): void {
    if (this.drop(seq)) this.host.changed();
  }

  retry(item: OutgoingMessage): void {
    if (item.state !== 'failed' || this.end || !this.remove(item)) return;
    item.begin();
    this.items.push(item);
    this.pump();
    this.host.changed();
  }

  discard(item: OutgoingMessage): void {
    if ((item.state !== 'waiting' && item.state !== 'failed') || !this.remove(item)) return;
    if (item.state === 'waiting') item.fail(discarded());
    this.host.changed();
  }

  /** Fails what is left, and everything that is added later. */
  close(error: ParleyError): void {
    this.end = error;
    const left = this.items.filter(({ state }) => state === 'waiting' || state === 'sending');
    for (const item of left) item.fail(error);
    if (left.length > 0) this.host.changed();
  }

  private pump(): boolean {
    if (this.recovering || this.end || !this.host.online) return false;
    const room = (this.caution > 0 ? 1 : window) - this.inFlight;
    const next: OutgoingMessage[] = [];
    for (const item of this.items) {
      if (next.length >= room) break;
      if (item.state === 'waiting') next.push(item);
    }
    for (const item of next) void this.transmit(item);
    return next.length > 0;
  }

  private async transmit(item: OutgoingMessage): Promise<void> {
    item.state = 'sending';
    this.inFlight += 1;
    const { roomId, clientMsgId, text, extras } = item;
    const answer = await this.host.send({ roomId, clientMsgId, text, ...extras });
    this.inFlight -= 1;
    if (this.end) return;
    this.settle(item, answer);
    if (!this.recovering) this.pump();
    else if (this.inFlight === 0) void this.recover();
    this.host.changed();
  }

  private settle(item: OutgoingMessage, answer: Answer<SentMessage>): void {
    if (answer !== 'gone' && answer !== 'timeout' && answer.ok) {
      item.acknowledge(answer.data);
      this.drop(this.host.show(answer.data.message));
      this.caution = Math.max(0, this.caution - 1);
      this.backoff.reset();
      return;
    }
    const error = typeof answer === 'string' ? undefined : new ParleyError(answer.error);
    if (error && !error.retryable) {
      item.fail(error);
      return;
    }
    if (item.stored) item.acknowledge({ message: item.stored, duplicate: true });
    else item.state = 'waiting';
    this.recovering = true;
    if (answer !== 'gone') {
      this.caution = window;
      this.retryAfterMs = Math.max(this.retryAfterMs ?? 0, error?.retryAfterMs ?? 0);
    }
  }

  private async recover(): Promise<void> {
    if (this.retryAfterMs !== undefined) {
      const ms = this.backoff.next(this.retryAfterMs);
      this.retryAfterMs = undefined;
      await this.host.pause(ms);
    }
    this.recovering = false;
    this.wake();
  }

  private drop(upToSeq: number): boolean {
    const before = this.items.length;
    for (let i = before - 1; i >= 0; i--) {
      const { state, stored } = this.items[i] as OutgoingMessage;
      if (state === 'sent' && stored && stored.seq <= upToSeq) this.items.splice(i, 1);
    }
    return this.items.length < before;
  }

  private remove(item: OutgoingMessage): boolean {
    const at = this.items.indexOf(item);
    if (at >= 0) this.items.splice(at, 1);
    return at >= 0;
  }
}

/** Said here, because a packet that is too large makes the server cut the connection, and the next one, and the next. */
function tooLong({ text, clientMsgId, extras }: OutgoingMessage): ParleyError | undefined {
  const faults: string[] = [];
  if (text.normalize('NFC').length > limits.textLength) faults.push('text: Too long');
  if (clientMsgId.length > limits.clientMsgIdLength) faults.push('clientMsgId: Too long');
  if (JSON.stringify(extras.meta ?? {}).length > limits.metaBytes) faults.push('meta: Too large');
  if ((extras.mentions?.users?.length ?? 0) > limits.mentions) faults.push('mentions: Too many');
  if (faults.length === 0) return undefined;
  return new ParleyError({
    code: 'invalid_argument',
    message: 'The message is too long',
    retryable: false,
    details: faults,
  });
}

function discarded(): ParleyError {
  return new ParleyError({
    code: 'conflict',
    message: 'The message was discarded before it was sent',
    retryable: false,
  });
}
