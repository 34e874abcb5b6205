import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jwtSecret, tokenOf } from '../../verify/processes/token.js';
import type { DialectName } from '../load/dialect.js';
import type { Backing } from './backing.js';
import { ServerProcess } from './server-process.js';

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const bare = fileOf('programs/bare.ts');
const tutorial = fileOf('programs/tutorial.ts');
const parley = fileOf('../../dist/main.js');

/** A server that is compared. */
export interface Contender {
  name: string;
  title: string;
  dialect: DialectName;
  instances: number;
  /** Starts one instance. */
  start(environment: { databaseUrl: string; redisUrl: string }): Promise<ServerProcess>;
}

/** As shipped; only limits that the generator's few, busy connections would reach are raised. */
const raised = {
  REQUESTS_PER_SECOND: '100000',
  INBOUND_BYTES_PER_SECOND: '1000000000',
  CONNECTS_PER_SECOND: '100000',
  CONNECTIONS_PER_USER: '1000000',
  UNCHECKED_PER_ADDRESS: '1000000',
  LIMITS:
    'requests=100000/1,sends=100000000/60,rooms=1000000/60,joins=1000000/60,typing=1000000/60,history=1000000/60,search=1000000/60,guests=1000000/60,allGuests=1000000/60',
};
const settings = { JWT_SECRET: jwtSecret, LOG_LEVEL: 'error', DOCS: 'off', ...raised };

/** The first is what all others are measured by. */
export const contenders: Contender[] = [
  {
    name: 'P1',
    title: 'bare Socket.IO, nothing stored',
    dialect: 'bare',
    instances: 1,
    start: () => ServerProcess.start(bare, {}),
  },
  {
    name: 'P2',
    title: 'two bare servers, classic Redis adapter',
    dialect: 'bare',
    instances: 2,
    start: ({ redisUrl }) => ServerProcess.start(bare, { REDIS_URL: redisUrl }),
  },
  {
    name: 'P3',
    title: 'two bare servers, sharded Redis adapter',
    dialect: 'bare',
    instances: 2,
    start: ({ redisUrl }) => ServerProcess.start(bare, { REDIS_URL: redisUrl, ADAPTER: 'sharded' }),
  },
  {
    name: 'P4',
    title: "a tutorial's gateway: repository.save(), then emit",
    dialect: 'bare',
    instances: 1,
    start: ({ databaseUrl }) => ServerProcess.start(tutorial, { DATABASE_URL: databaseUrl }),
  },
  { ...instanceOf(parley), name: 'Parley', title: 'Parley, one instance' },
  { ...clusterOf(2, 'classic'), name: 'Parley × 2', title: 'two instances of Parley, on one processor' },
];

/** Parley as it was built in another checkout, for comparing with it; called by the name of its folder. */
export function buildOf(checkout: string): Contender {
  const folder = resolve(checkout);
  return {
    ...instanceOf(join(folder, 'dist/main.js')),
    name: basename(folder),
    title: `Parley as built in ${checkout}`,
  };
}

function instanceOf(file: string): Pick<Contender, 'dialect' | 'instances' | 'start'> {
  return {
    dialect: 'parley',
    instances: 1,
    start: ({ databaseUrl }) => ServerProcess.start(file, { ...settings, DATABASE_URL: databaseUrl }),
  };
}

/** So many instances of Parley, with Redis between them also where there is one. */
export function clusterOf(instances: number, adapter: 'classic' | 'sharded'): Contender {
  return {
    name: `Parley × ${instances} ${adapter}`,
    title: `${instances} instances of Parley, ${adapter} adapter, on one processor`,
    dialect: 'parley',
    instances,
    start: ({ databaseUrl, redisUrl }) =>
      ServerProcess.start(parley, {
        ...settings,
        DATABASE_URL: databaseUrl,
        REDIS_URL: redisUrl,
        REDIS_ADAPTER: adapter,
      }),
  };
}

/** @throws when there is none of this name */
export function contenderOf(name: string): Contender {
  const found = contenders.find((each) => each.name === name);
  if (found === undefined) throw new Error(`${name} is not among the contenders`);
  return found;
}

/** A contender that stands. */
export interface Running {
  servers: ServerProcess[];
  databaseUrl: string;
}

/** All instances of a contender, on an empty database and an empty Redis, for as long as `work` takes. */
export async function withContender<T>(
  contender: Contender,
  backing: Backing,
  work: (running: Running) => Promise<T>,
): Promise<T> {
  const running = await start(contender, backing);
  try {
    return await work(running);
  } finally {
    await stop(running.servers);
  }
}

async function start(contender: Contender, { postgres, redis }: Backing): Promise<Running> {
  await redis.must('FLUSHALL');
  const environment = {
    databaseUrl: await postgres.createDatabase(),
    redisUrl: `redis://127.0.0.1:${redis.port}`,
  };
  const servers: ServerProcess[] = [];
  try {
    while (servers.length < contender.instances) servers.push(await contender.start(environment));
  } catch (error) {
    await stop(servers);
    throw error;
  }
  return { servers, databaseUrl: environment.databaseUrl };
}

async function stop(servers: readonly ServerProcess[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()));
}

/** What these users show to be let in; nothing where nobody is asked. */
export async function tokensFor({ dialect }: Contender, users: readonly string[]): Promise<string[]> {
  return dialect === 'parley' ? Promise.all(users.map((user) => tokenOf(user))) : users.map(() => '');
}
