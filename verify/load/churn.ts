import { until } from '../processes/program.js';
import type { Random } from '../random.js';
import type { Load } from './load.js';
import type { PlainClient } from './plain-client.js';

export interface Churned {
  joined: number;
  left: number;
  refused: number;
}

/** Users who join and leave the rooms of a load while others send there. */
export class Churn {
  private readonly clients: PlainClient[] = [];
  private readonly busy = new Set<PlainClient>();
  /** By user: the room that he is in. */
  private readonly inside = new Map<PlainClient, string>();
  readonly counts: Churned = { joined: 0, left: 0, refused: 0 };

  constructor(
    private readonly load: Load,
    /** Draws what happens next. */
    private readonly random: Random,
    /** What their names begin with. */
    private readonly names = 'k',
  ) {}

  async connect(users: number): Promise<void> {
    for (let i = 0; i < users; i++) {
      const client = await this.load.client(`${this.names}${i}`, `u${this.names}${i}`);
      this.clients.push(client);
      client.connect();
    }
    await until(() => this.clients.every(({ live }) => live), 20_000, 'those who come and go are connected');
  }

  /** One more joining or leaving, of a user with none under way. */
  step(): void {
    const idle = this.clients.filter((client) => client.live && !this.busy.has(client));
    const client = idle[this.random.int(Math.max(1, idle.length))];
    if (client === undefined) return;
    this.busy.add(client);
    void this.move(client).finally(() => this.busy.delete(client));
  }

  /** Joinings and leavings that are not answered yet. */
  get waiting(): number {
    return this.busy.size;
  }

  /** Everything under way is answered. */
  settled(): Promise<void> {
    return until(() => this.busy.size === 0, 20_000, 'every joining and leaving is answered');
  }

  /** Whoever is in a room leaves it. */
  async leaveAll(): Promise<void> {
    for (const [client, room] of this.inside) await client.leave(room);
  }

  close(): void {
    for (const client of this.clients) client.close();
  }

  private async move(client: PlainClient): Promise<void> {
    const room = this.inside.get(client);
    if (room === undefined) {
      const next = this.load.rooms[this.random.int(this.load.rooms.length)] ?? '';
      if (await client.join(next)) {
        this.inside.set(client, next);
        this.counts.joined += 1;
      } else this.counts.refused += 1;
    } else if (await client.leave(room)) {
      this.inside.delete(client);
      this.counts.left += 1;
    } else {
      this.counts.refused += 1;
      // Not told that he has left, or not told in time; the frames said it.
      if (!client.cursors.has(room)) this.inside.delete(client);
    }
  }
}
