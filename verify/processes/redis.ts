import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createClient } from 'redis';
import { freePort, hasEnded, until } from './program.js';

const clientAt = (port: number) =>
  createClient({ url: `redis://127.0.0.1:${port}`, socket: { reconnectStrategy: false } });
export type RedisClient = ReturnType<typeof clientAt>;

/** A private Redis (or Valkey) in memory, on a port that it keeps when it is killed and started again. */
export class Redis {
  private constructor(
    private readonly program: string,
    readonly port: number,
    private child: ChildProcess,
  ) {}

  static async start(): Promise<Redis> {
    const program = ['redis-server', 'valkey-server'].find((name) => spawnSync(name, ['--version']).status === 0);
    if (program === undefined) throw new Error('The checker needs redis-server or valkey-server: install one of them.');
    const port = await freePort();
    const redis = new Redis(program, port, launch(program, port));
    await redis.ready();
    return redis;
  }

  static version(): string {
    const { stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
    return /v=(\S+)/.exec(stdout)?.[1] ?? 'unknown';
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Resolves when the process is gone. */
  async kill(): Promise<void> {
    if (hasEnded(this.child)) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGCONT');
    this.child.kill('SIGKILL');
    await ended;
  }

  /** After `kill`: a new, empty one in its place. */
  async restart(): Promise<void> {
    this.child = launch(this.program, this.port);
    await this.ready();
  }

  /** One command on a connection of its own; what came first of the raw answer. */
  command(...words: (string | Buffer)[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1', () => socket.write(encode(words)));
      socket.once('data', (data) => {
        resolve(String(data));
        socket.destroy();
      });
      socket.once('error', reject);
    });
  }

  /** The same, for a command whose failure would make a fault that is none. @throws when Redis refuses it */
  async must(...words: string[]): Promise<string> {
    const answer = await this.command(...words);
    if (answer.startsWith('-')) throw new Error(`Redis refuses ${words.join(' ')}: ${answer.trim()}`);
    return answer;
  }

  /** A client of the checker's own; the caller ends it. */
  async client(): Promise<RedisClient> {
    const client = clientAt(this.port);
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  private async ready(): Promise<void> {
    const pings = () =>
      this.command('PING').then(
        (answer) => answer.startsWith('+PONG'),
        () => false,
      );
    await until(() => !hasEnded(this.child) && pings(), 10_000, 'Redis answers');
  }
}

function encode(words: (string | Buffer)[]): Buffer {
  const parts = words.flatMap((word) => [`$${Buffer.byteLength(word)}\r\n`, word, '\r\n']);
  return Buffer.concat([`*${words.length}\r\n`, ...parts].map((part) => Buffer.from(part)));
}

/** Ends with this process, also when that is killed, where the system knows how. */
function launch(program: string, port: number): ChildProcess {
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const [command = program, ...args] = [...endWithUs, program, ...settings];
  return spawn(command, args, { stdio: 'ignore' });
}

const pdeathsig = ['setpriv', '--pdeathsig', 'KILL', '--'];
const endWithUs = spawnSync('setpriv', [...pdeathsig.slice(1), 'true']).status === 0 ? pdeathsig : [];
