import type { Point } from './curves.js';
import { costsOf, type Observation } from './least-squares.js';
import type { Figures } from './measure.js';
import type { BusCosts, Costs } from './model.js';
import { median, type Results } from './results.js';

/** The costs that the model goes by, from what was measured. Undefined where a part of that is missing. */
export function measuredCosts({ connecting, curves }: Results): Costs | undefined {
  const { members, instances } = curves;
  const idle = connecting['Parley'];
  if (members === undefined || instances === undefined || idle === undefined) return undefined;
  const alone = members.filter(({ server }) => server === 'Parley').flatMap(runsOf);
  const [flush = 0, send = 0, frame = 0] = costsOf(
    alone.map(({ run }) => observation(run.serverCpu, run.commitsPerSecond, run.sendsPerSecond, run.framesPerSecond)),
  );
  const [commit = 0, row = 0] = costsOf(
    alone.map(({ run }) => observation(run.postgresCpu, run.commitsPerSecond, run.sendsPerSecond)),
  );
  const light = alone.filter(({ kind }) => kind === 'light');
  const server = { flush, send, frame };
  return {
    server: {
      ...server,
      connect: median(idle.map(({ microsPerConnect }) => microsPerConnect)),
      silentSecond: median(idle.map(({ idleMicrosPerSecond }) => idleMicrosPerSecond)),
      kibPerConnection: median(idle.map(({ kibPerConnection }) => kibPerConnection)),
    },
    postgres: { commit, row },
    classic: busCosts(instances, 'classic', server),
    sharded: busCosts(instances, 'sharded', server),
    deliveryBytes: median(light.map(({ run }) => run.bytesPerSecond / run.framesPerSecond)),
    flushSeconds: median(light.map(({ run }) => run.ackP50)) / 1_000,
  };
}

/** How the model does where it can be held against a measurement. In µs of all instances together for each send. */
export interface Checked {
  adapter: string;
  instances: number;
  kind: 'full' | 'light';
  measured: number;
  modelled: number;
}

export function check({ curves }: Results, costs: Costs): Checked[] {
  return (curves.instances ?? []).flatMap((point) =>
    runsOf(point).map(({ kind, run }) => {
      const adapter = point.server === 'sharded' ? 'sharded' : 'classic';
      const { idle, publish, receive } = costs[adapter];
      const micros =
        own(run, costs.server) +
        idle * point.x +
        publish * run.publishesPerSecond +
        receive * run.publishesPerSecond * (point.x - 1);
      return {
        adapter,
        instances: point.x,
        kind,
        measured: (run.serverCpu * 1e6) / run.sendsPerSecond,
        modelled: micros / run.sendsPerSecond,
      };
    }),
  );
}

/** From up to three instances; four are what it is held against. */
function busCosts(
  instances: readonly Point[],
  adapter: string,
  server: Pick<Costs['server'], 'flush' | 'send' | 'frame'>,
): BusCosts {
  const points = instances.filter((point) => point.server === adapter && point.x <= 3);
  const runs = points.flatMap((point) =>
    runsOf(point).map(({ run }) => ({ run, count: point.x, idle: point.idle ?? { server: 0, redis: 0 } })),
  );
  const [publish = NaN, receive = NaN] = costsOf(
    runs.map(({ run, count, idle }) => ({
      amounts: [run.publishesPerSecond, run.publishesPerSecond * (count - 1)],
      total: Math.max(1, (run.serverCpu - idle.server) * 1e6 - own(run, server)),
    })),
  );
  return {
    idle: median(points.map(({ x, idle }) => ((idle?.server ?? 0) / x) * 1e6)),
    publish,
    receive,
    redis: median(
      runs.map(({ run, count, idle }) => ((run.redisCpu - idle.redis) * 1e6) / (run.publishesPerSecond * (count + 1))),
    ),
    bytes: median(runs.map(({ run, count }) => run.redisBytesPerSecond / (run.publishesPerSecond * count))),
  };
}

/** What the instances would take without a bus, in µs a second. */
function own(run: Figures, { flush, send, frame }: Pick<Costs['server'], 'flush' | 'send' | 'frame'>): number {
  return flush * run.commitsPerSecond + send * run.sendsPerSecond + frame * run.framesPerSecond;
}

function observation(processors: number, ...amounts: number[]): Observation {
  return { amounts, total: processors * 1e6 };
}

function runsOf({ full, light }: Point): { kind: 'full' | 'light'; run: Figures }[] {
  return [{ kind: 'full', run: full }, ...(light === undefined ? [] : [{ kind: 'light' as const, run: light }])];
}
