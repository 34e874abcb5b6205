import { check, measuredCosts } from './costs.js';
import {
  fullest,
  mostConnections,
  remedies,
  utilisation,
  type Costs,
  type Deployment,
  type Part,
  type Usage,
} from './model.js';
import type { Results } from './results.js';
import { table, whole } from './tables.js';

/** What a part may be used, so that the rest of it is there when an instance is lost or a minute is busier than its hour. */
const BOUND = 0.7;

const users = { connections: 10_000_000, online: 20, connects: 1 / 1_800 };
const usages: Record<string, Usage> = {
  'quiet: everybody sends every ten minutes': { ...users, sends: 1 / 600 },
  'busy: everybody sends every minute': { ...users, sends: 1 / 60 },
  'event: quiet, and a room of 100,000 with 10 sends a second': {
    ...users,
    sends: 1 / 600,
    event: { online: 100_000, sends: 10 },
  },
};

const deployment: Deployment = {
  instances: 100,
  adapter: 'sharded',
  gibPerInstance: 4,
  gbitPerInstance: 10,
  redisShards: 6,
  partitions: 8,
  processorsPerPartition: 16,
};

/** Nothing where what the model needs was not measured. */
export function modelTables(results: Results): string[] {
  const costs = measuredCosts(results);
  if (costs === undefined) return [];
  return [
    ...costTable(costs),
    ...checkTable(results, costs),
    ...Object.entries(usages).flatMap(([name, usage]) => usageTable(name, usage, costs)),
  ];
}

function costTable({ server, postgres, classic, sharded, deliveryBytes, flushSeconds }: Costs): string[] {
  const micros = (value: number): string => `${value.toFixed(1)} µs`;
  return [
    '**The model’s costs**, fitted to the curves (least squares of the relative errors; none less than nothing)',
    '',
    ...table(
      ['of', 'cost'],
      [
        ['the server: storing what waits together', micros(server.flush)],
        ['each send in it', micros(server.send)],
        ['each frame to a client', `${micros(server.frame)}, ${whole(deliveryBytes)} bytes`],
        ['each connect', micros(server.connect)],
        [
          'each silent connection',
          `${micros(server.silentSecond)} a second, ${server.kibPerConnection.toFixed(1)} KiB`,
        ],
        [
          'the bus, a message published / got from another instance',
          `classic ${classic.publish.toFixed(0)} / ${micros(classic.receive)}, sharded ${sharded.publish.toFixed(0)} / ${micros(sharded.receive)}`,
        ],
        ['Redis: a message in or out', `classic ${micros(classic.redis)}, sharded ${micros(sharded.redis)}`],
        ['Postgres: a commit / each message in it', `${postgres.commit.toFixed(0)} / ${micros(postgres.row)}`],
        ['from a send to its commit, when nothing waits', `${(flushSeconds * 1_000).toFixed(1)} ms`],
      ],
    ),
  ];
}

function checkTable(results: Results, costs: Costs): string[] {
  return [
    'A server that has little to do wakes up for each message, and a busy one for several at once. The costs are fitted to both, so ' +
      'for a busy deployment they are rather too high. ' +
      'Held against what was measured, in µs of all instances for each send. The bus was fitted to up to three instances; ' +
      'four are what the model foretells:',
    '',
    ...table(
      ['', 'instances', 'load', 'measured', 'modelled', 'modelled / measured'],
      check(results, costs).map(({ adapter, instances, kind, measured, modelled }) => [
        adapter,
        String(instances),
        kind,
        whole(measured),
        whole(modelled),
        (modelled / measured).toFixed(2),
      ]),
    ),
  ];
}

function usageTable(name: string, usage: Usage, costs: Costs): string[] {
  const used = utilisation(costs, deployment, usage);
  const classic = utilisation(costs, { ...deployment, adapter: 'classic' }, usage);
  const [part, share] = fullest(used);
  const most = mostConnections(costs, deployment, usage, BOUND);
  const verdict =
    share <= BOUND
      ? `It bears this. What is full first is the ${part}`
      : `It does not bear this: the ${part} would be used ${share.toFixed(1)} times`;
  return [
    `**${name}**: 10,000,000 connections on 100 instances of one processor, ${deployment.redisShards} shards of Redis, ` +
      `${deployment.partitions} Postgres servers of ${deployment.processorsPerPartition} processors that share the rooms`,
    '',
    ...table(
      ['used', 'sharded', 'classic'],
      (Object.keys(used) as Part[]).map((each) => [each, used[each].toFixed(2), classic[each].toFixed(2)]),
    ),
    `${verdict}; at ${BOUND} of it, with ${whole(most)} connections. Then: ${remedies[part]}.`,
    '',
  ];
}
