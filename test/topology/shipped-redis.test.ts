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

  /** The user of docs/operations.md for Redis Cluster, under a name of his own. */
  const sharded = (): string[] => {
    const [, line = ''] = /```\n(user parley .*cluster.*)\n```/.exec(readFileSync('docs/operations.md', 'utf8')) ?? [];
    return line.replace('user parley', 'sharded').replace('PASSWORD', password).split(' ');
  };

  it.each(['classic', 'sharded'] as const)(
    'lets instances reach each other, and refuses nothing that they ask, with the %s adapter (S-51)',
    async (adapter) => {
      const database = await createDatabase();
      const onlooker = await connect(redis.port, 'onlooker');
      await onlooker.sendCommand(['ACL', 'SETUSER', ...sharded()]);
      const user = adapter === 'classic' ? 'parley' : 'sharded';
      const url = `redis://${user}:${password}@127.0.0.1:${redis.port}`;
      const instances: Instance[] = [];
      const clients: PlainClient[] = [];
      try {
        for (let i = 0; i < 2; i += 1)
          instances.push(
            await startInstance(database.url, url, {
              redis: { urls: [url], adapter, prefix: 'parley', required: true },
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
        await ann.ask('presence:watch', { userIds: [ben.session.userId] });
        await ben.ask('presence:set', { status: 'dnd' });
        await ann.until(() => ann.presence.flat().some(({ status }) => status === 'dnd'));
        await ben.ask('typing:set', { roomId: room.id, on: true });
        await ann.until(() => ann.roomSignals.some(({ kind }) => kind === 'typing'));
        await eventually(
          async () => (await ann.ask('presence:count', { roomId: room.id, on: true })).online === 2,
          'both are counted',
        );
        await ann.ask('message:send', { roomId: room.id, clientMsgId: '1', text: 'hello' });
        await ben.until(() => ben.textsOf(room.id).includes('hello'));
        await ann.ask('member:remove', { roomId: room.id, userId: ben.session.userId });
        await ben.until(() => ben.frames.some(({ changes }) => changes.some(({ kind }) => kind === 'member')));
        expect(await onlooker.sendCommand(['ACL', 'LOG'])).toEqual([]);
        const list = (await onlooker.sendCommand<string>(['CLIENT', 'LIST'])).split('\n');
        expect(list.filter((line) => line.includes(`user=${user} `)).length).toBeGreaterThanOrEqual(4);
      } finally {
        onlooker.destroy();
        clients.forEach((client) => client.close());
        await Promise.all(instances.map((instance) => instance.stop()));
        await database.drop();
      }
    },
  );

  it('lets nobody in without the password, and nobody do anything but publish and subscribe under the prefix (S-51)', async () => {
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
