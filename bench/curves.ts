import { randomUUID } from 'node:crypto';
import { pause } from '../verify/processes/program.js';
import { fillRooms, type FilledRoom } from './fill.js';
import { cpuSeconds } from './machine.js';
import { measure, type Figures, type Measurement } from './measure.js';
import { measureReading, type Reading } from './reading.js';
import type { Backing } from './servers/backing.js';
import { clusterOf, contenderOf, withContender, type Contender } from './servers/contenders.js';
import { apart, at, closed, windows, type Windows, type Workload } from './workloads.js';

export type CurveName = 'members' | 'rooms' | 'rows' | 'instances';

/** One place on a curve, of one server. */
export interface Point {
  x: number;
  server: string;
  /** As fast as it answers. */
  full: Figures;
  /** At a pace that it bears easily. */
  light?: Figures;
  reading?: Omit<Reading, 'sends'>;
  /** With nobody there: all instances together, and Redis, in processors. */
  idle?: { server: number; redis: number };
}

/** Deliveries a second of the light pace, and the most sends a second that make them. */
const LIGHT_DELIVERIES = 4_000;
const LIGHT_SENDS = 200;

/** The members of all rooms together, and the senders, but no more deliveries on their way at the same time than so many. */
const CONNECTIONS = 500;
const SENDERS = 200;
const ON_THEIR_WAY = 20_000;

export interface CurveOptions {
  backing: Backing;
  say: (line: string) => void;
  /** Most messages that the curve of rows stores. */
  messages: number;
  /** W5, if it was measured just now: a place on that curve. */
  reading: Reading | undefined;
  /** Whether this line of the curve is wanted. */
  wants: (server: string) => boolean;
}

type Load = Pick<Workload, 'users' | 'rooms'>;

export const curves: Record<CurveName, (options: CurveOptions) => Promise<Point[]>> = {
  /** One server for all places of it: what it has met before does not change what a room costs. */
  members: async ({ backing, say, wants }) => {
    const points: Point[] = [];
    for (const contender of [contenderOf('P1'), contenderOf('Parley')].filter(({ name }) => wants(name))) {
      await standing(contender, backing, async (server) => {
        await point(server, 0, apart(50, 10, 4)); // which the compiler sees, and nobody else
        for (const members of [2, 5, 10, 30, 100, 300, 1_000, 5_000]) {
          const rooms = Math.max(1, Math.round(CONNECTIONS / members));
          const senders = Math.min(members, Math.ceil(Math.min(SENDERS, ON_THEIR_WAY / members) / rooms));
          points.push(await point(server, members, apart(rooms, members, senders), { windows: windows.warm }));
          say(shown('members', points));
        }
      });
    }
    return points;
  },

  rooms: async ({ backing, say }) => {
    const points: Point[] = [];
    for (const rooms of [20, 100, 1_000, 10_000, 100_000]) {
      await standing(contenderOf('Parley'), backing, async (server) => {
        points.push(await point(server, rooms, apart(20, 10, 10), { silent: rooms - 20 }));
        say(shown('rooms', points));
      });
    }
    return points;
  },

  rows: async ({ backing, say, messages, reading: known }) => {
    const points: Point[] = [];
    for (let rows = 10_000; rows <= messages; rows *= 10) {
      const { sends, ...reading } = known?.messages === rows ? known : await measureReading(backing, rows);
      points.push({ x: rows, server: 'Parley', full: sends, reading });
      say(shown('rows', points));
    }
    return points;
  },

  instances: async ({ backing, say, wants }) => {
    const points: Point[] = [];
    for (const adapter of (['classic', 'sharded'] as const).filter(wants)) {
      for (const instances of [1, 2, 3, 4]) {
        await standing({ ...clusterOf(instances, adapter), name: adapter }, backing, async (server) => {
          points.push({ ...(await point(server, instances, apart(50, 10, 4))), idle: await idleOf(server) });
          say(shown('instances', points));
        });
      }
    }
    return points;
  },
};

type Standing = Pick<Measurement, 'contender' | 'backing' | 'servers' | 'databaseUrl'>;

function standing(contender: Contender, backing: Backing, work: (server: Standing) => Promise<void>): Promise<void> {
  return withContender(contender, backing, (running) => work({ contender, backing, ...running }));
}

interface PointOptions {
  /** Rooms that have one of the users each, and nothing to say. */
  silent?: number;
  windows?: Windows;
}

async function point(
  server: Standing,
  x: number,
  load: Load,
  { silent = 0, windows: full = windows.cold }: PointOptions = {},
): Promise<Point> {
  const { contender } = server;
  const name = `curve-${x}`;
  const rooms = contender.dialect === 'parley' ? await filled(name, load, silent, server) : load.rooms;
  const workload = { ...load, name, title: '', pace: closed, rooms };
  const members = rooms[0]?.members.length ?? 1;
  const pace = at(Math.min(LIGHT_SENDS, LIGHT_DELIVERIES / members));
  return {
    x,
    server: contender.name,
    full: await measure({ ...server, workload, pace: closed, windows: full }),
    light: await measure({ ...server, workload, pace, windows: windows.warm }),
  };
}

/** What it takes to be there: beats over the bus, and comparisons with Postgres, whose turn comes every five seconds. */
async function idleOf({ servers, backing }: Standing): Promise<Point['idle']> {
  const counts = () => ({ server: cpuSeconds(servers.map(({ pid }) => pid)), redis: cpuSeconds([backing.redis.pid]) });
  await pause(1_000);
  const [since, before] = [performance.now(), counts()];
  await pause(5_000);
  const [seconds, after] = [(performance.now() - since) / 1_000, counts()];
  return { server: (after.server - before.server) / seconds, redis: (after.redis - before.redis) / seconds };
}

/** The rooms of a load with their members in them, and the silent ones beside them. */
async function filled(
  name: string,
  { rooms, users }: Load,
  silent: number,
  { backing, databaseUrl }: Standing,
): Promise<Workload['rooms']> {
  const userOf = (i: number): string => `${name}-user-${i}`;
  const spoken = rooms.map((room) => ({ ...room, id: randomUUID() }));
  const others = Array.from({ length: silent }, (_, n): FilledRoom => ({
    id: randomUUID(),
    members: [userOf(n % users)],
  }));
  const database = await backing.postgres.connect(databaseUrl);
  try {
    await fillRooms(database, [...spoken.map(({ id, members }) => ({ id, members: members.map(userOf) })), ...others]);
  } finally {
    await database.end();
  }
  return spoken;
}

function shown(curve: CurveName, points: readonly Point[]): string {
  const { x = NaN, server = '', full, light } = points.at(-1) ?? {};
  if (full === undefined) return '';
  const lost = [full, light].reduce(
    (sum, run) => sum + (run?.lost ?? 0) + (run?.doubled ?? 0) + (run?.unanswered ?? 0),
    0,
  );
  return (
    `  ${curve} ${x} ${server}: ${full.deliveriesPerSecond.toFixed(0)} deliveries/s, ${full.microsPerDelivery.toFixed(1)} µs each, ` +
    `server ${full.serverCpu.toFixed(2)}, generator ${full.generatorCpu.toFixed(2)}, lost, doubled or unanswered ${lost}` +
    (light === undefined ? '' : `; light: p99 ${light.deliveryP99.toFixed(1)} ms`)
  );
}
