import { RawConnection } from '../../verify/load/raw-connection.js';
import type { Dialect } from './dialect.js';

const EVENT = 0x32;
const ACK = 0x33;
const ANSWER_WITHIN = 30_000;

/** One connection of the generator: what it asks is answered, what it is sent is handed on unread. */
export class BenchClient {
  private readonly answers = new Map<number, (answer: string) => void>();
  /** Called with each event that comes. */
  onEvent: (frame: Buffer) => void = () => undefined;
  /** Called with each answer that nobody waits for: its number, and whether it is a yes. */
  onAck: (number: number, ok: boolean) => void = () => undefined;

  private constructor(
    private readonly connection: RawConnection,
    private readonly dialect: Dialect,
  ) {}

  /** @throws when the server does not let it in */
  static async connect(url: string, dialect: Dialect, token: string): Promise<BenchClient> {
    const connection = await RawConnection.open(url, ANSWER_WITHIN);
    if (connection === undefined) throw new Error(`${url} does not take WebSocket connections`);
    const client = new BenchClient(connection, dialect);
    await client.enter(token);
    return client;
  }

  get isOver(): boolean {
    return this.connection.isOver;
  }

  /** @throws when there is no answer */
  ask(number: number, packet: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`No answer to ${packet}`)), ANSWER_WITHIN);
      this.answers.set(number, (answer) => {
        clearTimeout(late);
        resolve(answer);
      });
      this.connection.send(packet);
    });
  }

  send(packet: string): void {
    this.connection.send(packet);
  }

  close(): void {
    this.connection.destroy();
  }

  private enter(token: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('The server lets nobody in')), ANSWER_WITHIN);
      void this.connection.closed.then(() => reject(new Error('The server ended the connection')));
      this.connection.onPayload = (payload) => {
        if (!this.dialect.isReady(payload)) return;
        clearTimeout(late);
        this.connection.onPayload = (frame) => this.take(frame);
        resolve();
      };
      this.connection.send(this.dialect.connect(token));
    });
  }

  private take(frame: Buffer): void {
    if (frame[1] === EVENT) this.onEvent(frame);
    else if (frame[1] === ACK) {
      let number = 0;
      let at = 2;
      for (let byte = frame[at] ?? 0; byte >= 0x30 && byte <= 0x39; byte = frame[++at] ?? 0)
        number = number * 10 + byte - 0x30;
      const answer = this.answers.get(number);
      if (answer === undefined) this.onAck(number, frame.subarray(at, at + 12).includes('"ok":true'));
      else {
        this.answers.delete(number);
        answer(frame.toString());
      }
    }
  }
}
