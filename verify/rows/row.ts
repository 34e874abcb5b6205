import type { CheckName, Judgement, Kind } from '../checks/index.js';
import type { Load, LoadName } from '../load/load.js';
import type { Cluster, Node, Topology } from '../processes/cluster.js';
import type { FaultRecord } from '../history.js';
import type { Random } from '../random.js';
import type { Recorder } from '../recorder.js';
import type { Figure } from '../report/report.js';
import type { Instance } from '../processes/instance.js';

/** A row of the matrix: a fault, the load that it meets, and what the run has to show beyond the checks. */
export interface Row {
  name: string;
  title: string;
  /** The load of the whole matrix; the quick set takes `quick.load`. */
  load: LoadName;
  quick?: { load: LoadName; seconds: number };
  /** How long the load lasts. The steps end before, so that the time after the fault is seen too. */
  seconds: number;
  topology?: Partial<Topology>;
  /** Postgres gets a disk of its own, of so many MiB. */
  disk?: number;
  /** C8, in ms. */
  convergeMs?: number;
  /** A bug that the instances run with: then the row passes if these checks, and no fewer, find it. */
  bug?: { name: string; foundBy: CheckName[] };
  /** Why it cannot run as it was started; it is then reported as not run, which is no pass. */
  lacks?: (given: { previous: string | undefined }) => string | undefined;
  /** Brings the instances up; otherwise the first one starts and migrates, then the others together. */
  begin?: (cluster: Cluster, beginning: Beginning) => Promise<void>;
  /** What happens while the load runs. */
  steps: (run: RunningRow) => Promise<void>;
  /** What it has to show. */
  figures?: (judgement: Judgement, run: RunningRow) => Figure[];
}

/** What is there before the load. */
export interface Beginning {
  pause: (ms: number) => Promise<void>;
  measure: (name: string, value: number) => void;
  notes: string[];
}

/** What the steps of a row have at hand. */
export interface RunningRow extends Beginning {
  cluster: Cluster;
  load: Load;
  recorder: Recorder;
  random: Random;
  /** Of the load, in ms. */
  lengthMs: number;
  quick: boolean;
  /** Whatever steps measured themselves, for the figures. */
  measured: Map<string, number[]>;
  /** Ends steps that last as long as the load. */
  over: () => boolean;
  /** Marks what `work` does as a fault, in the history and on the plot. */
  fault: (name: string, work: () => Promise<void>, extent?: Extent) => Promise<void>;
}

/** What a fault touches, where it is not everything, and whether it silences that. */
export type Extent = Pick<FaultRecord, 'silences' | 'rooms' | 'instance'>;

/** The instances in turn. */
export function inTurn(cluster: Cluster): () => Node {
  let turn = 0;
  return () => cluster.nodes[turn++ % cluster.nodes.length] as Node;
}

/** An instance is killed, and started again after two seconds. */
export async function killAndRestart(run: RunningRow, { instance }: Node): Promise<void> {
  await run.fault(
    `${instance.name} killed`,
    async () => {
      await instance.end('SIGKILL');
      await run.pause(2_000);
      await instance.start();
    },
    { silences: true, instance: instance.name },
  );
}

/** Asks each instance twenty times a second, until it holds of one that answers; the time that took, in ms. */
export async function timeUntil(
  run: Pick<RunningRow, 'pause'>,
  instances: Instance[],
  holds: (health: { ready: boolean; bus: string }) => boolean,
  patienceMs: number,
): Promise<number> {
  const since = performance.now();
  const times = await Promise.all(
    instances.map(async (instance) => {
      while (performance.now() - since < patienceMs) {
        const health = await instance.health();
        if (health !== undefined && holds(health)) return performance.now() - since;
        await run.pause(50);
      }
      return NaN;
    }),
  );
  return times.some(Number.isNaN) ? NaN : Math.max(...times);
}

/**
 * A latency during the fault against the same before it. Up to 50 ms it always passes, because two shared cores scatter by so much
 * whatever the fault. In the quick set, which runs beside other rows on any machine, the figure is told and nothing more.
 */
export function against(
  judgement: Judgement,
  kind: Kind,
  times: number,
  { quick }: RunningRow,
  span: 'during' | 'beside' = 'during',
): Figure {
  const before = judgement.quantileMs(kind, 'before', 0.99);
  const names = { ack: 'acknowledged', same: 'same instance', cross: 'other instances' };
  return {
    name: `${names[kind]} p99 ${span === 'during' ? span : 'beside it'} (${before.toFixed(1)} ms before)`,
    value: judgement.quantileMs(kind, span, 0.99),
    unit: 'ms',
    ...(quick ? {} : { limit: Math.max(50, before * times) }),
  };
}

/** How long after the (last) fault the last message of before its end reached somebody. */
export function backlog(judgement: Judgement, limit: number): Figure {
  return { name: 'caught up after', value: figureOf(judgement, 'C14', 'backlog'), unit: 'ms', limit };
}

export function figureOf({ results }: Judgement, check: string, name: string): number {
  return results.find((result) => result.check === check)?.figures[name] ?? NaN;
}

/** Of what was measured under a name; NaN where nothing was. */
export const worst = ({ measured }: RunningRow, name: string): number => Math.max(...(measured.get(name) ?? [NaN]));
export const least = ({ measured }: RunningRow, name: string): number => Math.min(...(measured.get(name) ?? [NaN]));
export const sum = ({ measured }: RunningRow, name: string): number =>
  (measured.get(name) ?? [NaN]).reduce((total, value) => total + value, 0);
export function median({ measured }: RunningRow, name: string): number {
  const values = [...(measured.get(name) ?? [])].sort((a, b) => a - b);
  return values[Math.floor(values.length / 2)] ?? NaN;
}
