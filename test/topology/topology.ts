import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createDatabase } from '../environment/database.js';
import { adminKey, jwtSecret } from '../instance.js';
import { eventually, run, type Running } from '../start/processes.js';
import { endWithUs } from './end-with-us.js';
import { freePort, startBalancer, type Balancer } from './haproxy.js';

/** An instance as a process of its own: what the image runs. */
export class InstanceProcess {
  readonly address: string;
  private running: Running | undefined;

  constructor(
    private readonly port: number,
    private readonly settings: NodeJS.ProcessEnv,
  ) {
    this.address = `127.0.0.1:${port}`;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const [command, ...args] = endWithUs(process.execPath, '--enable-source-maps', 'dist/main.js');
    const env = { PATH: process.env['PATH'], NODE_ENV: 'production', ...this.settings, PORT: String(this.port) };
    this.running = run(command, args, { env });
    await this.running.prints(/Parley is ready/);
  }

  /** Undefined while it cannot be asked. */
  async readiness(): Promise<{ ready: boolean; draining: boolean } | undefined> {
    try {
      const answer = await fetch(`http://${this.address}/health/ready`);
      return (await answer.json()) as { ready: boolean; draining: boolean };
    } catch {
      return undefined;
    }
  }

  /** Sends the signal and resolves with how the process ended. */
  async end(signal: NodeJS.Signals): Promise<Awaited<Running['exited']>> {
    this.running?.child.kill(signal);
    return (await this.running?.exited) ?? { code: null, signal: null };
  }

  output(): string {
    return this.running?.output() ?? '';
  }
}

/**
 * What docker-compose.yml describes, as processes: three instances of the built server on one Postgres and one Redis, and
 * HAProxy before them.
 */
export class Topology {
  readonly instances: InstanceProcess[] = [];
  private started: Balancer | undefined;
  private database: Awaited<ReturnType<typeof createDatabase>> | undefined;
  private stopped = false;

  get balancer(): Balancer {
    if (this.started === undefined) throw new Error('The topology is not started');
    return this.started;
  }

  get databaseUrl(): string {
    if (this.database === undefined) throw new Error('The topology is not started');
    return this.database.url;
  }

  /** The balancer's. */
  get url(): string {
    return this.balancer.url;
  }

  async start(): Promise<void> {
    // Builds what is not built or out of date; nothing to do when `npm test` came first.
    const build = "await (await import('./scripts/prepare.mjs')).prepare()";
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', build]);
    this.database = await createDatabase();
    const settings = {
      HOST: '127.0.0.1',
      DATABASE_URL: this.database.url,
      REDIS_URL: process.env['TEST_REDIS_URL'],
      REDIS_PREFIX: `topology-${new URL(this.database.url).pathname.slice(-12)}`,
      JWT_SECRET: jwtSecret,
      ADMIN_KEY: adminKey,
      GUESTS: 'on',
    };
    for (let i = 0; i < 3; i += 1) this.instances.push(new InstanceProcess(await freePort(), settings));
    // A hook that took too long has been cleaned up after by now.
    if (this.stopped) return;
    await Promise.all(this.instances.map((instance) => instance.start()));
    const started = await startBalancer(this.instances.map(({ address }) => address));
    this.started = started;
    const allUp = async () => (await started.backends()).every(({ status }) => status === 'UP');
    await eventually(allUp, 'the balancer finds every instance ready');
  }

  /** Ends every process that was started, also when `start` failed in the middle. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.instances.map((instance) => instance.end('SIGKILL')));
    await this.started?.stop();
    await this.database?.drop();
  }
}
