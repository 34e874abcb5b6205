import { PlainClient } from './client.js';
import { createDatabase } from './environment/database.js';
import { startInstance, type Instance } from './instance.js';

describe('a conversation', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let instances: Instance[];
  const clients: PlainClient[] = [];
  const connect = async (instance: number, user: string): Promise<PlainClient> => {
    const client = await PlainClient.connect(instances[instance]?.url ?? '', user);
    clients.push(client);
    return client;
  };

  beforeAll(async () => {
    database = await createDatabase();
    instances = await Promise.all([1, 2, 3].map(() => startInstance(database.url, process.env['TEST_REDIS_URL'])));
  });
  afterEach(() => clients.splice(0).forEach((client) => client.close()));
  afterAll(async () => {
    await Promise.all(instances.map((instance) => instance.stop()));
    await database.drop();
  });

  it('reaches the members on every instance, once and in one order', async () => {
    const [ann, ben, cid] = await Promise.all([connect(0, 'ann'), connect(1, 'ben'), connect(2, 'cid')]);
    const { room } = await ann.ask('room:create', { name: 'General' });
    await ben.ask('room:join', { roomId: room.id });
    await cid.ask('room:join', { roomId: room.id });
    const everyone = [ann, ben, cid];
    await Promise.all(
      everyone.flatMap((client, who) =>
        Array.from({ length: 30 }, (_, i) =>
          client.ask('message:send', { roomId: room.id, clientMsgId: `m${i}`, text: `${who}:${i}` }),
        ),
      ),
    );
    for (const client of everyone) await client.until(() => client.textsOf(room.id).length >= 90);
    expect(new Set(ann.textsOf(room.id)).size).toBe(90);
    expect(ben.textsOf(room.id)).toEqual(ann.textsOf(room.id));
    expect(cid.textsOf(room.id)).toEqual(ann.textsOf(room.id));
    for (const who of [0, 1, 2]) {
      const own = ann.textsOf(room.id).filter((text) => text.startsWith(`${who}:`));
      expect(own).toEqual(Array.from({ length: 30 }, (_, i) => `${who}:${i}`));
    }
    const { messages, hasBefore } = await cid.ask('history:get', { roomId: room.id, limit: 200 });
    expect(hasBefore).toBe(false);
    expect(messages.map(({ text }) => text)).toEqual(ann.textsOf(room.id));
    expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 90 }, (_, i) => i + 1));
  });
});
