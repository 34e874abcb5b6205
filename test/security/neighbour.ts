import { once } from 'node:events';
import { io, type Socket } from 'socket.io-client';
import { uuidv7 } from 'uuidv7';
import type {
  ClientToServerEvents,
  Reply,
  RequestInput,
  RequestName,
  ResultOf,
  RoomChanges,
  ServerToClientEvents,
} from '../../src/protocol/index.js';
import { tokenOf } from '../../verify/processes/token.js';

/** Between two messages, in ms. */
const everyMs = 50;
const patienceMs = 20_000;
/** Between two visits, in ms. */
const visitEveryMs = 100;

type Client = Socket<ServerToClientEvents, ClientToServerEvents>;

/** Two well-behaved clients of the server that is attacked: one talks to the other the whole time, and neither comes back by itself. */
export class Neighbours {
  sent = 0;
  acked = 0;
  seen = 0;
  gaps = 0;
  readonly troubles: string[] = [];
  readonly latencies: number[] = [];
  private upTo = -1;
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly speaker: Client,
    private readonly listener: Client,
    readonly roomId: string,
  ) {
    for (const client of [speaker, listener])
      client.on('disconnect', (reason) => void this.troubles.push(`a neighbour was disconnected: ${reason}`));
    listener.on('room:changes', (frame) => this.see(frame));
  }

  static async meet(url: string): Promise<Neighbours> {
    const [speaker, listener] = await Promise.all([connect(url, 'speaker'), connect(url, 'listener')]);
    const made = await ask(speaker, 'room:create', { name: 'Neighbours' });
    if (!made.ok) throw new Error(`No room: ${made.error.code}`);
    const roomId = made.data.room.id;
    const neighbours = new Neighbours(speaker, listener, roomId);
    const joined = await ask(listener, 'room:join', { roomId });
    if (!joined.ok) throw new Error(`Not joined: ${joined.error.code}`);
    return neighbours;
  }

  /** Another room of the speaker's, where anybody may come and go. */
  async playground(): Promise<string> {
    const made = await ask(this.speaker, 'room:create', { name: 'Playground' });
    if (!made.ok) throw new Error(`No room: ${made.error.code}`);
    return made.data.room.id;
  }

  talk(): void {
    this.timer = setInterval(() => void this.say(), everyMs);
  }

  /** Resolves when the last message arrived, or did not. */
  async end(): Promise<void> {
    clearInterval(this.timer);
    const deadline = performance.now() + patienceMs;
    while ((this.acked < this.sent || this.seen < this.sent) && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20));
    for (const client of [this.speaker, this.listener]) client.off('disconnect').disconnect();
  }

  private async say(): Promise<void> {
    const since = performance.now();
    this.sent += 1;
    const message = { roomId: this.roomId, clientMsgId: uuidv7(), text: `Message ${this.sent}` };
    try {
      const reply = await ask(this.speaker, 'message:send', message);
      if (reply.ok) this.acked += 1;
      else this.troubles.push(`a message was refused: ${reply.error.code}`);
      this.latencies.push(performance.now() - since);
    } catch {
      this.troubles.push('a message was not answered');
    }
  }

  private see({ roomId, after, upTo, changes }: RoomChanges): void {
    if (roomId !== this.roomId) return;
    if (this.upTo >= 0 && after !== this.upTo) this.gaps += 1;
    this.upTo = upTo;
    this.seen += changes.filter(({ kind }) => kind === 'message').length;
  }
}

/** Somebody who comes, again and again, and goes as soon as he is in. */
export class Visitor {
  readonly latencies: number[] = [];
  readonly troubles: string[] = [];
  private timer: NodeJS.Timeout | undefined;
  private readonly visits = new Set<Promise<void>>();

  constructor(private readonly url: string) {}

  comeAndGo(): void {
    this.timer = setInterval(() => {
      const visit = this.visit().finally(() => this.visits.delete(visit));
      this.visits.add(visit);
    }, visitEveryMs);
  }

  async end(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.visits);
  }

  private async visit(): Promise<void> {
    const since = performance.now();
    try {
      const client = await connect(this.url, 'visitor');
      this.latencies.push(performance.now() - since);
      client.disconnect();
    } catch (error) {
      this.troubles.push(`a visitor was not let in: ${String(error)}`);
    }
  }
}

/** @throws when there is no reply */
function ask<E extends RequestName>(client: Client, event: E, request: RequestInput<E>): Promise<Reply<ResultOf<E>>> {
  const patient = client.timeout(patienceMs) as unknown as {
    emitWithAck(event: E, request: RequestInput<E>): Promise<Reply<ResultOf<E>>>;
  };
  return patient.emitWithAck(event, request);
}

async function connect(url: string, user: string): Promise<Client> {
  const options = { auth: { token: await tokenOf(user) }, transports: ['websocket'], reconnection: false };
  const client: Client = io(url, { ...options, forceNew: true });
  await once(client as unknown as NodeJS.EventEmitter, 'session:ready', { signal: AbortSignal.timeout(patienceMs) });
  return client;
}
