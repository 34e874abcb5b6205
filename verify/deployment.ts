import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { enterAsGuest } from '../sdk/guest.js';
import { judge } from './checks/index.js';
import { readHistory, truth } from './history.js';
import { Load, loads, type LoadName } from './load/load.js';
import type { PlainClient } from './load/plain-client.js';
import { headOf, readRoom, Reads } from './load/reads.js';
import { converge, settle } from './load/settle.js';
import { SideLoad } from './load/side-load.js';
import { pause } from './processes/program.js';
import { tokenOf } from './processes/token.js';
import { Random } from './random.js';
import { Recorder } from './recorder.js';
import { plot } from './report/plot.js';
import type { Figure, RowReport } from './report/report.js';

export interface DeploymentOptions {
  /** Where it answers; several addresses are used in turn, as by a load balancer. */
  urls: string[];
  /** The secret that the deployment verifies tokens with (HS256); without it the clients enter as guests. */
  jwtSecret: string | undefined;
  seed: string;
  seconds: number;
  load: LoadName;
  dir: string;
  versions: Record<string, string>;
}

const convergeMs = 10_000;
/** Between two faults, in ms. */
const pauseMs = 8_000;

/**
 * Holds somebody's own deployment to the promises: a load over it, client connections that are cut and clients that fall silent,
 * and whatever its owner does to it meanwhile. All that is known of it is what any client can see, so the truth is what REST shows.
 */
export async function verifyDeployment(options: DeploymentOptions): Promise<RowReport> {
  const { urls, seed, seconds, dir, versions } = options;
  const startedAt = new Date().toISOString();
  const random = new Random(seed).fork('deployment');
  await mkdir(dir, { recursive: true });
  const recorder = new Recorder(join(dir, 'history.ndjson'));
  recorder.write({ type: 'run', row: 'deployment', seed, load: options.load, startedAt, versions });
  const places = urls.map((url, i) => ({ instance: `url ${i + 1}`, url }));
  const memberToken = (roomId: string) => memberOf(load, roomId)?.options.token ?? '';
  const reads = new Reads(recorder, random.fork('reads'), places, memberToken);
  const token =
    options.jwtSecret === undefined
      ? guests(urls)
      : (user: string) => tokenOf(`verify-${startedAt}-${user}`, options.jwtSecret);
  const load = new Load({
    shape: loads[options.load],
    recorder,
    random,
    places,
    token,
    onSent: (roomId, seq, sender) => {
      reads.offer(roomId, seq);
      side.offer(sender, roomId, seq);
    },
  });
  const side: SideLoad = new SideLoad(load, random.fork('beside'));
  let failure: string | undefined;
  let notes: string[] = [];
  try {
    await load.prepare();
    await side.prepare();
    load.start();
    side.start();
    await pause(5_000);
    recorder.write({ type: 'phase', phase: 'load' });
    reads.start();
    await disturb(load, recorder, random.fork('faults'), seconds * 1_000);
    load.stop();
    side.stop();
    reads.stop();
    notes = await settle(load, side);
    recorder.write({ type: 'phase', phase: 'settle' });
    const heads = new Map<string, number>();
    for (const roomId of load.rooms)
      heads.set(roomId, (await headOf(urls[0] ?? '', roomId, memberToken(roomId))).headRev);
    await converge(load, heads, convergeMs);
    recorder.write({ type: 'phase', phase: 'final' });
    for (const [i, { instance, url }] of places.entries()) {
      for (const roomId of load.rooms) {
        if (i === 0) await readRoom(recorder, truth, url, roomId, memberToken(roomId));
        await readRoom(recorder, instance, url, roomId, memberToken(roomId));
      }
    }
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  recorder.close();
  await side.leaveAll();
  await leave(load);
  load.close();
  side.close();

  const judgement = await judge(readHistory(recorder.path), { convergeMs });
  const { results, acknowledged, timeline } = judgement;
  await writeFile(join(dir, 'deployment.svg'), plot(`deployment · ${options.load}`, timeline));
  const kinds = { ack: 'acknowledged', same: 'delivered at the same address', cross: 'delivered at other addresses' };
  const figures = Object.entries(kinds).flatMap(([kind, name]) =>
    (['before', 'during', 'after'] as const).map((span): Figure => {
      const value = judgement.quantileMs(kind as keyof typeof kinds, span, 0.99);
      return { name: `${name}, p99 ${span} faults`, value, unit: 'ms' };
    }),
  );
  return {
    row: 'deployment',
    title: `${urls.join(', ')}: connections are cut, clients fall silent`,
    run: { startedAt, seed, quick: false, versions },
    load: options.load,
    seconds,
    acknowledged,
    delivered: results.find(({ check }) => check === 'C5')?.counts['changes'] ?? 0,
    results,
    figures: figures.filter(({ value }) => !Number.isNaN(value)),
    notes,
    plot: 'deployment.svg',
    ...(failure === undefined ? {} : { failure }),
  };
}

/** In turn: a third of the clients loses its connections at once; a tenth reads nothing for some seconds and loses them then. */
async function disturb(load: Load, recorder: Recorder, random: Random, lengthMs: number): Promise<void> {
  const end = performance.now() + lengthMs;
  for (let turn = 0; performance.now() + pauseMs < end; turn++) {
    await pause(pauseMs);
    const some = load.clients.filter(() => random.next() < (turn % 2 === 0 ? 1 / 3 : 1 / 10));
    const name = turn % 2 === 0 ? 'connections cut' : 'clients silent';
    const fault = { type: 'fault' as const, fault: recorder.nextFault(), name, silences: true };
    recorder.write({ ...fault, at: 'begin' });
    if (turn % 2 === 1) {
      for (const client of some) client.deafen();
      await pause(Math.min(4_000, end - performance.now()));
    }
    for (const client of some) client.drop();
    recorder.write({ ...fault, at: 'end' });
  }
  await pause(end - performance.now());
}

function memberOf(load: Load, roomId: string): PlainClient | undefined {
  return load.clients.find((client) => load.roomsOf.get(client)?.includes(roomId));
}

/** Nobody is left in what the run made. */
async function leave(load: Load): Promise<void> {
  for (const [client, rooms] of load.roomsOf) for (const roomId of rooms) await client.leave(roomId);
}

function guests(urls: string[]): (user: string) => Promise<string> {
  return async (user) => (await enterAsGuest(urls[0] ?? '', user)).token;
}
