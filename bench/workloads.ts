import type { Job } from './load/job.js';

/** What a measurement is made of; the rest of the job depends on the server. */
export interface Workload {
  name: string;
  title: string;
  /** The same of every server, or half of what the first server did at most in the same round. */
  pace: Job['pace'] | { kind: 'half-of-first'; of: string };
  rooms: number;
  members: number;
  senders: number;
}

const textLength = 200;

const small = { rooms: 50, members: 10, senders: 4 };
const medium = { rooms: 10, members: 100, senders: 10 };
const large = { rooms: 1, members: 1_000, senders: 20 };

const closed = { kind: 'closed' } as const;
const at = (perSecond: number) => ({ kind: 'open', perSecond }) as const;
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
    name: 'W3',
    title: 'a room of 1,000 in which everyone sends as fast as it answers',
    pace: closed,
    ...large,
    senders: 1_000,
  },
];

export const shared = { textLength, warmUpMs: 2_000, lengthMs: 5_000 };
