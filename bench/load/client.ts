import { RawConnection } from '../../verify/load/raw-connection.js';
import type { Dialect } from './dialect.js';

const EVENT = 0x32;
const ACK = 0x33;
const ANSWER_WITHIN = 30_000;

/** One connection of the generator: what it asks is answered, what it is sent is handed on unread. */
export class BenchClient {
  /** By number, who waits for an answer; an error when none will come. */
  private readonly answers = new Map<number, (answer: string | Error) => void>();
  /** Called with each event that comes. */
  onEvent: (frame: Buffer) => void = () => undefined;
  /** Called with each answer that nobody waits for: its number, and whether it is a yes. */
  onAck: (number: number, ok: boolean) => void = () => undefined;

  private constructor(
    private readonly connection: RawConnection,
    private readonly dialect: Dialect,
  ) {
    void connection.closed.then(() => {
      for (const settle of this.answers.values()) settle(new Error('The connection ended'));
    });
  }

  /** @throws when the server does not let it in */
  static async connect(url: string, dialect: Dialect, token: string): Promise<BenchClient> {
    const connection = await RawConnection.open(url, ANSWER_WITHIN);
    if (connection === undefined) throw new Error(`${url} does not take WebSocket connections`);
    const client = new BenchClient(connection, dialect);
    try {
      await client.enter(token);
    } catch (error) {
      client.close();
      throw error;
    }
    return client;
  }

  get isOver(): boolean {
    return this.connection.isOver;
  }

  /** @throws when there is no answer, or it is a no */
  ask(number: number, packet: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const settle = (answer: string | Error): void => {
        clearTimeout(late);
        this.answers.delete(number);
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      };
      const late = setTimeout(() => settle(new Error(`No answer to ${packet}`)), ANSWER_WITHIN);
      this.answers.set(number, settle);
      if (this.isOver) settle(new Error('The connection has ended'));
      else this.connection.send(packet);
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
      void this.connection.closed.then(() => {
        clearTimeout(late);
        reject(new Error('The server ended the connection'));
      });
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
      const ok = frame.subarray(at, at + 12).includes('"ok":true');
      const settle = this.answers.get(number);
      if (settle === undefined) this.onAck(number, ok);
      else settle(ok ? frame.toString() : new Error(`Refused: ${frame.toString()}`));
    }
  }
}
