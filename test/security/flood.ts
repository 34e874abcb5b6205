import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Flooded } from '../../verify/load/flood.js';
import { Cluster } from '../../verify/processes/cluster.js';
import { Postgres } from '../../verify/processes/postgres.js';
import { pause } from '../../verify/processes/program.js';
import { tokenOf } from '../../verify/processes/token.js';
import { Random } from '../../verify/random.js';
import { Recorder } from '../../verify/recorder.js';
import type { FloodOrder } from './flooder.js';
import { Neighbours } from './neighbour.js';

const { values: given } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '8' } },
});

const flooders = 10;
/** A hundred times what one connection may ask in a second by default. */
const perSecond = 50_000;
/** Each sends 20 messages a second, whether it is answered or not. */
const pairs = 5;
/** How much the others' p99 may be in the flood, by what it is before; the median of the rounds. */
const bound = 2;
/** Whoever was cut is kept out for so long; the next flood begins after it. */
const keptOutMs = 11_000;
const lengthMs = Number(given.seconds) * 1_000;

interface Round {
  before: number;
  flood: number;
  after: number;
  /** While the same flood goes to a sink: what the flooder itself takes of the machine. */
  sink: number;
}

process.exitCode = await main();

async function main(): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'parley-flood-'));
  const recorder = new Recorder(join(dir, 'history.ndjson'));
  const postgres = await Postgres.start();
  const options = { topology: { instances: 1, proxies: [] }, postgres, server: resolve('dist/main.js'), dir, recorder };
  const cluster = await Cluster.start({ ...options, random: new Random('flood') });
  const [sink, flooder] = [start('sink.ts'), start('flooder.ts')];
  try {
    const [port] = (await once(sink, 'message')) as [number];
    return await run(cluster.nodes[0]?.url ?? '', `http://127.0.0.1:${port}`, flooder);
  } finally {
    for (const child of [sink, flooder]) child.kill();
    await cluster.stop();
    await postgres.stop();
    recorder.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function run(url: string, sink: string, flooder: ChildProcess): Promise<number> {
  const neighbours = await Promise.all(Array.from({ length: pairs }, () => Neighbours.meet(url)));
  const roomId = neighbours[0]?.roomId ?? '';
  const tokens = await Promise.all(Array.from({ length: flooders }, (_, i) => tokenOf(`flooder ${i}`)));
  const floodTo = async (target: string): Promise<void> => {
    flooder.send({ url: target, tokens, roomId, perSecond, lengthMs } satisfies FloodOrder);
    const [{ packets, cuts }] = (await once(flooder, 'message')) as [Flooded];
    console.log(`  ${target === sink ? 'sink' : 'Parley'}: ${packets} packets, ${cuts} cuts`);
  };
  for (const each of neighbours) each.talk();
  await pause(lengthMs);
  const rounds: Round[] = [];
  for (let i = 0; i < Number(given.rounds); i++) {
    const round = {
      before: await p99Of(neighbours, () => pause(lengthMs)),
      flood: await p99Of(neighbours, () => floodTo(url)),
      after: await p99Of(neighbours, () => pause(Math.max(lengthMs, keptOutMs))),
      sink: await p99Of(neighbours, () => floodTo(sink)),
    };
    rounds.push(round);
    const { before, flood, after, sink: control } = round;
    console.log(
      `p99 in ms: before ${ms(before)}, flood ${ms(flood)}, after ${ms(after)}, flood of a sink ${ms(control)}`,
    );
  }
  for (const each of neighbours) await each.end();
  const ratio = median(rounds.map(({ before, flood }) => flood / before));
  const control = median(rounds.map(({ before, sink }) => sink / before));
  console.log(`median of the rounds: flood ${ratio.toFixed(2)} ×, flood of a sink ${control.toFixed(2)} ×`);
  const lost = neighbours.filter(({ sent, acked, seen, gaps }) => acked !== sent || seen !== sent || gaps !== 0);
  const troubles = neighbours.flatMap((each) => each.troubles);
  for (const trouble of troubles.slice(0, 10)) console.log(`FAILED: ${trouble}`);
  if (lost.length > 0) console.log(`FAILED: ${lost.length} neighbours lost something`);
  if (!(ratio <= bound)) console.log(`FAILED: the p99 of others is ${ratio.toFixed(2)} × in the flood`);
  return ratio <= bound && lost.length === 0 && troubles.length === 0 ? 0 : 1;
}

/** Of the messages that were answered meanwhile, in ms. */
async function p99Of(neighbours: readonly Neighbours[], meanwhile: () => Promise<void>): Promise<number> {
  const from = neighbours.map(({ latencies }) => latencies.length);
  await meanwhile();
  const latencies = neighbours.flatMap((each, i) => each.latencies.slice(from[i])).sort((a, b) => a - b);
  return latencies[Math.floor(latencies.length * 0.99)] ?? NaN;
}

function start(file: string): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), { execArgv: process.execArgv });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function ms(value: number): string {
  return value.toFixed(1);
}
