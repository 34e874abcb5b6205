import type { RedisSettings } from '../../src/config/redis-settings.js';
import { RedisBus } from '../../src/realtime/redis-bus.js';
import { PlainClient } from '../client.js';
import { createDatabase } from '../environment/database.js';
import { startInstance, type Instance } from '../instance.js';

export const PREFIX = 'sharded';
const AT_ONCE = 20;
export const channelOf = (roomId: string): string => `${PREFIX}#/#room:${roomId}#`;

/** Two instances on the sharded adapter, Ann on the first, Ben on the second. */
export class Stage {
  private sent = 0;
  ann!: PlainClient;
  ben!: PlainClient;
  instances: Instance[] = [];
  private database: Awaited<ReturnType<typeof createDatabase>> | undefined;

  async start(urls: string, own: Partial<RedisSettings> = {}): Promise<void> {
    const database = await createDatabase();
    this.database = database;
    const redis = { urls: urls.split(','), adapter: 'sharded', prefix: PREFIX, required: true, ...own } as const;
    this.instances = await Promise.all([0, 1].map(() => startInstance(database.url, urls.split(',')[0], { redis })));
    this.ann = await this.connect('ann', 0);
    this.ben = await this.connect('ben', 1);
  }

  async stop(): Promise<void> {
    this.ann.close();
    this.ben.close();
    await Promise.all(this.instances.map((instance) => instance.stop()));
    await this.database?.drop();
  }

  connect(user: string, instance: number): Promise<PlainClient> {
    return PlainClient.connect(this.instances[instance]?.url ?? '', user);
  }

  get buses(): RedisBus[] {
    return this.instances.map(({ app }) => app.get(RedisBus));
  }

  async turned(healthy: boolean): Promise<void> {
    for (const bus of this.buses)
      while (bus.healthy !== healthy) await new Promise<void>((resolve) => bus.onTurn(resolve));
  }

  async room(members: PlainClient[] = [this.ben]): Promise<string> {
    const { room } = await this.ann.ask('room:create', { name: 'Room' });
    for (const member of members) await member.ask('room:join', { roomId: room.id });
    return room.id;
  }

  send(client: PlainClient, roomId: string): Promise<unknown> {
    this.sent += 1;
    return client.ask('message:send', { roomId, clientMsgId: `m${this.sent}`, text: `${this.sent}` });
  }

  /** Both send at once, again and again, and see all of it in one order. */
  async converse(roomId: string, count: number): Promise<void> {
    const { ann, ben } = this;
    const expected = ann.textsOf(roomId).length + 2 * count;
    for (let i = 0; i < count; i++) await Promise.all([ann, ben].map((client) => this.send(client, roomId)));
    for (const client of [ann, ben]) await client.until(() => client.textsOf(roomId).length >= expected);
    expect(ann.textsOf(roomId)).toHaveLength(expected);
    expect(ben.textsOf(roomId)).toEqual(ann.textsOf(roomId));
  }

  /** How long Ann's message takes to Ben, in ms. */
  async lag(roomId: string): Promise<number> {
    const before = this.ben.textsOf(roomId).length;
    await this.send(this.ann, roomId);
    const since = performance.now();
    await this.ben.until(() => this.ben.textsOf(roomId).length > before);
    return performance.now() - since;
  }

  /** Ben joins rooms of Ann; the moment that he is told so, she writes. How many of the messages reached him, and after what time, in ms. */
  async joinAndHear(count: number): Promise<{ heard: number; ms: number }> {
    const rooms: string[] = [];
    let since = 0;
    // As many at a time as a connection may ask for.
    for (let i = 0; i < count; i += AT_ONCE)
      rooms.push(...(await Promise.all(Array.from({ length: AT_ONCE }, () => this.room([])))));
    for (let i = 0; i < count; i += AT_ONCE) {
      await Promise.all(
        rooms.slice(i, i + AT_ONCE).map(async (roomId) => {
          await this.ben.ask('room:join', { roomId });
          await this.send(this.ann, roomId);
          since = performance.now();
        }),
      );
    }
    await this.ben.until(() => rooms.every((roomId) => this.ben.textsOf(roomId).length > 0));
    return { heard: rooms.filter((id) => this.ben.textsOf(id).length === 1).length, ms: performance.now() - since };
  }
}

/** For what no event tells. @throws when it does not come to hold */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    if (tries === 500) throw new Error(`It did not come to hold: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
