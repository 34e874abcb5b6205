import { createReadStream, closeSync, openSync, writeSync } from 'node:fs';

/**
 * The record of a run, one JSON object a line. Names of rooms, users and clients are the run's own short ones (`r3`, `u17`, `c17`);
 * an id that the run does not know stands as it came. `t` is nanoseconds since the start of the run, monotonic.
 */
export type HistoryRecord =
  | RunRecord
  | PhaseRecord
  | ConnectedRecord
  | LiveRecord
  | DisconnectedRecord
  | RequestRecord
  | OkRecord
  | FailRecord
  | InfoRecord
  | StrayRecord
  | DeliverRecord
  | SyncRecord
  | GoneRecord
  | ReadRecord
  | FaultRecord
  | ProcessRecord
  | SampleRecord
  | RoomRecord
  | RowsRecord
  | ReactionsRecord
  | UnreadRecord;

/** A record whose time is still to be set. */
export type Untimed<R = HistoryRecord> = R extends HistoryRecord ? Omit<R, 't'> : never;

/**
 * `['m', rev, seq, sender, clientMsgId, hash of the text, 1 if deleted, version, look]`, `['u', rev, user, 1 if gone]`, `['r', rev]`.
 * `look` is a hash of the reactions, 0 where there are none; a message as it was sent has nothing after the hash of its text.
 */
export type Seen = SeenMessage | SeenMember | SeenRoom;
export type SeenMessage = [
  'm',
  rev: number,
  seq: number,
  sender: string,
  cmid: string,
  hash: number,
  deleted?: 0 | 1,
  version?: number,
  look?: number,
];
export type SeenMember = ['u', rev: number, user: string, left: 0 | 1];
export type SeenRoom = ['r', rev: number];

export interface RunRecord {
  type: 'run';
  t: number;
  row: string;
  seed: string;
  load: string;
  startedAt: string;
  versions: Record<string, string>;
}

/** `load` begins with the first send that counts, `settle` when the last was sent and all faults have ended, `final` with the last reads. */
export interface PhaseRecord {
  type: 'phase';
  t: number;
  phase: 'prepare' | 'load' | 'settle' | 'final';
}

/** `session:ready` arrived. `connection` counts over the whole run. */
export interface ConnectedRecord {
  type: 'connected';
  t: number;
  client: string;
  user: string;
  connection: number;
  instance: string;
  epoch: string;
}

/** The catch-up of this connection is applied: from here on what arrives live follows on. */
export interface LiveRecord {
  type: 'live';
  t: number;
  client: string;
  connection: number;
}

export interface DisconnectedRecord {
  type: 'disconnected';
  t: number;
  client: string;
  connection: number;
  reason: string;
}

/** A request went out; each is followed by one of `ok`, `fail` and `info`, and after an `info` perhaps by a late `ok` or `fail`. */
export interface RequestRecord {
  type: 'request';
  t: number;
  /** Counts over the whole run, from 0. */
  request: number;
  client: string;
  user: string;
  connection: number;
  event: string;
  send?: { room: string; cmid: string; hash: number };
  /** A change of a message that stands already; `hash` of the text of an edit, `emoji` and `on` of a reaction. */
  change?: MessageChange;
  /** A join or leave of `user`, who need not be the one that asks. */
  membership?: { room: string; user: string; on: boolean };
  /** What is asked to be brought up to date: a room, or `*`. */
  sync?: string;
}

export type MessageChange = { room: string; seq: number } & (
  { kind: 'edit'; hash: number } | { kind: 'react'; emoji: string; on: boolean } | { kind: 'delete' }
);

export interface OkRecord {
  type: 'ok';
  t: number;
  request: number;
  stored?: { room: string; rev: number; seq: number; sender: string; cmid: string; hash: number; duplicate: boolean };
  /** The message after a change of it. */
  changed?: { room: string; message: SeenMessage };
  member?: { room: string; rev: number; user: string; left: boolean };
}

export interface FailRecord {
  type: 'fail';
  t: number;
  request: number;
  code: string;
  retryable: boolean;
}

/** Nobody knows what became of the request: no reply in time, or the connection ended first. */
export interface InfoRecord {
  type: 'info';
  t: number;
  request: number;
  reason: 'timeout' | 'disconnected';
}

/** A reply that no request waits for: a second one, or one that nobody asked for. */
export interface StrayRecord {
  type: 'stray';
  t: number;
  client: string;
  connection: number;
  detail: string;
}

/** A live `room:changes` frame. */
export interface DeliverRecord {
  type: 'deliver';
  t: number;
  client: string;
  connection: number;
  room: string;
  after: number;
  upTo: number;
  changes: Seen[];
}

/** The answer to a sync, room by room. A `reset` carries the snapshot's messages. */
export interface SyncRecord {
  type: 'sync';
  t: number;
  client: string;
  connection: number;
  request: number;
  room: string;
  reset: boolean;
  after: number;
  upTo: number;
  more: boolean;
  changes: Seen[];
}

/** The client was told that it is no member (any more) and forgot the room. */
export interface GoneRecord {
  type: 'gone';
  t: number;
  client: string;
  connection: number;
  room: string;
}

/** During the run, somebody read one place in a room's history from `source`; `found` is null if nothing was there. */
export interface ReadRecord {
  type: 'read';
  t: number;
  began: number;
  source: string;
  room: string;
  seq: number;
  found: SeenMessage | null;
}

export interface FaultRecord {
  type: 'fault';
  t: number;
  at: 'begin' | 'end';
  /** The same in begin and end. */
  fault: number;
  name: string;
  /** While it lasts a reply may be physically unable to arrive: a stopped instance, a cut client link. */
  silences?: boolean;
  /** The rooms that it touches, where it does not touch all. */
  rooms?: string[];
  /** The only instance whose clients it touches, where it does not touch all. */
  instance?: string;
}

export interface ProcessRecord {
  type: 'process';
  t: number;
  instance: string;
  event: 'ready' | 'exit' | 'uncaught' | 'unhandled' | 'degraded' | 'healthy';
  /** The run itself asked for it. */
  wanted: boolean;
  detail?: string;
}

/** `steady` samples, before the load and after it has settled, are the ones that are compared. */
export interface SampleRecord {
  type: 'sample';
  t: number;
  instance: string;
  pid: number;
  steady?: 'before' | 'after';
  values: Record<string, number>;
}

/** The last word on a room: the `truth`, or what an instance says over REST. */
export interface RoomRecord {
  type: 'room';
  t: number;
  source: string;
  room: string;
  lastSeq: number;
  headRev: number;
  /** The rev of the latest change of the room's own settings. */
  settingsRev?: number;
  members: SeenMember[];
}

/** A page of the rows that `source` holds at the end. */
export interface RowsRecord {
  type: 'rows';
  t: number;
  source: string;
  room: string;
  rows: SeenMessage[];
}

/** The reactions that `source` holds at the end. */
export interface ReactionsRecord {
  type: 'reactions';
  t: number;
  source: string;
  room: string;
  rows: [seq: number, user: string, emoji: string][];
}

/** How far users have read at the end: what the rows come to when they are counted anew (`truth`), or what an instance says. */
export interface UnreadRecord {
  type: 'unread';
  t: number;
  source: string;
  states: [user: string, room: string, readSeq: number, unread: number, mentions: number][];
}

/** The source whose word counts: the tables in Postgres; of a deployment whose tables are out of reach, what it shows over REST. */
export const truth = 'truth';

/** Writes a history to a file; at most `bufferBytes` (UTF-16 units) wait in memory. Does not return before the kernel has them. */
export class HistoryWriter {
  private readonly file: number;
  private lines: string[] = [];
  private waiting = 0;
  written = 0;

  constructor(
    readonly path: string,
    private readonly bufferBytes = 256 * 1024,
  ) {
    this.file = openSync(path, 'w');
  }

  write(record: HistoryRecord): void {
    const line = JSON.stringify(record);
    this.lines.push(line);
    this.waiting += line.length;
    this.written += 1;
    if (this.waiting >= this.bufferBytes) this.flush();
  }

  flush(): void {
    if (this.lines.length === 0) return;
    const block = Buffer.from(`${this.lines.join('\n')}\n`);
    this.lines = [];
    this.waiting = 0;
    for (let at = 0; at < block.length;) at += writeSync(this.file, block, at);
  }

  close(): void {
    this.flush();
    closeSync(this.file);
  }
}

/** Reads a history in order, holding no more than a block of it. Throws, naming the line, at one that is no record. */
export async function* readHistory(path: string): AsyncGenerator<HistoryRecord> {
  let rest = '';
  let line = 0;
  const parse = (text: string): HistoryRecord => {
    line += 1;
    try {
      const record = JSON.parse(text) as HistoryRecord;
      if (typeof record.type !== 'string' || typeof record.t !== 'number') throw new TypeError('no type or no t');
      return record;
    } catch (cause) {
      throw new Error(`${path}:${line} is no history record`, { cause });
    }
  };
  for await (const block of createReadStream(path, { encoding: 'utf8', highWaterMark: 1024 * 1024 })) {
    const lines = (rest + String(block)).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) if (text !== '') yield parse(text);
  }
  if (rest !== '') yield parse(rest);
}
