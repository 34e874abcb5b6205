import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { until } from './program.js';
import { SmallDisk } from './small-disk.js';

/** A private, durable Postgres. Killed, it starts itself again; how long that seems to take, a proxy before it decides. */
export class Postgres {
  private databases = 0;

  private constructor(
    private readonly dir: string,
    private readonly server: EmbeddedPostgres,
    private readonly small?: SmallDisk,
  ) {}

  /** @param disk gives it a disk of its own of so many MiB, which can be filled. @throws where the system does not let us mount one */
  static async start({ disk }: { disk?: number | undefined } = {}): Promise<Postgres> {
    const dir = await mkdtemp(join(tmpdir(), 'parley-verify-postgres-'));
    if (disk === undefined)
      return new Postgres(dir, await startEmbeddedPostgres({ dir, settings: { max_connections: '200' } }));
    const small = SmallDisk.mount(dir, disk);
    try {
      const settings = { max_connections: '200', min_wal_size: '32MB', max_wal_size: '48MB' };
      return new Postgres(dir, await startEmbeddedPostgres({ dir, settings }), small);
    } catch (error) {
      small.unmount();
      throw error;
    }
  }

  get port(): number {
    return Number(new URL(this.server.url).port);
  }

  get version(): Promise<string> {
    return this.query<{ server_version: string }>('show server_version').then(([row]) => row?.server_version ?? '');
  }

  /** An empty database of its own; its URL leads straight to Postgres. */
  async createDatabase(): Promise<string> {
    const name = `verify_${++this.databases}`;
    await this.query(`create database ${name}`);
    return this.server.url.replace(/\/postgres$/, `/${name}`);
  }

  /** On a connection of its own, past every proxy. A bigint comes as a string. */
  async query<Row extends object>(sql: string, values: unknown[] = [], url = this.server.url): Promise<Row[]> {
    const client = await this.connect(url);
    try {
      return (await client.query<Row>(sql, values)).rows;
    } finally {
      // Where the connection is gone, so is its end.
      await client.end().catch(() => undefined);
    }
  }

  /** A connection that stays, past every proxy; the caller ends it. */
  async connect(url = this.server.url): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url });
    // It may be one that a fault hits.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** Asks the postmaster to end (SIGINT: fast, SIGQUIT: immediate); resolves when the next one answers. */
  async restart(signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
    const [before] = this.pids();
    if (before !== undefined) this.signal(signal, [before]);
    await until(() => !runs(before), 60_000, 'Postgres ends');
    await this.ready();
  }

  /** The postmaster first, then its backends. */
  pids(): number[] {
    const postmaster = Number(readFileSync(join(this.dir, 'cluster', 'postmaster.pid'), 'utf8').split('\n')[0]);
    return [postmaster, ...childrenOf(postmaster)];
  }

  signal(signal: NodeJS.Signals, pids = this.pids()): void {
    for (const pid of pids) {
      try {
        process.kill(pid, signal);
      } catch {
        // It ended by itself meanwhile.
      }
    }
  }

  async ready(): Promise<void> {
    await until(
      () =>
        this.query('select 1').then(
          () => true,
          () => false,
        ),
      60_000,
      'Postgres answers',
    );
  }

  /** The disk that it was given. @throws when it was given none */
  get disk(): SmallDisk {
    if (this.small === undefined) throw new Error('This Postgres has no disk of its own');
    return this.small;
  }

  async stop(): Promise<void> {
    await this.server.stop();
    this.small?.unmount();
    await rm(this.dir, { recursive: true, force: true });
  }
}

function runs(pid: number | undefined): boolean {
  return pid !== undefined && parentOf(pid) !== undefined;
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && parentOf(pid) === parent);
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}
