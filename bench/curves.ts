import { randomUUID } from 'node:crypto';
import { fillRooms, type FilledRoom } from './fill.js';
import { measure, type Figures } from './measure.js';
import { measureReading, type Reading } from './reading.js';
import { clusterOf, contenderOf, startContender, type Backing, type Contender } from './servers/contenders.js';
import { apart, at, closed, windows, type Workload } from './workloads.js';

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
}

/** Deliveries a second of the light pace, and the most sends a second that make them. */
const LIGHT_DELIVERIES = 4_000;
const LIGHT_SENDS = 200;

/** Every load of a curve has about so many connections and senders, however they are divided. */
const CONNECTIONS = 500;
const SENDERS = 200;

type Say = (line: string) => void;

export const curves: Record<CurveName, (backing: Backing, say: Say, messages: number) => Promise<Point[]>> = {
  members: async (backing, say) => {
    const points: Point[] = [];
    for (const server of ['P1', 'Parley']) {
      for (const members of [2, 5, 10, 30, 100, 300, 1_000, 5_000]) {
        const rooms = Math.max(1, Math.round(CONNECTIONS / members));
        const senders = Math.min(members, Math.max(1, Math.round(SENDERS / rooms)));
        const load = apart(rooms, members, senders);
        points.push(await point(contenderOf(server), backing, members, load, members));
        say(shown('members', points));
      }
    }
    return points;
  },

  rooms: async (backing, say) => {
    const points: Point[] = [];
    for (const rooms of [20, 100, 1_000, 10_000, 100_000]) {
      points.push(await point(contenderOf('Parley'), backing, rooms, apart(20, 10, 10), 10, rooms - 20));
      say(shown('rooms', points));
    }
    return points;
  },

  rows: async (backing, say, messages) => {
    const points: Point[] = [];
    for (let rows = 10_000; rows <= messages; rows *= 10) {
      const { sends, ...reading } = await measureReading(backing, rows);
      points.push({ x: rows, server: 'Parley', full: sends, reading });
      say(shown('rows', points));
    }
    return points;
  },

  instances: async (backing, say) => {
    const points: Point[] = [];
    for (const adapter of ['classic', 'sharded'] as const) {
      for (const instances of [1, 2, 3, 4]) {
        const contender = { ...clusterOf(instances, adapter), name: adapter };
        points.push(await point(contender, backing, instances, apart(50, 10, 4), 10));
        say(shown('instances', points));
      }
    }
    return points;
  },
};

/** @param silent rooms that have one of the users each, and nothing to say */
async function point(
  contender: Contender,
  backing: Backing,
  x: number,
  load: Pick<Workload, 'users' | 'rooms'>,
  members: number,
  silent = 0,
): Promise<Point> {
  const running = await startContender(contender, backing);
  try {
    const name = `curve-${x}`;
    const rooms =
      contender.dialect === 'parley' ? await filled(name, load, silent, backing, running.databaseUrl) : load.rooms;
    const workload = { ...load, name, title: '', pace: closed, rooms };
    const given = { contender, ...running, backing, workload, windows: windows.short };
    const full = await measure({ ...given, pace: closed });
    const light = await measure({ ...given, pace: at(Math.min(LIGHT_SENDS, LIGHT_DELIVERIES / members)) });
    return { x, server: contender.name, full, light };
  } finally {
    await Promise.all(running.servers.map((server) => server.stop()));
  }
}

/** The rooms of a load with their members in them, and the silent ones beside them. */
async function filled(
  name: string,
  { rooms, users }: Pick<Workload, 'users' | 'rooms'>,
  silent: number,
  { postgres }: Backing,
  databaseUrl: string,
): Promise<Workload['rooms']> {
  const userOf = (i: number): string => `${name}-user-${i}`;
  const spoken = rooms.map((room) => ({ ...room, id: randomUUID() }));
  const others = Array.from({ length: silent }, (_, n): FilledRoom => ({
    id: randomUUID(),
    members: [userOf(n % users)],
  }));
  const database = await postgres.connect(databaseUrl);
  try {
    await fillRooms(database, [...spoken.map(({ id, members }) => ({ id, members: members.map(userOf) })), ...others]);
  } finally {
    await database.end();
  }
  return spoken;
}

function shown(curve: CurveName, points: readonly Point[]): string {
  const { x, server, full, light } = points.at(-1) ?? {};
  const { deliveriesPerSecond, microsPerDelivery, serverCpu, generatorCpu, lost, doubled } = full ?? {};
  return (
    `  ${curve} ${x} ${server}: ${deliveriesPerSecond?.toFixed(0)} deliveries/s, ${microsPerDelivery?.toFixed(1)} µs each, ` +
    `server ${serverCpu?.toFixed(2)}, generator ${generatorCpu?.toFixed(2)}, lost ${lost}, doubled ${doubled}` +
    (light === undefined ? '' : `; light: p99 ${light.deliveryP99.toFixed(1)} ms`)
  );
}
