/**
 * What a deployment would bear that nobody has measured: costs that were measured one by one, added up. It knows nothing of what
 * goes wrong: no failovers, no uneven shards, no networks between machines.
 */

/** In µs of a processor, where nothing else is said. */
export interface Costs {
  server: {
    /** Of storing what waits together, whatever it is; of each send in it; of each frame to a client. */
    flush: number;
    send: number;
    frame: number;
    connect: number;
    /** Of a connection that says nothing, a second. */
    silentSecond: number;
    kibPerConnection: number;
  };
  postgres: { commit: number; row: number };
  classic: BusCosts;
  sharded: BusCosts;
  /** Of a frame with one message. */
  deliveryBytes: number;
  /** From a send to its acknowledgement, in seconds, when nothing else waits. */
  flushSeconds: number;
}

export interface BusCosts {
  /** Of an instance, a second, whatever happens; for each message that it publishes, and that it gets from another. */
  idle: number;
  publish: number;
  receive: number;
  /** Of Redis, for each message that it takes or gives away; and what it gives away, in bytes. */
  redis: number;
  bytes: number;
}

export interface Deployment {
  /** Processes, each with a processor of its own. */
  instances: number;
  /** Which bus; with the classic one all shards but one are of no use. */
  adapter: 'classic' | 'sharded';
  gibPerInstance: number;
  gbitPerInstance: number;
  redisShards: number;
  /** Postgres servers, each with its share of the rooms, and the processors of each. */
  partitions: number;
  processorsPerPartition: number;
}

export interface Usage {
  connections: number;
  /** Each of them, a second. */
  sends: number;
  /** Members of a room that are connected, as it is for the average send. */
  online: number;
  /** How often each of them comes anew, a second. */
  connects: number;
  /** One room that stands out: how many are connected, and what is sent there a second. */
  event?: { online: number; sends: number };
}

/** From 0 to 1, or more where it is too much. */
export interface Utilisation {
  'instance: processor': number;
  'instance: memory': number;
  'instance: network': number;
  'Redis: processor of a shard': number;
  'Postgres: processors of a partition': number;
}

export type Part = keyof Utilisation;

/** What there is to do about a part that is full. */
export const remedies: Record<Part, string> = {
  'instance: processor': 'more instances; with the classic bus, first the sharded one',
  'instance: memory': 'more instances, or more memory',
  'instance: network': 'more instances, or a faster network',
  'Redis: processor of a shard': 'more shards; with the classic bus, first the sharded one',
  'Postgres: processors of a partition': 'more partitions',
};

/** Of memory, what an instance takes before anybody comes, in GiB. */
const EMPTY_INSTANCE = 0.15;

export function utilisation(costs: Costs, deployment: Deployment, usage: Usage): Utilisation {
  const { instances, adapter, partitions, redisShards } = deployment;
  const bus = costs[adapter];
  const { server, postgres } = costs;
  const connections = usage.connections / instances;
  const kinds = [
    { sends: usage.connections * usage.sends, online: usage.online },
    ...(usage.event === undefined ? [] : [usage.event]),
  ];
  // Each instance has its share of all sends, since members of every room are anywhere.
  const sends = sum(kinds, (kind) => kind.sends) / instances;
  const flushes = sends / (1 + sends * costs.flushSeconds);
  const frames = sum(kinds, (kind) => kind.sends * kind.online) / instances;
  const published = adapter === 'classic' ? flushes : sends;
  const received =
    adapter === 'classic'
      ? flushes * (instances - 1)
      : sum(kinds, (kind) => kind.sends * (spread(kind.online, instances) - 1)) / instances;
  const ofInstance =
    server.flush * flushes +
    server.send * sends +
    server.frame * frames +
    (instances > 1 ? bus.idle + bus.publish * published + bus.receive * received : 0) +
    server.connect * usage.connects * connections +
    server.silentSecond * connections;
  // What goes through Redis: each message once in, and out to its own instance, too.
  const passed = instances > 1 ? instances * (2 * published + received) : 0;
  // What an instance stores together goes to as many partitions as it has rooms for, at most.
  const commits = instances * Math.min(sends, flushes * partitions);
  return {
    'instance: processor': ofInstance / 1e6,
    'instance: memory':
      (EMPTY_INSTANCE + (connections * server.kibPerConnection) / 2 ** 20) / deployment.gibPerInstance,
    'instance: network':
      ((frames * costs.deliveryBytes + received * bus.bytes) * 8) / (deployment.gbitPerInstance * 1e9),
    'Redis: processor of a shard': (passed * bus.redis) / 1e6 / (adapter === 'classic' ? 1 : redisShards),
    'Postgres: processors of a partition':
      (postgres.commit * commits + postgres.row * sends * instances) /
      1e6 /
      (partitions * deployment.processorsPerPartition),
  };
}

/** On how many of the instances a room is, with so many connections spread by chance. At least on one. */
export function spread(online: number, instances: number): number {
  return Math.max(1, instances * (1 - (1 - 1 / instances) ** online));
}

/** The part that is used most. */
export function fullest(used: Utilisation): [Part, number] {
  const parts = Object.entries(used) as [Part, number][];
  return parts.reduce((most, each) => (each[1] > most[1] ? each : most));
}

/** How many could be connected before something is used more than `bound`, the rest of the usage as it is; to about one in a hundred. */
export function mostConnections(costs: Costs, deployment: Deployment, usage: Usage, bound: number): number {
  const bears = (connections: number): boolean =>
    fullest(utilisation(costs, deployment, { ...usage, connections }))[1] <= bound;
  if (!bears(0)) return 0;
  let most = 1_000;
  while (bears(most * 1.01)) most *= 1.01;
  return most;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
