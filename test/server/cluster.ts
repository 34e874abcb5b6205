import pg from 'pg';
import type { Config } from '../../src/config.js';
import { PlainClient } from '../client.js';
import { createDatabase } from '../environment/database.js';
import { startInstance, testToken, type Instance } from '../instance.js';
import { Rest } from './rest.js';

type ConnectOptions = Parameters<typeof PlainClient.connect>[2];

type Database = Awaited<ReturnType<typeof createDatabase>>;

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
  static async beside(cluster: Cluster, count: number): Promise<Cluster> {
    const start = () => startInstance(cluster.databaseUrl);
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
