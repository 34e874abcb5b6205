import type { Reply } from '../../src/protocol/index.js';
import type { PlainClient } from '../client.js';

interface Engine {
  write(data: string): void;
  on(event: 'packet', listener: (packet: { type: string; data?: unknown }) => void): void;
}

/** Ids of our own requests lie above those that Socket.IO counts out. */
const FIRST_ID = 1_000_000;
/** In ms. */
const PATIENCE = 5_000;

/** Requests as bytes, and every acknowledgement that comes back, also those that the client library would not show. */
export class RawRequests {
  private readonly engine: Engine;
  private readonly waiting = new Map<number, (reply: Reply<unknown>) => void>();
  private next = FIRST_ID;
  /** How many acknowledgements came, by the id of the request. */
  readonly acks = new Map<number, number>();

  constructor(client: PlainClient) {
    this.engine = client.socket.io.engine;
    this.engine.on('packet', ({ type, data }) => {
      const match = type === 'message' && typeof data === 'string' ? /^3(\d+)\[/.exec(data) : null;
      if (match === null || typeof data !== 'string') return;
      const id = Number(match[1]);
      this.acks.set(id, (this.acks.get(id) ?? 0) + 1);
      if (id < FIRST_ID) return;
      const [reply] = JSON.parse(data.slice(1 + String(id).length)) as [Reply<unknown>];
      this.waiting.get(id)?.(reply);
    });
  }

  /** Sends the event with these arguments, given as JSON, whatever a client library would say to them. */
  ask(event: string, args: string): Promise<Reply<unknown>> {
    const id = this.next++;
    const reply = new Promise<Reply<unknown>>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${event} was not answered: ${args.slice(0, 80)}`)), PATIENCE);
      this.waiting.set(id, (answer) => {
        clearTimeout(late);
        resolve(answer);
      });
    });
    this.engine.write(`2${id}[${JSON.stringify(event)}${args === '' ? '' : `,${args}`}]`);
    return reply;
  }

  /** The same without asking for a reply. */
  tell(event: string, args: string): void {
    this.engine.write(`2[${JSON.stringify(event)},${args}]`);
  }
}
