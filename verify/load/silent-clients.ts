import { until } from '../processes/program.js';
import { heldByServer } from './kernel.js';
import type { Load } from './load.js';
import type { PlainClient } from './plain-client.js';

/** What of `ws` and its socket is needed to look alive. */
interface Transport {
  ws: { send(data: string): void; readyState: number; _socket: { localPort?: number } };
}

/** How often a client that does not read answers pings that it does not see, in ms. */
const pongEvery = 5_000;

/** Clients that join a room, then read nothing more, and keep their connection alive by answering pings that they do not see. */
export class SilentClients {
  private readonly clients: PlainClient[] = [];
  private readonly ports: number[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly load: Load,
    private readonly count: number,
  ) {}

  async connect(roomId: string): Promise<void> {
    for (let i = 0; i < this.count; i++) {
      const client = await this.load.client(`s${i}`, `us${i}`);
      this.clients.push(client);
      client.connect();
    }
    await until(() => this.clients.every(({ live }) => live), 20_000, 'the silent clients are connected');
    for (const client of this.clients) await client.join(roomId);
  }

  /** From here on they read nothing, and once cut they stay away: how late they would learn of something says nothing. */
  silence(): void {
    for (const client of this.clients) client.comesBack = false;
    const transports = this.clients.flatMap(({ connection }) =>
      connection === undefined ? [] : [(connection.raw.io.engine as unknown as { transport: Transport }).transport.ws],
    );
    for (const ws of transports) this.ports.push(ws._socket.localPort ?? 0);
    for (const client of this.clients) client.deafen();
    this.timer = setInterval(() => {
      for (const ws of transports) if (ws.readyState === 1) ws.send('3');
    }, pongEvery);
  }

  /** How many the server has not cut. */
  get connected(): number {
    return heldByServer(new Set(this.ports), this.load.ports);
  }

  close(): void {
    clearInterval(this.timer);
    for (const client of this.clients) client.close();
  }
}
