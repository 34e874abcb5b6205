import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createClient } from 'redis';
import { parse } from 'yaml';
import { PlainClient } from '../client.js';
import { createDatabase } from '../environment/database.js';
import { startInstance, type Instance } from '../instance.js';
import { eventually, run, type Running } from '../start/processes.js';
import { endWithUs } from './end-with-us.js';
import { freePort } from './haproxy.js';

const password = 'only-for-this-test';

/** The Redis of docker-compose.yml, by its own command, with one more user who may look into it. */
async function startShipped(): Promise<{ port: number; process: Running }> {
  const compose = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as {
    services: { redis: { command: string[] } };
  };
  const [, , script = ''] = compose.services.redis.command;
  const program = ['valkey-server', 'redis-server'].find((name) => spawnSync(name, ['--version']).status === 0);
  const port = await freePort();
  const here = script
    .replaceAll('$$', '$')
    .replace('exec valkey-server -', `exec ${program} --port ${port} --bind 127.0.0.1 -`)
    .replace('\nEND', '\nuser onlooker on nopass ~* &* +@all\nEND');
  const [command, ...args] = endWithUs('sh', '-euc', here);
  const process_ = run(command, args, { env: { PATH: process.env['PATH'], REDIS_PASSWORD: password } });
  await process_.prints(/Ready to accept connections/);
  return { port, process: process_ };
}

async function connect(port: number, username: string) {
  const client = createClient({ url: `redis://127.0.0.1:${port}`, username, password });
  client.on('error', () => undefined);
  return client.connect();
}

describe('the Redis of docker-compose.yml', () => {
  let redis: Awaited<ReturnType<typeof startShipped>>;
  beforeAll(async () => {
    redis = await startShipped();
  });
  afterAll(async () => {
    redis.process.child.kill('SIGTERM');
    await redis.process.exited;
  });

  it('lets instances reach each other, and refuses nothing that they ask', async () => {
    const database = await createDatabase();
    const url = `redis://parley:${password}@127.0.0.1:${redis.port}`;
    const instances: Instance[] = [];
    const clients: PlainClient[] = [];
    try {
      for (let i = 0; i < 2; i += 1)
        instances.push(
          await startInstance(database.url, url, {
            redis: { urls: [url], adapter: 'classic', prefix: 'parley', required: true },
          }),
        );
      for (const instance of instances) {
        const healthy = async () =>
          ((await (await fetch(`${instance.url}/health/ready`)).json()) as { bus: string }).bus === 'healthy';
        await eventually(healthy, 'the bus works');
        clients.push(await PlainClient.connect(instance.url, `user${clients.length}`));
      }
      const [ann, ben] = clients as [PlainClient, PlainClient];
      const { room } = await ann.ask('room:create', { name: 'Over Redis' });
      await ben.ask('room:join', { roomId: room.id });
      await ann.ask('message:send', { roomId: room.id, clientMsgId: '1', text: 'hello' });
      await ben.until(() => ben.textsOf(room.id).includes('hello'));
      const onlooker = await connect(redis.port, 'onlooker');
      expect(await onlooker.sendCommand(['ACL', 'LOG'])).toEqual([]);
      const channels = await onlooker.sendCommand<string[]>(['PUBSUB', 'CHANNELS']);
      expect(channels.filter((channel) => channel.startsWith('parley-request#'))).not.toEqual([]);
      onlooker.destroy();
    } finally {
      clients.forEach((client) => client.close());
      await Promise.all(instances.map((instance) => instance.stop()));
      await database.drop();
    }
  });

  it('lets nobody in without the password, and nobody do anything but publish and subscribe under the prefix', async () => {
    const anonymous = createClient({ url: `redis://127.0.0.1:${redis.port}`, socket: { reconnectStrategy: false } });
    anonymous.on('error', () => undefined);
    await expect(anonymous.connect().then(() => anonymous.ping())).rejects.toThrow(/NOAUTH/);
    const parley = await connect(redis.port, 'parley');
    expect(await parley.sendCommand(['PUBLISH', 'parley:x', '1'])).toBe(0);
    for (const command of [
      ['SET', 'x', '1'],
      ['FLUSHALL'],
      ['CONFIG', 'GET', '*'],
      ['KEYS', '*'],
      ['PUBLISH', 'other', '1'],
    ])
      await expect(parley.sendCommand(command)).rejects.toThrow(/NOPERM/);
    parley.destroy();
    anonymous.destroy();
  });
});
