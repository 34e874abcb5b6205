import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { processSeconds } from '../../bench/machine.js';
import { Cluster } from '../../verify/processes/cluster.js';
import { Postgres } from '../../verify/processes/postgres.js';
import { pause } from '../../verify/processes/program.js';
import { tokenOf } from '../../verify/processes/token.js';
import { Random } from '../../verify/random.js';
import { Recorder } from '../../verify/recorder.js';
import type { FloodOrder } from './flooder.js';
import { Neighbours, Visitor } from './neighbour.js';

const kinds = ['requests', 'log-ins', 'handshakes'] as const;
type Kind = FloodOrder['kind'];

const { values: given } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '8' },
    kind: { type: 'string', multiple: true, default: [...kinds] },
  },
});

const titles: Record<Kind, string> = {
  requests: 'ten connections ask for a hundred times what one may in a second by default',
  'log-ins': 'a thousand log in at once, and try again when they are told to',
  handshakes: 'ten thousand connections a minute with a forged token, from one address',
};
const flooders = 10;
/** A hundred times what one connection may ask in a second by default. */
const perSecond = 50_000;
const accounts = 1_000;
const handshakesPerSecond = 10_000 / 60;
/** Each sends 20 messages a second, whether it is answered or not. */
const pairs = 5;
/** How much the others' p99 may be in the flood, by what it is before; the median of the rounds. */
const bound = 2;
/** Whoever was cut is kept out for so long; the next flood begins after it. */
const keptOutMs = 11_000;
const lengthMs = Number(given.seconds) * 1_000;

/** What others waited for while something went on: p99 in ms, of their messages and of coming in. */
interface Waited {
  messages: number;
  connects: number;
  /** What the server took meanwhile, of one processor. */
  cpu: number;
}

async function main(): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'parley-flood-'));
  const recorder = new Recorder(join(dir, 'history.ndjson'));
  const postgres = await Postgres.start();
  const topology = { instances: 1, proxies: [], environment: { ACCOUNTS: 'on', TRUST_PROXY: '1' } };
  const options = { topology, postgres, server: resolve('dist/main.js'), dir, recorder };
  const cluster = await Cluster.start({ ...options, random: new Random('flood') });
  const [sink, flooder] = [start('sink.ts'), start('flooder.ts')];
  try {
    const [port] = (await once(sink, 'message')) as [number];
    const flooding = new Flooding(cluster, `http://127.0.0.1:${port}`, flooder);
    return await flooding.run(kinds.filter((kind) => given.kind.includes(kind)));
  } finally {
    for (const child of [sink, flooder]) child.kill();
    await cluster.stop();
    await postgres.stop();
    recorder.close();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Neighbours who talk the whole time, and what goes on beside them. */
class Flooding {
  private neighbours: Neighbours[] = [];
  private readonly visitor: Visitor;
  private readonly url: string;
  private readonly pid: number;

  constructor(
    { nodes: [node] }: Cluster,
    private readonly sink: string,
    private readonly flooder: ChildProcess,
  ) {
    this.url = node?.url ?? '';
    this.pid = node?.instance.pid ?? 0;
    this.visitor = new Visitor(this.url);
  }

  async run(wanted: readonly Kind[]): Promise<number> {
    this.neighbours = await Promise.all(Array.from({ length: pairs }, () => Neighbours.meet(this.url)));
    for (const each of this.neighbours) each.talk();
    this.visitor.comeAndGo();
    await pause(lengthMs);
    const failures: string[] = [];
    for (const kind of wanted) failures.push(...(await this.floodWith(kind)));
    await this.visitor.end();
    for (const each of this.neighbours) await each.end();
    const lost = this.neighbours.filter(({ sent, acked, seen, gaps }) => acked !== sent || seen !== sent || gaps !== 0);
    if (lost.length > 0) failures.push(`${lost.length} neighbours lost something`);
    failures.push(...[this.visitor, ...this.neighbours].flatMap(({ troubles }) => troubles).slice(0, 10));
    for (const failure of failures) console.log(`FAILED: ${failure}`);
    return failures.length === 0 ? 0 : 1;
  }

  /** @returns what does not hold */
  private async floodWith(kind: Kind): Promise<string[]> {
    console.log(`\n${kind}: ${titles[kind]}`);
    const rounds: Record<'before' | 'flood' | 'sink', Waited>[] = [];
    for (let i = 0; i < Number(given.rounds); i++) {
      const before = await this.beside(() => pause(lengthMs));
      const flood = await this.beside(() => this.flood(kind, this.url));
      const after = await this.beside(() => pause(Math.max(lengthMs, keptOutMs)));
      const sink = await this.beside(() => this.flood(kind, this.sink));
      rounds.push({ before, flood, sink });
      console.log(
        `  before ${shown(before)}\n  flood  ${shown(flood)}\n  after  ${shown(after)}\n  flood of a sink ${shown(sink)}`,
      );
    }
    const failures: string[] = [];
    for (const what of ['messages', 'connects'] as const) {
      const ratio = median(rounds.map(({ before, flood }) => flood[what] / before[what]));
      const control = median(rounds.map(({ before, sink }) => sink[what] / before[what]));
      console.log(
        `  p99 of ${what}, median of the rounds: ${ratio.toFixed(2)} ×, in a flood of a sink ${control.toFixed(2)} ×`,
      );
      if (!(ratio <= bound)) failures.push(`${kind}: the p99 of others' ${what} is ${ratio.toFixed(2)} × in the flood`);
    }
    return failures;
  }

  private async flood(kind: Kind, url: string): Promise<void> {
    const order: FloodOrder =
      kind === 'requests'
        ? { kind, url, lengthMs, tokens: await this.tokens(), roomId: this.neighbours[0]?.roomId ?? '', perSecond }
        : kind === 'log-ins'
          ? { kind, url, lengthMs, count: accounts }
          : { kind, url, lengthMs, perSecond: handshakesPerSecond };
    this.flooder.send(order);
    const [told] = (await once(this.flooder, 'message')) as [string];
    console.log(`  ${url === this.sink ? 'sink' : 'Parley'}: ${told}`);
  }

  private tokens(): Promise<string[]> {
    return Promise.all(Array.from({ length: flooders }, (_, i) => tokenOf(`flooder ${i}`)));
  }

  private async beside(work: () => Promise<void>): Promise<Waited> {
    const all = [...this.neighbours, this.visitor];
    const from = all.map(({ latencies }) => latencies.length);
    const [since, cpu] = [performance.now(), processSeconds(this.pid)];
    await work();
    const seconds = (performance.now() - since) / 1_000;
    const waits = all.map(({ latencies }, i) => latencies.slice(from[i]));
    const connects = p99(waits.pop() ?? []);
    return { messages: p99(waits.flat()), connects, cpu: (processSeconds(this.pid) - cpu) / seconds };
  }
}

function p99(latencies: readonly number[]): number {
  return latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length * 0.99)] ?? NaN;
}

function start(file: string): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), { execArgv: process.execArgv });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function shown({ messages, connects, cpu }: Waited): string {
  return `messages ${messages.toFixed(1)} ms, connects ${connects.toFixed(1)} ms, server ${(cpu * 100).toFixed(0)} %`;
}

process.exitCode = await main();
