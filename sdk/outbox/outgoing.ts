import type { Message, RequestInput, SentMessage } from '../../src/protocol/index.js';
import { ParleyError } from '../parley-error.js';

/** What may be sent with a text. */
export type SendExtras = Pick<RequestInput<'message:send'>, 'replyTo' | 'threadRoot' | 'mentions' | 'meta'>;

/** A message on its way. It keeps its `clientMsgId` for ever, so that no retry can store it twice. */
export interface Outgoing {
  readonly roomId: string;
  readonly clientMsgId: string;
  readonly text: string;
  /** What is sent with it. */
  readonly extras: SendExtras;
  /** When it was handed to the client, by the client's clock. */
  readonly createdAt: string;
  /** `failed` only by an answer that a retry would not change on its own; everything else is tried again. */
  readonly state: 'waiting' | 'sending' | 'sent' | 'failed';
  readonly error?: ParleyError;
  /** Resolves once it is stored, and rejects when it failed; `retry()` begins another one. Leaving it alone is fine. */
  readonly sent: Promise<SentMessage>;
  /** Sends a failed message again, after those that are waiting now. */
  retry(): void;
  /** Takes back a message that is waiting or failed. One that is being sent cannot be taken back. */
  discard(): void;
}

/** What the message asks of its outbox. */
export interface OutgoingOwner {
  retry(outgoing: OutgoingMessage): void;
  discard(outgoing: OutgoingMessage): void;
}

export class OutgoingMessage implements Outgoing {
  readonly createdAt = new Date().toISOString();
  state: Outgoing['state'] = 'waiting';
  error?: ParleyError;
  sent!: Promise<SentMessage>;
  /** The message as stored, once it was acknowledged or seen among the room's changes. */
  stored: Message | undefined;
  private resolve!: (sent: SentMessage) => void;
  private reject!: (error: ParleyError) => void;

  constructor(
    readonly roomId: string,
    readonly clientMsgId: string,
    readonly text: string,
    readonly extras: SendExtras,
    private readonly owner: OutgoingOwner,
  ) {
    this.begin();
  }

  retry(): void {
    this.owner.retry(this);
  }

  discard(): void {
    this.owner.discard(this);
  }

  /** Back to `waiting`, with a new promise. */
  begin(): void {
    this.state = 'waiting';
    delete this.error;
    this.sent = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.sent.catch(() => undefined);
  }

  acknowledge(sent: SentMessage): void {
    this.state = 'sent';
    this.stored = sent.message;
    this.resolve(sent);
  }

  fail(error: ParleyError): void {
    this.state = 'failed';
    this.error = error;
    this.stored = undefined;
    this.reject(error);
  }
}
