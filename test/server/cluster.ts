import type { Server } from 'node:http';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Config } from '../../src/config.js';
import type { ChatServer } from '../../src/realtime/chat-socket.js';
import { RoomBroadcaster } from '../../src/realtime/room-broadcaster.js';
import { PlainClient } from '../client.js';
import { createDatabase } from '../environment/database.js';
import { startInstance, testToken, type Instance } from '../instance.js';
import { Rest } from './rest.js';

type ConnectOptions = Parameters<typeof PlainClient.connect>[2];

type Database = Awaited<ReturnType<typeof createDatabase>>;

export interface Hold {
  /** Resolves when someone waits for one of the locks. */
  waitedFor(): Promise<void>;
  release(): Promise<void>;
}

/** Instances on one new database, and the clients that a test connected to them. */
export class Cluster {
  private readonly clients = new Set<PlainClient>();

  private constructor(
    readonly instances: Instance[],
    private readonly database: Database,
    private readonly sql: pg.Client,
  ) {}

  /** One instance runs without Redis, several share the tests' Redis. */
  static async start(count: number, settings: Partial<Config> = {}): Promise<Cluster> {
    const database = await createDatabase();
    const redis = count > 1 ? process.env['TEST_REDIS_URL'] : undefined;
    const start = () => startInstance(database.url, redis, settings);
    return Cluster.of(await Promise.all(Array.from({ length: count }, start)), database);
  }

  /** Takes over instances that were started otherwise, and their database. */
  static async of(instances: Instance[], database: Database): Promise<Cluster> {
    const sql = new pg.Client({ connectionString: database.url });
    await sql.connect();
    return new Cluster(instances, database, sql);
  }

  /** Further instances on another cluster's database that do not hear of each other. Stop this one first. */
  static async beside(cluster: Cluster, count: number, settings: Partial<Config> = {}): Promise<Cluster> {
    const start = () => startInstance(cluster.databaseUrl, undefined, settings);
    const instances = await Promise.all(Array.from({ length: count }, start));
    return Cluster.of(instances, { url: cluster.databaseUrl, drop: () => Promise.resolve() });
  }

  get databaseUrl(): string {
    return this.database.url;
  }

  instance(index: number): Instance {
    const instance = this.instances[index];
    if (instance === undefined) throw new Error(`There is no instance ${index}`);
    return instance;
  }

  /** A socket of the app's user of that name. */
  async connect(user: string, instance = 0, options: ConnectOptions = {}): Promise<PlainClient> {
    const client = await PlainClient.connect(this.instance(instance).url, user, options);
    this.clients.add(client);
    return client;
  }

  /** REST as the app's user of that name. */
  async rest(user: string, instance = 0): Promise<Rest> {
    return new Rest(this.instance(instance).url, await testToken(user));
  }

  async query<T extends pg.QueryResultRow>(statement: string, values: unknown[] = []): Promise<T[]> {
    return (await this.sql.query<T>(statement, values)).rows;
  }

  /** Runs a statement in a transaction that stays open, with its locks, until `release()`. */
  async hold(statement: string, values: unknown[] = []): Promise<Hold> {
    const holder = new pg.Client({ connectionString: this.databaseUrl });
    await holder.connect();
    await holder.query('begin');
    await holder.query(statement, values);
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    return {
      waitedFor: () => this.eventually(async () => (await this.query(waiting)).length > 0),
      release: async () => {
        await holder.query('rollback');
        await holder.end();
      },
    };
  }

  /** For what no event tells. @throws when it does not come to hold */
  async eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
    for (let tries = 0; !(await condition()); tries++) {
      if (tries === 500) throw new Error(`It did not come to hold: ${String(condition)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** The sockets of an instance, as it sees them itself. */
  sockets(instance: number): ChatServer['sockets']['sockets'] {
    return this.namespace(instance).sockets;
  }

  /** How many sockets have neither been let in nor refused. */
  undecided(instance: number): number {
    const { _preConnectSockets: undecided } = this.namespace(instance) as unknown as {
      _preConnectSockets: Map<string, unknown>;
    };
    return undecided.size;
  }

  /** The Socket.IO server of an instance. */
  server(instance: number): ChatServer {
    return this.instance(instance).app.get<unknown, { server: ChatServer }>(RoomBroadcaster).server;
  }

  private namespace(instance: number): ChatServer['sockets'] {
    return this.server(instance).sockets;
  }

  /** How many connections an instance has. */
  connections(instance: number): Promise<number> {
    const server: Server = this.instance(instance).app.getHttpServer();
    return promisify(server.getConnections.bind(server))();
  }

  /** For `afterEach`: every client that the test connected goes. */
  hangUp(): void {
    for (const client of this.clients) client.close();
    this.clients.clear();
  }

  async stop(): Promise<void> {
    this.hangUp();
    await Promise.all(this.instances.map((instance) => instance.stop()));
    await this.sql.end();
    await this.database.drop();
  }
}
