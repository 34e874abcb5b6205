import type { SentMessage } from '../../src/protocol/index.js';
import { pause } from '../processes/program.js';
import { hashOf, type Recorder } from '../recorder.js';
import type { PlainClient } from './plain-client.js';

/** Sends on their way at the same time, of one client. */
const inFlightAtMost = 16;

interface Outgoing {
  order: number;
  roomId: string;
  cmid: string;
  text: string;
  /** User ids. */
  mentions: readonly string[];
}

/**
 * The outbox of one client: keeps what is to be sent, in order, while the client is away; sends pipelined; tries again under the
 * same `clientMsgId` what was refused for now and what nobody knows the end of, until it is acknowledged or refused for good.
 */
export class Sender {
  private readonly queue: Outgoing[] = [];
  private inFlight = 0;
  private made = 0;
  private stopped = false;
  readonly counts = { acknowledged: 0, refused: 0, triedAgain: 0 };
  /** Called with each acknowledged message. */
  onSent: (sent: SentMessage) => void = () => undefined;
  /** Called when there is room for one more on its way. */
  onRoom: () => void = () => undefined;

  constructor(
    private readonly client: PlainClient,
    private readonly recorder: Recorder,
  ) {
    client.onLive = () => this.pump();
  }

  /** Sends that are not acknowledged yet. */
  get waiting(): number {
    return this.queue.length + this.inFlight;
  }

  send(roomId: string, text: string, mentions: readonly string[] = []): void {
    this.made += 1;
    const cmid = `${this.client.name}-${this.made}`;
    this.queue.push({ order: this.made, roomId, cmid, text, mentions });
    this.pump();
  }

  stop(): void {
    this.stopped = true;
    this.queue.length = 0;
  }

  private pump(): void {
    while (!this.stopped && this.client.live && this.inFlight < inFlightAtMost) {
      const next = this.queue.shift();
      if (next === undefined) return;
      void this.attempt(next);
    }
  }

  private async attempt(outgoing: Outgoing): Promise<void> {
    const { roomId, cmid, text, mentions } = outgoing;
    this.inFlight += 1;
    const send = { room: this.recorder.nameOf(roomId), cmid, hash: hashOf(text) };
    const message = {
      roomId,
      clientMsgId: cmid,
      text,
      ...(mentions.length > 0 && { mentions: { users: [...mentions] } }),
    };
    const outcome = await this.client.request('message:send', message, { send });
    if (outcome.kind === 'refused' && outcome.error.retryable) await pause(outcome.error.retryAfterMs ?? 200);
    this.inFlight -= 1;
    if (outcome.kind === 'ok') {
      this.counts.acknowledged += 1;
      this.onSent(outcome.data);
    } else if (outcome.kind === 'refused' && !outcome.error.retryable) this.counts.refused += 1;
    else this.again(outgoing);
    this.pump();
    this.onRoom();
  }

  private again(outgoing: Outgoing): void {
    if (this.stopped) return;
    this.counts.triedAgain += 1;
    const at = this.queue.findIndex(({ order }) => order > outgoing.order);
    this.queue.splice(at < 0 ? this.queue.length : at, 0, outgoing);
  }
}
