import { Random } from '../verify/random.js';
import type { ChurnJob } from './load/churn.js';
import type { Job, RoomJob } from './load/job.js';

/** What a measurement is made of; the rest of the job depends on the server. */
export interface Workload {
  name: string;
  title: string;
  /** The same of every server, or half of what the first server did at most in the same round. */
  pace: Job['pace'] | { kind: 'half-of-first'; of: string };
  /** Who stay connected and in their rooms throughout. */
  users: number;
  rooms: RoomJob[];
  /** How many come and go, and what they do. */
  churn?: Pick<ChurnJob, 'seed' | 'perSecond'> & { users: number };
}

/** Everybody in one room. The first of each room send. */
export function apart(rooms: number, members: number, senders: number): Pick<Workload, 'users' | 'rooms'> {
  return {
    users: rooms * members,
    rooms: Array.from({ length: rooms }, (_, r) => ({
      members: Array.from({ length: members }, (_, i) => r * members + i),
      senders,
    })),
  };
}

/** Rooms whose sizes fall off as 1/n, the largest with everybody; everybody sends, so a room gets sends as it has members. */
function heavyTailed(users: number, rooms: number, seed: string): Pick<Workload, 'users' | 'rooms'> {
  const random = new Random(seed);
  const everybody = Array.from({ length: users }, (_, i) => i);
  return {
    users,
    rooms: Array.from({ length: rooms }, (_, r) => {
      const size = Math.max(2, Math.round(users / (r + 1)));
      return { members: random.shuffled(everybody).slice(0, size), senders: size };
    }),
  };
}

const small = apart(50, 10, 4);
const medium = apart(10, 100, 10);
const large = apart(1, 1_000, 20);

export const closed = { kind: 'closed' } as const;
export const at = (perSecond: number) => ({ kind: 'open', perSecond }) as const;
const half = (of: string) => ({ kind: 'half-of-first', of }) as const;

export const workloads: Workload[] = [
  { name: 'W1-10-max', title: '50 rooms of 10, as fast as it answers', pace: closed, ...small },
  { name: 'W1-100-max', title: '10 rooms of 100, as fast as it answers', pace: closed, ...medium },
  { name: 'W1-1000-max', title: 'a room of 1,000, as fast as it answers', pace: closed, ...large },
  { name: 'W1-10-half', title: '50 rooms of 10, at half of the most that P1 does', pace: half('W1-10-max'), ...small },
  {
    name: 'W1-100-half',
    title: '10 rooms of 100, at half of the most that P1 does',
    pace: half('W1-100-max'),
    ...medium,
  },
  {
    name: 'W1-1000-half',
    title: 'a room of 1,000, at half of the most that P1 does',
    pace: half('W1-1000-max'),
    ...large,
  },
  { name: 'W1-10-light', title: '50 rooms of 10, 300 sends a second', pace: at(300), ...small },
  { name: 'W1-10-busy', title: '50 rooms of 10, 1,200 sends a second', pace: at(1_200), ...small },
  { name: 'W1-100-light', title: '10 rooms of 100, 190 sends a second', pace: at(190), ...medium },
  { name: 'W1-1000-light', title: 'a room of 1,000, 20 sends a second', pace: at(20), ...large },
  {
    name: 'W2',
    title:
      '200 rooms of 2 to 400 (sizes fall off as 1/n) among 400 users, 60 sends a second, while 100 others join and leave, ' +
      'read history and members, catch up and reconnect, 60 a second in all',
    pace: at(60),
    ...heavyTailed(400, 200, 'W2'),
    churn: { users: 100, seed: 'W2', perSecond: { joinOrLeave: 20, history: 20, members: 5, sync: 5, reconnect: 10 } },
  },
  {
    name: 'W3',
    title: 'a room of 1,000 in which everyone sends as fast as it answers',
    pace: closed,
    ...apart(1, 1_000, 1_000),
  },
];

export const textLength = 200;
export const windows = {
  /** Long enough for the compiler to have seen what is hot, on a server that has just started. */
  full: { warmUpMs: 4_000, lengthMs: 5_000 },
  /** Shorter, on a server that has just started, and on one that has not. */
  cold: { warmUpMs: 3_000, lengthMs: 2_500 },
  warm: { warmUpMs: 1_000, lengthMs: 2_500 },
};
export type Windows = (typeof windows)['full'];
