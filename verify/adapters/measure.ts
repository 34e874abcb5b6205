import { join } from 'node:path';
import { judge } from '../checks/index.js';
import { readHistory } from '../history.js';
import { Load, type LoadShape } from '../load/load.js';
import { Cluster } from '../processes/cluster.js';
import type { Postgres } from '../processes/postgres.js';
import { pause } from '../processes/program.js';
import type { Redis } from '../processes/redis.js';
import { tokenOf } from '../processes/token.js';
import { Random } from '../random.js';
import { Recorder } from '../recorder.js';

/** 480 clients in 40 rooms of 12, 200 sends a second. */
const shape: LoadShape = {
  clients: 480,
  rooms: 40,
  members: 12,
  pace: { perSecond: 200 },
  outsiders: 0,
  text: [20, 200],
};
const warmUpMs = 4_000;
const lengthMs = 12_000;

export interface Cost {
  /** Of all instances together, for each change that a client was given. */
  cpuMicros: number;
  /** Into Redis and out of it, for each message. */
  redisBytes: number;
  redisMicros: number;
  /** From the send to clients on other instances, in ms; NaN where there are none. */
  p50: number;
  p99: number;
}

export interface MeasureOptions {
  adapter: 'classic' | 'sharded';
  instances: number;
  /** Whether all members of a room connect to the same instance. */
  together: boolean;
  postgres: Postgres;
  server: string;
  dir: string;
  seed: string;
}

/** One cluster, one load without a fault. @throws when the run breaks a promise: what it cost says nothing then */
export async function measure(options: MeasureOptions): Promise<Cost> {
  const { adapter, instances, together, postgres, server, dir, seed } = options;
  const random = new Random(seed);
  const recorder = new Recorder(join(dir, 'history.ndjson'));
  const topology = { instances, proxies: [], environment: { REDIS_ADAPTER: adapter } };
  const cluster = await Cluster.start({ topology, postgres, server, dir, recorder, random });
  const load = new Load({
    shape,
    recorder,
    random,
    places: cluster.nodes.map(({ instance, url }) => ({ instance: instance.name, url })),
    placeOf: (client, places) => places[(together ? Math.floor(client / shape.members) : client) % places.length],
    token: (user) => tokenOf(user),
  });
  const held = async () => ({
    cpuMs: (await Promise.all(cluster.nodes.map(({ instance }) => instance.sample()))).reduce(
      (sum, values) => sum + (values?.['cpuMs'] ?? NaN),
      0,
    ),
    redis: await redisCounts(cluster.redis),
    sent: load.counts.acknowledged,
  });
  try {
    await load.prepare();
    load.start();
    await pause(warmUpMs);
    recorder.write({ type: 'phase', phase: 'load' });
    const before = await held();
    await pause(lengthMs);
    const after = await held();
    load.stop();
    recorder.write({ type: 'phase', phase: 'settle' });
    await pause(500);
    recorder.close();
    const { quantileMs, results } = await judge(readHistory(recorder.path));
    const broken = results.find(({ check, ok }) => !ok && ['C3', 'C5', 'C6', 'C7', 'C10'].includes(check));
    if (broken !== undefined) throw new Error(`${broken.check} ${broken.title}: violated ${broken.violated} ×`);
    const sent = after.sent - before.sent;
    return {
      cpuMicros: ((after.cpuMs - before.cpuMs) * 1_000) / (sent * shape.members),
      redisBytes: (after.redis.bytes - before.redis.bytes) / sent,
      redisMicros: (after.redis.micros - before.redis.micros) / sent,
      p50: quantileMs('cross', 'before', 0.5),
      p99: quantileMs('cross', 'before', 0.99),
    };
  } finally {
    recorder.close();
    load.close();
    await cluster.stop();
  }
}

async function redisCounts(redis: Redis): Promise<{ bytes: number; micros: number }> {
  const client = await redis.client();
  const info = await client.info();
  client.destroy();
  const of = (name: string) => Number(new RegExp(`^${name}:([0-9.]+)`, 'm').exec(info)?.[1] ?? NaN);
  return {
    bytes: of('total_net_input_bytes') + of('total_net_output_bytes'),
    micros: (of('used_cpu_user') + of('used_cpu_sys')) * 1e6,
  };
}
