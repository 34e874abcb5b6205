import type { ErrorBody, Message, RequestInput, SentMessage } from '../../src/protocol/index.js';
import type { Answer } from '../../sdk/connection/link.js';
import { Outbox, type OutboxHost } from '../../sdk/outbox/outbox.js';
import { me, message, roomId } from './samples.js';

type SendRequest = RequestInput<'message:send'>;
interface Sent {
  request: SendRequest;
  /** How many refusals the client had heard of when it sent this. */
  heard: number;
  answer: (answer: Answer<SentMessage>) => void;
  /** Answered, or given up by the client. */
  over: boolean;
}

/**
 * Between an outbox and a server: connections that each hand their sends over in order, and a room that keeps one message
 * for each clientMsgId. After a refusal that can be retried it refuses what the client sent before it heard of it.
 */
export class SendWire implements OutboxHost {
  readonly stored: Message[] = [];
  readonly pauses: { ms: number; wake: () => void }[] = [];
  online = true;
  changes = 0;
  mostInFlight = 0;
  private readonly streams: Sent[][] = [[]];
  private refusals = 0;
  private heard = 0;

  readonly outbox = new Outbox(roomId, this, { baseMs: 100, capMs: 100, random: () => 0.5 });

  send(request: SendRequest): Promise<Answer<SentMessage>> {
    if (!this.online) return Promise.resolve('gone');
    return new Promise((answer) => {
      this.current.push({ request, heard: this.heard, answer, over: false });
      this.mostInFlight = Math.max(this.mostInFlight, this.waiting.length);
    });
  }

  pause(ms: number): Promise<void> {
    return new Promise((wake) => this.pauses.push({ ms, wake }));
  }

  show({ seq }: Message): number {
    return seq;
  }

  changed(): void {
    this.changes += 1;
  }

  /** Those whose replies the client still waits for. */
  get waiting(): SendRequest[] {
    return this.current.filter(({ over }) => !over).map(({ request }) => request);
  }

  /** A server takes the next send of a connection, the present one or one that the client gave up, and stores it. */
  process(stream = this.streams.length - 1): SentMessage | undefined {
    const sent = this.streams[stream]?.shift();
    if (!sent) return undefined;
    if (sent.heard < this.refusals) {
      this.settle(sent, { ok: false, error: refusal });
      return undefined;
    }
    const data = this.store(sent.request);
    this.settle(sent, { ok: true, data });
    return data;
  }

  /** Answers the next send with an error instead. */
  refuse(error: ErrorBody): void {
    const sent = this.current.shift();
    if (!sent) return;
    if (error.retryable) this.refusals += 1;
    this.settle(sent, { ok: false, error });
  }

  /** The client gives up waiting for its oldest reply; the server still has the request. */
  timeOut(): void {
    const sent = this.current.find(({ over }) => !over);
    if (sent) this.settle(sent, 'timeout');
  }

  /** The connection is gone; what the server has of it may still be processed. */
  cut(): void {
    if (!this.online) return;
    this.online = false;
    for (const sent of this.current) this.settle(sent, 'gone');
  }

  comeBack(): void {
    if (this.online) return;
    this.streams.push([]);
    this.online = true;
    this.heard = this.refusals;
    this.outbox.wake();
  }

  wake(): void {
    this.pauses.shift()?.wake();
  }

  get connections(): number {
    return this.streams.length;
  }

  private get current(): Sent[] {
    return this.streams.at(-1) ?? [];
  }

  private store({ clientMsgId, text }: SendRequest): SentMessage {
    const known = this.stored.find((candidate) => candidate.clientMsgId === clientMsgId);
    if (known) return { message: known, duplicate: true };
    const fresh = message(this.stored.length + 1, { sender: me, clientMsgId, text });
    this.stored.push(fresh);
    return { message: fresh, duplicate: false };
  }

  private settle(sent: Sent, answer: Answer<SentMessage>): void {
    if (sent.over) return;
    sent.over = true;
    if (answer !== 'gone' && answer !== 'timeout' && !answer.ok) this.heard = this.refusals;
    sent.answer(answer);
  }
}

export const refusal: ErrorBody = { code: 'overloaded', message: 'Busy', retryable: true, retryAfterMs: 700 };
