import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { TcpProxy } from '../proxy/tcp-proxy.js';
import type { Random } from '../random.js';
import type { Recorder } from '../recorder.js';
import { Instance, type InstanceOptions } from './instance.js';
import type { Postgres } from './postgres.js';
import { freePort } from './program.js';
import { Redis } from './redis.js';
import { jwtSecret } from './token.js';

export interface Topology {
  instances: number;
  /** Where proxies stand, one for each instance: before Postgres, before Redis, before the instance itself. */
  proxies: ('postgres' | 'redis' | 'clients')[];
  environment?: Record<string, string>;
  bug?: string | undefined;
  /** What some instances have of their own, by their names: `a`, `b`, `c` … */
  each?: Record<string, Pick<InstanceOptions, 'nodeOptions'> & { previous?: boolean }>;
}

export interface ClusterOptions {
  topology: Topology;
  postgres: Postgres;
  /** The built `main.js`. */
  server: string;
  /** Another version's, for the instances that are to run it. */
  previous?: string | undefined;
  /** How the instances start; otherwise the first one, then the others together. */
  begin?: ((cluster: Cluster) => Promise<void>) | undefined;
  /** For the logs. */
  dir: string;
  recorder: Recorder;
  random: Random;
}

/** An instance with the proxies around it; a proxy that the topology does not have is missing. */
export interface Node {
  instance: Instance;
  /** Where its clients connect. */
  url: string;
  postgres: TcpProxy | undefined;
  redis: TcpProxy | undefined;
  clients: TcpProxy | undefined;
}

/** The first one migrates; the others, together, find it done. */
async function firstAndOthers({ nodes: [first, ...others] }: Cluster): Promise<void> {
  await first?.instance.start();
  await Promise.all(others.map(({ instance }) => instance.start()));
}

/** Some instances on one Postgres and one Redis, all private. */
export class Cluster {
  readonly nodes: Node[] = [];

  private constructor(
    readonly postgres: Postgres,
    readonly redis: Redis,
    /** Straight to the cluster's database. */
    readonly databaseUrl: string,
    private readonly server: string,
  ) {}

  static async start(options: ClusterOptions): Promise<Cluster> {
    const { topology, postgres, recorder, begin = firstAndOthers } = options;
    const cluster = new Cluster(postgres, await Redis.start(), await postgres.createDatabase(), options.server);
    try {
      for (let i = 0; i < topology.instances; i++)
        cluster.nodes.push(await cluster.node('abcdefgh'[i] ?? `i${i}`, options));
      await begin(cluster);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    recorder.write({ type: 'phase', phase: 'prepare' });
    return cluster;
  }

  /** Every proxy of this kind. @throws when the topology has none */
  proxies(kind: Topology['proxies'][number]): TcpProxy[] {
    return this.nodes.map(({ [kind]: proxy }) => {
      if (proxy === undefined) throw new Error(`The topology has no proxies before ${kind}`);
      return proxy;
    });
  }

  /** What an operator runs before a roll-out. Resolves with the exit code. */
  async migrate(): Promise<number | null> {
    const program = join(dirname(this.server), 'migrate.js');
    const environment = { PATH: process.env['PATH'], DATABASE_URL: this.databaseUrl };
    const child = spawn(process.execPath, [program], { env: environment, stdio: 'ignore' });
    await once(child, 'exit');
    return child.exitCode;
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(({ instance }) => instance.end('SIGKILL')));
    for (const { postgres, redis, clients } of this.nodes) {
      for (const proxy of [postgres, redis, clients]) await proxy?.stop();
    }
    await this.redis.kill();
  }

  private async node(name: string, options: ClusterOptions): Promise<Node> {
    const { topology, server, dir, recorder } = options;
    const random = options.random.fork(name);
    const proxy = async (kind: Topology['proxies'][number], port: number) =>
      topology.proxies.includes(kind)
        ? TcpProxy.start({
            target: { host: '127.0.0.1', port },
            random: random.fork(kind),
            // As node-redis writes them.
            labels: { subscriber: Buffer.from('subscribe'), publisher: Buffer.from('PUBLISH') },
          })
        : undefined;
    const postgres = await proxy('postgres', this.postgres.port);
    const redis = await proxy('redis', this.redis.port);
    const port = await freePort();
    const clients = await proxy('clients', port);
    const database = new URL(this.databaseUrl);
    if (postgres !== undefined) database.port = String(postgres.port);
    const environment = {
      DATABASE_URL: database.href,
      REDIS_URL: `redis://127.0.0.1:${redis?.port ?? this.redis.port}`,
      JWT_SECRET: jwtSecret,
      DOCS: 'off',
      ...topology.environment,
    };
    const { bug, each = {} } = topology;
    const { previous = false, nodeOptions = [] } = each[name] ?? {};
    if (previous && options.previous === undefined) throw new Error(`There is no previous version for ${name} to run`);
    const instance = new Instance({
      name,
      port,
      server: previous ? (options.previous ?? server) : server,
      environment,
      recorder,
      log: join(dir, `${name}.log`),
      bug,
      nodeOptions,
    });
    return { instance, url: `http://127.0.0.1:${clients?.port ?? port}`, postgres, redis, clients };
  }
}
