import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Instance } from '../processes/instance.js';
import type { RunningRow } from '../rows/row.js';

/** What one storm cost; times in ms. */
export interface Storm {
  clients: number;
  /** Until 99 of 100, and until all, were connected and had caught up again; NaN where they were not within the patience. */
  most: number;
  all: number;
  /** The highest of any second of any instance. */
  lagP99: number;
  lagMax: number;
  /** The most queries that waited for a connection to Postgres at any moment, on any instance. */
  waiters: number;
  /** Of the process that plays all clients: the share of a processor that it used, and how long its own event loop was held up. */
  driver: { cpu: number; lagP99: number };
}

/** Cuts every client at once, and watches until all are back. */
export async function storm({ load, cluster, pause }: RunningRow, patienceMs: number): Promise<Storm> {
  const worst = { lagP99Ms: 0, lagMaxMs: 0, waiters: 0 };
  const watch = ({ instance }: { instance: Instance }) => {
    instance.onSample = (values) => {
      for (const name of ['lagP99Ms', 'lagMaxMs', 'waiters'] as const)
        worst[name] = Math.max(worst[name], values[name] ?? 0);
    };
  };
  // What was measured before belongs to the time before.
  await Promise.all(cluster.nodes.map(({ instance }) => instance.sample()));
  cluster.nodes.forEach(watch);
  const own = monitorEventLoopDelay({ resolution: 10 });
  own.enable();
  const cpu = process.cpuUsage();
  const since = performance.now();
  for (const client of load.clients) client.drop();
  let most = NaN;
  let all = NaN;
  while (Number.isNaN(all) && performance.now() - since < patienceMs) {
    await pause(50);
    const back = load.clients.filter(({ live }) => live).length;
    const now = performance.now() - since;
    if (Number.isNaN(most) && back >= load.clients.length * 0.99) most = now;
    if (back === load.clients.length) all = now;
  }
  own.disable();
  const { user, system } = process.cpuUsage(cpu);
  const took = performance.now() - since;
  await Promise.all(cluster.nodes.map(({ instance }) => instance.sample()));
  for (const { instance } of cluster.nodes) instance.onSample = undefined;
  return {
    clients: load.clients.length,
    most,
    all,
    lagP99: worst.lagP99Ms,
    lagMax: worst.lagMaxMs,
    waiters: worst.waiters,
    driver: { cpu: (user + system) / 1_000 / took, lagP99: own.percentile(99) / 1e6 },
  };
}
