import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { judge } from './checks/index.js';
import { readHistory } from './history.js';
import { Load, loads, type LoadName } from './load/load.js';
import { readRoom, readTables, readUnread, Reads, recount } from './load/reads.js';
import { converge, settle } from './load/settle.js';
import { SideLoad } from './load/side-load.js';
import { Cluster, type Node } from './processes/cluster.js';
import { tokenOf } from './processes/token.js';
import type { Postgres } from './processes/postgres.js';
import { pause } from './processes/program.js';
import { Random } from './random.js';
import { Recorder } from './recorder.js';
import { plot } from './report/plot.js';
import type { RowReport } from './report/report.js';
import { fileOf } from './report/results.js';
import type { Beginning, Row, RunningRow } from './rows/index.js';

export interface RowOptions {
  seed: string;
  quick: boolean;
  /** Instead of the row's own length, in seconds. */
  seconds?: number | undefined;
  load?: LoadName | undefined;
  postgres: Postgres;
  /** The built `main.js`. */
  server: string;
  /** Another version's. */
  previous?: string | undefined;
  /** For histories, logs and plots. */
  dir: string;
  /** How the instances tell each other of changes; a row that is about one of them says so itself. */
  adapter: 'classic' | 'sharded';
  versions: Record<string, string>;
  say: (line: string) => void;
  /** Aborted, the row ends as soon as it can and is a failed one. */
  ending: AbortSignal;
}

/** Before the load counts, processes are warm. */
const warmUpMs = 5_000;
/** Clients that say at the end what is unread, at most. */
const unreadReaders = 60;
/** An event loop that stands still for longer than this without a fault has no processor to run on. */
const busyMs = 300;

/** Runs one row of the matrix on a cluster of its own, and judges what it recorded. Never throws: a row that breaks is a failed one. */
export async function runRow(row: Row, options: RowOptions): Promise<RowReport> {
  const { seed, quick, postgres, server, adapter, previous, versions, say, ending } = options;
  const lack = row.lacks?.({ previous });
  if (lack !== undefined) {
    say(`${row.name}: ${row.title}`);
    return notRun(row, lack, { startedAt: new Date().toISOString(), seed, quick, versions });
  }
  const fast = quick ? row.quick : undefined;
  const loadName = options.load ?? fast?.load ?? row.load;
  const lengthMs = (options.seconds ?? fast?.seconds ?? row.seconds) * 1_000;
  const random = new Random(seed).fork(row.name);
  const file = fileOf(row.name);
  const startedAt = new Date().toISOString();
  const dir = join(options.dir, file);
  await mkdir(dir, { recursive: true });
  const recorder = new Recorder(join(dir, 'history.ndjson'));
  recorder.write({ type: 'run', row: row.name, seed, load: loadName, startedAt, versions });

  const measured = new Map<string, number[]>();
  const notes: string[] = [];
  const beginning: Beginning = {
    pause,
    notes,
    measure: (name, value) => measured.set(name, [...(measured.get(name) ?? []), value]),
  };
  let failure: string | undefined;
  let running: RunningRow | undefined;
  let cluster: Cluster | undefined;
  let load: Load | undefined;
  let side: SideLoad | undefined;
  try {
    say(`${row.name}: ${row.title}`);
    const environment = { REDIS_ADAPTER: adapter, ...row.topology?.environment };
    const topology = { instances: 3, proxies: [], bug: row.bug?.name, ...row.topology, environment };
    const begin = row.begin && ((started: Cluster) => row.begin?.(started, beginning) ?? Promise.resolve());
    cluster = await Cluster.start({ topology, postgres, server, previous, begin, dir, recorder, random });
    const { nodes } = cluster;
    const reads = new Reads(
      recorder,
      random.fork('reads'),
      nodes.map(({ instance }) => ({ instance: instance.name, url: instance.url })),
      (roomId) => memberToken(roomId),
    );
    load = new Load({
      shape: loads[loadName],
      recorder,
      random,
      places: nodes.map(({ instance, url }) => ({ instance: instance.name, url })),
      token: (user) => tokenOf(user),
      onSent: (roomId, seq, sender) => {
        reads.offer(roomId, seq);
        side?.offer(sender, roomId, seq);
      },
    });
    side = new SideLoad(load, random.fork('beside'));
    const memberToken = (roomId: string) => load?.memberOf(roomId)?.options.token ?? '';
    await load.prepare();
    await side.prepare();

    load.start();
    side.start();
    ending.throwIfAborted();
    await pause(warmUpMs);
    await sampleAll(cluster, 'before');
    await pause(1_000);
    recorder.write({ type: 'phase', phase: 'load' });
    const end = performance.now() + lengthMs;
    running = {
      ...beginning,
      cluster,
      load,
      recorder,
      random: random.fork('faults'),
      lengthMs,
      quick,
      measured,
      over: () => performance.now() > end - 3_000,
      fault: async (name, work, extent = {}) => {
        const fault = recorder.nextFault();
        const common = { type: 'fault' as const, fault, name, ...extent };
        recorder.write({ ...common, at: 'begin' });
        await work();
        recorder.write({ ...common, at: 'end' });
      },
    };
    reads.start();
    const sampler = setInterval(() => void (cluster && sampleAll(cluster)), 1_000);
    const steps = row.steps(running).catch((error: unknown) => (failure = `its steps failed: ${String(error)}`));
    await endOr(ending, pause(lengthMs));
    load.stop();
    side.stop();
    await endOr(ending, steps);
    clearInterval(sampler);
    reads.stop();
    notes.push(...(await settle(load, side)));
    recorder.write({ type: 'phase', phase: 'settle' });
    await converge(load, await headsOf(cluster), row.convergeMs ?? 5_000);
    await pause(2_000);
    await sampleAll(cluster, 'after');
    recorder.write({ type: 'phase', phase: 'final' });
    await readTables(recorder, postgres, cluster.databaseUrl);
    await recount(recorder, postgres, cluster.databaseUrl);
    for (const [i, { options: reader }] of load.clients.slice(0, unreadReaders).entries()) {
      const { instance } = nodes[i % nodes.length] as Node;
      await readUnread(recorder, { instance: instance.name, url: instance.url }, reader);
    }
    for (const { instance } of nodes) {
      for (const roomId of load.rooms)
        await readRoom(recorder, instance.name, instance.url, roomId, memberToken(roomId));
    }
  } catch (error) {
    failure ??= error instanceof Error ? error.message : String(error);
  }
  // What ends from here on ends because the run does.
  recorder.close();
  load?.close();
  side?.close();
  await cluster?.stop();

  const stood = await standstill(recorder.path);
  if (stood > busyMs) {
    notes.push(
      `The machine was busy with something else: before any fault the instances' event loops stood still for up to ${stood.toFixed(0)} ms. What this run measured in time says little.`,
    );
  }
  const judgement = await judge(readHistory(recorder.path), { convergeMs: row.convergeMs ?? 5_000 });
  const plotted = `${file}.svg`;
  await writeFile(join(options.dir, plotted), plot(`${row.name} ${row.title} · ${loadName}`, judgement.timeline));
  return {
    row: row.name,
    title: row.title,
    run: { startedAt, seed, quick, versions },
    load: loadName,
    seconds: lengthMs / 1_000,
    acknowledged: judgement.acknowledged,
    delivered: judgement.results.find(({ check }) => check === 'C5')?.counts['changes'] ?? 0,
    results: judgement.results,
    figures: running === undefined ? [] : (row.figures?.(judgement, running) ?? []),
    notes,
    plot: plotted,
    ...(failure === undefined ? {} : { failure }),
    ...(row.bug === undefined ? {} : { foundBy: row.bug.foundBy }),
  };
}

function notRun({ name, title, load, seconds }: Row, reason: string, run: RowReport['run']): RowReport {
  const nothing = { acknowledged: 0, delivered: 0, results: [], figures: [], notes: [] };
  return { row: name, run, title, load, seconds, ...nothing, notRun: reason };
}

/** For how long at most an instance's event loop stood still between the beginning of the load and the first fault, in ms. */
async function standstill(path: string): Promise<number> {
  let longest = 0;
  let sampled = -1;
  for await (const record of readHistory(path)) {
    if (record.type === 'phase' && record.phase === 'load') sampled = 0;
    if (record.type === 'fault' || (record.type === 'phase' && record.phase === 'settle')) break;
    // The first sample of each instance tells of the time before the load.
    if (record.type === 'sample' && sampled >= 0 && ++sampled > 3)
      longest = Math.max(longest, record.values['lagMaxMs'] ?? 0);
  }
  return longest;
}

async function sampleAll({ nodes }: Cluster, steady?: 'before' | 'after'): Promise<void> {
  await Promise.all(nodes.map(({ instance }) => instance.sample(steady)));
}

/** By room id, the rev that stands in the database. */
async function headsOf({ postgres, databaseUrl }: Cluster): Promise<Map<string, number>> {
  const heads = await postgres.query<{ id: string; rev: number }>(
    'select id, rev::float8 as rev from rooms',
    [],
    databaseUrl,
  );
  return new Map(heads.map(({ id, rev }) => [id, rev]));
}

/** @throws when it is to end before */
async function endOr(ending: AbortSignal, work: Promise<unknown>): Promise<void> {
  const aborted = new Promise<never>((_, reject) => {
    ending.addEventListener('abort', () => reject(new Error('interrupted')), { once: true });
  });
  ending.throwIfAborted();
  await Promise.race([work, aborted]);
}
