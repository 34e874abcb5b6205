import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { SLOTS } from '../../src/realtime/redis-slots.js';
import { freePort, startRedis, type PrivateRedis } from './redis.js';

/** How long a node may be silent before the others call it failed, in ms. */
const NODE_TIMEOUT = 1_000;
const MASTERS = 3;

export interface ClusterNode {
  readonly redis: PrivateRedis;
  readonly id: string;
  /** One command on a connection of its own. */
  command(...words: string[]): Promise<unknown>;
}

/** A private Redis Cluster on 127.0.0.1. */
export interface PrivateRedisCluster {
  /** Each owns a third of the slots, in this order. */
  readonly masters: readonly ClusterNode[];
  /** As `REDIS_URL` takes it. */
  readonly url: string;
  stop(): Promise<void>;
}

/** @param withReplicas each master has a replica that takes over when it is gone */
export async function startRedisCluster({ withReplicas = false } = {}): Promise<PrivateRedisCluster> {
  const dirs: string[] = [];
  const nodes: (ClusterNode & { busPort: number; port: string })[] = [];
  for (let i = 0; i < MASTERS * (withReplicas ? 2 : 1); i++) {
    const dir = await mkdtemp(join(tmpdir(), 'parley-redis-cluster-'));
    dirs.push(dir);
    const busPort = await freePort();
    const cluster = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--dir', dir];
    const redis = await startRedis([...cluster, '--cluster-node-timeout', String(NODE_TIMEOUT)]);
    const command = (...words: string[]) => once(redis.url, words);
    nodes.push({
      redis,
      busPort,
      command,
      id: String(await command('CLUSTER', 'MYID')),
      port: new URL(redis.url).port,
    });
  }
  const masters = nodes.slice(0, MASTERS);
  const size = Math.ceil(SLOTS / MASTERS);
  for (const [i, master] of masters.entries()) {
    const last = Math.min(SLOTS, (i + 1) * size) - 1;
    await master.command('CLUSTER', 'ADDSLOTSRANGE', String(i * size), String(last));
  }
  for (const { port, busPort } of nodes.slice(1))
    await nodes[0]?.command('CLUSTER', 'MEET', '127.0.0.1', port, String(busPort));
  const knowAll = async (): Promise<boolean> => {
    const infos = await Promise.all(nodes.map((node) => node.command('CLUSTER', 'INFO')));
    return infos.every((info) => String(info).includes(`cluster_known_nodes:${nodes.length}`));
  };
  await until(knowAll);
  for (const [i, replica] of nodes.slice(MASTERS).entries())
    await replica.command('CLUSTER', 'REPLICATE', masters[i]?.id ?? '');
  await until(async () => {
    const infos = await Promise.all(nodes.map((node) => node.command('CLUSTER', 'INFO')));
    const slots = await Promise.all(nodes.map((node) => node.command('CLUSTER', 'SLOTS')));
    const replicated = slots.every((ranges) =>
      (ranges as unknown[][]).every(({ length }) => length === (withReplicas ? 4 : 3)),
    );
    return replicated && infos.every((info) => String(info).includes('cluster_state:ok'));
  });
  return {
    masters,
    url: masters.map(({ redis }) => redis.url).join(','),
    stop: async () => {
      await Promise.all(nodes.map(({ redis }) => redis.stop()));
      await Promise.all(dirs.map((dir) => rm(dir, { recursive: true, force: true })));
    },
  };
}

async function once(url: string, words: string[]): Promise<unknown> {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.sendCommand(words);
  } finally {
    client.destroy();
  }
}

/** @throws when it does not come to hold within twenty seconds */
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    if (tries === 400) throw new Error('The Redis Cluster did not come up');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
