import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { uuidv7 } from 'uuidv7';
import { samplesOf } from '../../verify/fuzz/fuzzer.js';
import { Mutations } from '../../verify/fuzz/mutations.js';
import type { Untimed } from '../../verify/history.js';
import { Cluster } from '../../verify/processes/cluster.js';
import type { Instance } from '../../verify/processes/instance.js';
import { Postgres } from '../../verify/processes/postgres.js';
import { tokenOf } from '../../verify/processes/token.js';
import { Random } from '../../verify/random.js';
import { Recorder } from '../../verify/recorder.js';
import { attackOnce, Tally } from './attack.js';
import { Neighbours } from './neighbour.js';
import { askInEveryShape } from './shapes.js';

const { values: given } = parseArgs({
  options: { packets: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
});

const connections = 12;
/** Each makes rooms of its own by chance, so that none has too many to be let in quickly. */
const users = 24;
/** After each part of the packets the connections are closed, and what the process holds is measured after a collection. */
const parts = 20;
/** From here on memory has to be flat: nothing may be held beyond this measurement but what follows, in bytes. */
const warmParts = 4;
const heapSlack = 8 * 2 ** 20;
const rssSlack = 64 * 2 ** 20;

/** Otherwise what would be tested is how fast Parley cuts those who flood; row F-C3 of `npm run verify` does. */
const environment = {
  REQUESTS_PER_SECOND: '1000000',
  INBOUND_BYTES_PER_SECOND: '1000000000',
  CONNECTS_PER_SECOND: '5000',
};

/** Keeps what befell the process. */
class Watch extends Recorder {
  readonly troubles: string[] = [];

  override write(record: Untimed): void {
    super.write(record);
    if (record.type === 'process' && record.event !== 'ready' && !record.wanted)
      this.troubles.push(`the process: ${record.event} ${record.detail ?? ''}`);
  }
}

interface Held {
  packets: number;
  rss: number;
  heap: number;
}

process.exitCode = await main();

async function main(): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'parley-fuzz-'));
  const recorder = new Watch(join(dir, 'history.ndjson'));
  const random = new Random(given.seed);
  const postgres = await Postgres.start();
  const topology = { instances: 1, proxies: [], environment };
  const server = resolve('dist/main.js');
  const cluster = await Cluster.start({ topology, postgres, server, dir, recorder, random });
  try {
    const [node] = cluster.nodes;
    if (node === undefined) throw new Error('There is no instance');
    return await run(node.instance, recorder, random);
  } finally {
    await cluster.stop();
    await postgres.stop();
    recorder.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function run(instance: Instance, recorder: Watch, random: Random): Promise<number> {
  const { url, pid } = instance;
  const packets = Number(given.packets);
  const neighbours = await Neighbours.meet(url);
  neighbours.talk();
  const tally = new Tally();
  const held: Held[] = [];
  const shapes = await askInEveryShape(url, await tokenOf('shapes'), tally);
  console.log(`Seed ${given.seed}; every request in every malformed shape: ${shapes} packets`);
  const tokens = await Promise.all(Array.from({ length: users }, (_, i) => tokenOf(`attacker ${i}`)));
  // Of a room that there is, and twice as much of one that there is not, which costs less.
  const nowhere = samplesOf(uuidv7());
  const samples = [...samplesOf(await neighbours.playground()), ...nowhere, ...nowhere];
  const attackers = Array.from({ length: connections }, (_, i) => new Mutations(random.fork(`attacker ${i}`), samples));
  let turn = 0;
  let attackMs = 0;
  for (let part = 1; part <= parts; part++) {
    const since = performance.now();
    await Promise.all(
      attackers.map(async (mutations) => {
        while (tally.packets < (packets * part) / parts && instance.running)
          await attackOnce(url, tokens[turn++ % users] ?? '', mutations, tally);
      }),
    );
    attackMs += performance.now() - since;
    const { rss = NaN, heap = NaN } = (await instance.sample('after')) ?? {};
    held.push({ packets: tally.packets, rss, heap });
    const perSecond = Math.round((tally.packets - shapes) / (attackMs / 1_000));
    console.log(`${tally.packets} packets, ${perSecond}/s, RSS ${inMiB(rss)}, heap ${inMiB(heap)}`);
  }
  await neighbours.end();
  tell(tally, neighbours);
  const troubles = [
    ...recorder.troubles,
    ...neighbours.troubles.slice(0, 10),
    ...(instance.running && instance.pid === pid ? [] : ['the process was started again']),
    ...logged(instance.output),
    ...ofReplies(tally, packets),
    ...ofNeighbours(neighbours),
    ...ofMemory(held),
  ];
  for (const trouble of troubles) console.log(`FAILED: ${trouble}`);
  console.log(troubles.length === 0 ? 'It holds.' : `${troubles.length} failed`);
  return troubles.length === 0 ? 0 : 1;
}

function tell(tally: Tally, { sent, acked, seen, latencies }: Neighbours): void {
  const { levels, asked, answered, missing, surplus, internal, closes } = tally;
  const sorted = latencies.toSorted((a, b) => a - b);
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? NaN;
  console.log(
    [
      `levels: Engine.IO and WebSocket ${levels.engine}, Socket.IO ${levels.parser}, requests ${levels.event}`,
      `replies: asked ${asked}, answered ${answered}, missing ${missing}, surplus ${surplus}, internal ${internal}`,
      `closes: ${[...closes].map(([reason, count]) => `${reason} ${count}`).join(', ')}`,
      `neighbours: sent ${sent}, acknowledged ${acked}, seen ${seen}, p99 ${Math.round(p99)} ms`,
    ].join('\n'),
  );
}

function ofReplies(tally: Tally, packets: number): string[] {
  const counts: [string, number][] = [
    ['packets were not sent', Math.max(0, packets - tally.packets)],
    ['replies are missing', tally.missing],
    ['replies are one too many', tally.surplus],
    ['replies own up to a fault of the server', tally.internal],
    ['connections were not taken', tally.notTaken],
    ['connections ended without a reason', tally.endedWithout],
    [
      `connections stayed open against the protocol: ${tally.notClosed.slice(0, 5).join(' | ')}`,
      tally.notClosed.length,
    ],
    [`malformed requests were not told so: ${tally.misjudged.slice(0, 5).join(' | ')}`, tally.misjudged.length],
  ];
  return counts.filter(([, count]) => count !== 0).map(([what, count]) => `${count} ${what}`);
}

function ofNeighbours({ sent, acked, seen, gaps }: Neighbours): string[] {
  if (acked === sent && seen === sent && gaps === 0 && sent > 0) return [];
  return [`of ${sent} messages of the neighbours ${acked} were acknowledged and ${seen} seen, with ${gaps} gaps`];
}

function ofMemory(held: readonly Held[]): string[] {
  const [warm, last] = [held[warmParts - 1], held.at(-1)];
  if (warm === undefined || last === undefined) return ['memory was not measured'];
  const [heap, rss] = [last.heap - warm.heap, last.rss - warm.rss];
  console.log(`memory since ${warm.packets} packets: heap +${inMiB(heap)}, RSS +${inMiB(rss)}`);
  return [
    ...(heap <= heapSlack ? [] : [`the heap grew by ${inMiB(heap)}`]),
    ...(rss <= rssSlack ? [] : [`the process grew by ${inMiB(rss)}`]),
  ];
}

/** Lines of errors and warnings; none is expected. */
function logged(output: string): string[] {
  const lines = output.split('\n').filter((line) => /"level":"(error|warn|fatal)"/.test(line) || / {2}at /.test(line));
  return lines.slice(0, 10).map((line) => `the log says ${line.slice(0, 600)}`);
}

function inMiB(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
