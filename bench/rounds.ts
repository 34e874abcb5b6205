import { measureConnecting, type Connecting } from './connections.js';
import type { Job } from './load/job.js';
import { measure, type Figures } from './measure.js';
import type { Backing } from './servers/backing.js';
import { contenders, withContender, type Contender } from './servers/contenders.js';
import type { Windows, Workload } from './workloads.js';

export interface Rounds {
  rounds: number;
  compared: Contender[];
  backing: Backing;
}

type ByServer<T> = Record<string, T[]>;

/** Each workload on each server in each round, by workload and server. A server is started anew in every round. */
export async function runLoads(
  { rounds, compared, backing }: Rounds,
  workloads: readonly Workload[],
  windows: Windows,
): Promise<Record<string, ByServer<Figures>>> {
  const loads: Record<string, ByServer<Figures>> = Object.fromEntries(workloads.map(({ name }) => [name, {}]));
  await eachRound(rounds, compared, async (contender) => {
    await withContender(contender, backing, async (running) => {
      for (const workload of workloads) {
        const pace = paceOf(workload, loads);
        const figures = await measure({ contender, ...running, backing, workload, pace, windows });
        ((loads[workload.name] ??= {})[contender.name] ??= []).push(figures);
        console.log(line(contender, workload, figures));
      }
    });
  });
  return loads;
}

/** W4, on those that are one instance. */
export async function runConnecting({ rounds, compared, backing }: Rounds): Promise<ByServer<Connecting>> {
  const found: ByServer<Connecting> = {};
  await eachRound(
    rounds,
    compared.filter(({ instances }) => instances === 1),
    async (contender) => {
      const connecting = await measureConnecting(contender, backing);
      (found[contender.name] ??= []).push(connecting);
      const { connectsPerSecond, microsPerConnect, heapKibPerConnection } = connecting;
      console.log(
        `  ${contender.name.padEnd(11)} W4 ${connectsPerSecond.toFixed(0)} connects/s, ${microsPerConnect.toFixed(0)} µs each, ` +
          `${heapKibPerConnection.toFixed(1)} KiB of heap a connection`,
      );
    },
  );
  return found;
}

/** The first is always the first, because loads are measured by it; of the others each goes first as often as last. */
async function eachRound(
  rounds: number,
  [first, ...others]: readonly Contender[],
  run: (contender: Contender) => Promise<void>,
): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    console.log(`\nRound ${round} of ${rounds}`);
    if (first !== undefined) await run(first);
    for (const contender of round % 2 === 1 ? others : others.toReversed()) await run(contender);
  }
}

/** Half of what the first server did in this round. @throws when it was not measured */
function paceOf({ pace, name }: Workload, loads: Record<string, ByServer<Figures>>): Job['pace'] {
  if (pace.kind !== 'half-of-first') return pace;
  const most = loads[pace.of]?.[contenders[0]?.name ?? '']?.at(-1)?.sendsPerSecond;
  if (most === undefined) throw new Error(`${name} needs ${pace.of} to be measured as well`);
  return { kind: 'open', perSecond: most / 2 };
}

function line(contender: Contender, workload: Workload, figures: Figures): string {
  const { deliveriesPerSecond, deliveryP50, deliveryP99, serverCpu, generatorCpu, lost, doubled, cut, churned } =
    figures;
  return (
    `  ${contender.name.padEnd(11)} ${workload.name.padEnd(14)} ${Math.round(deliveriesPerSecond)} deliveries/s, ` +
    `p50 ${deliveryP50.toFixed(1)} ms, p99 ${deliveryP99.toFixed(1)} ms, server ${serverCpu.toFixed(2)}, ` +
    `generator ${generatorCpu.toFixed(2)}, lost ${lost}, doubled ${doubled}, cut ${cut}` +
    (churned === undefined
      ? ''
      : `; others ${churned.perSecond.toFixed(0)}/s, p99 ${churned.p99.toFixed(0)} ms, failed ${churned.failed}`)
  );
}
