import type { HistoryPage, MemberPage, Message, RoomSummary, RoomsSynced } from '../../src/protocol/index.js';
import { truth, type SeenMember, type SeenMessage } from '../history.js';
import type { Postgres } from '../processes/postgres.js';
import type { Random } from '../random.js';
import { recountUnread } from '../checks/unread.js';
import { hashOf, lookOf, type Recorder } from '../recorder.js';

export interface Reader {
  /** The name of the instance, and where it answers. */
  instance: string;
  url: string;
}

/** Acknowledged messages that may be picked to be read again. */
const remembered = 256;

/** Reads acknowledged messages back from any instance while the load runs: whoever acknowledges a message can show it. */
export class Reads {
  private readonly acknowledged: { roomId: string; seq: number }[] = [];
  private timer: NodeJS.Timeout | undefined;
  private made = 0;

  constructor(
    private readonly recorder: Recorder,
    private readonly random: Random,
    private readonly readers: Reader[],
    /** A member of the room. */
    private readonly tokenFor: (roomId: string) => string,
  ) {}

  offer(roomId: string, seq: number): void {
    this.acknowledged[this.made++ % remembered] = { roomId, seq };
  }

  start(everyMs = 200): void {
    this.timer = setInterval(() => void this.read(), everyMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async read(): Promise<void> {
    if (this.acknowledged.length === 0) return;
    const { roomId, seq } = this.random.pick(this.acknowledged);
    const { instance, url } = this.random.pick(this.readers);
    const began = this.recorder.now();
    const page = await get<HistoryPage>(
      `${url}/v1/rooms/${roomId}/messages?after=${seq - 1}&limit=1`,
      this.tokenFor(roomId),
    );
    // An instance that does not answer says nothing of the message.
    if (page === undefined) return;
    const message = page.messages.find((each) => each.seq === seq);
    const found = message === undefined ? null : this.recorder.seenMessage(message);
    this.recorder.write({ type: 'read', began, source: instance, room: this.recorder.nameOf(roomId), seq, found });
  }
}

/** All that an instance shows of a room at the end, page by page. @throws when it does not answer */
export async function readRoom(
  recorder: Recorder,
  source: string,
  url: string,
  roomId: string,
  token: string,
): Promise<void> {
  const room = recorder.nameOf(roomId);
  for (let after = 0; ;) {
    const page = await mustGet<HistoryPage>(`${url}/v1/rooms/${roomId}/messages?after=${after}&limit=200`, token);
    const rows = page.messages.map((message) => recorder.seenMessage(message));
    recorder.write({ type: 'rows', source, room, rows });
    after = page.messages.at(-1)?.seq ?? after;
    if (!page.hasAfter) break;
  }
  const { lastSeq, headRev, rev } = await headOf(url, roomId, token);
  const members: SeenMember[] = [];
  for (let cursor = ''; ;) {
    const page = await mustGet<MemberPage>(`${url}/v1/rooms/${roomId}/members?limit=200${cursor}`, token);
    members.push(...page.items.map((member): SeenMember => ['u', member.rev, recorder.nameOf(member.user.id), 0]));
    if (page.nextCursor === null) break;
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
  }
  recorder.write({ type: 'room', source, room, lastSeq, headRev, settingsRev: rev, members });
}

/** @throws when the instance does not answer */
export function headOf(url: string, roomId: string, token: string): Promise<RoomSummary> {
  return mustGet<RoomSummary>(`${url}/v1/rooms/${roomId}`, token);
}

/** The rows themselves, straight from the database. */
export async function readTables(recorder: Recorder, database: Postgres, url: string): Promise<void> {
  const rooms = await database.query<{ id: string; seq: number; rev: number; settings: number }>(
    'select id, seq::float8 as seq, rev::float8 as rev, settings_rev::float8 as settings from rooms order by id',
    [],
    url,
  );
  for (const { id, seq, rev, settings } of rooms) {
    const room = recorder.nameOf(id);
    for (let after = 0; ;) {
      const page = await database.query<MessageRow>(
        `select seq::float8 as seq, rev::float8 as rev, sender_id, client_msg_id, text, deleted_at is not null as deleted,
           coalesce(version, 1) as version, reactions
         from messages where room_id = $1 and seq > $2 order by seq limit 1000`,
        [id, after],
        url,
      );
      const rows = page.map((row): SeenMessage => {
        const { rev, seq: at, sender_id, client_msg_id, text, deleted, version, reactions } = row;
        const seen: SeenMessage = ['m', rev, at, recorder.nameOf(sender_id), client_msg_id, hashOf(text)];
        if (deleted || version > 1 || reactions !== null) seen.push(deleted ? 1 : 0, version, lookOf(reactions));
        return seen;
      });
      recorder.write({ type: 'rows', source: truth, room, rows });
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.seq;
    }
    const reactions = await database.query<{ seq: number; user_id: string; emoji: string }>(
      'select seq::float8 as seq, user_id, emoji from reactions where room_id = $1',
      [id],
      url,
    );
    recorder.write({
      type: 'reactions',
      source: truth,
      room,
      rows: reactions.map(({ seq, user_id, emoji }) => [seq, recorder.nameOf(user_id), emoji]),
    });
    const members = await database.query<{ user_id: string; rev: number; gone: boolean }>(
      'select user_id, rev::float8 as rev, left_at is not null as gone from memberships where room_id = $1 order by rev',
      [id],
      url,
    );
    const seen = members.map((member): SeenMember => [
      'u',
      member.rev,
      recorder.nameOf(member.user_id),
      member.gone ? 1 : 0,
    ]);
    recorder.write({
      type: 'room',
      source: truth,
      room,
      lastSeq: seq,
      headRev: rev,
      settingsRev: settings,
      members: seen,
    });
  }
}

/** What is unread, counted anew from the rows; nothing is written any more. */
export async function recount(recorder: Recorder, database: Postgres, url: string): Promise<void> {
  const states = await recountUnread((statement, values) => database.query(statement, values, url));
  recorder.write({
    type: 'unread',
    source: truth,
    states: states.map(({ userId, roomId, readSeq, unread, mentions }) => [
      recorder.nameOf(userId),
      recorder.nameOf(roomId),
      readSeq,
      unread,
      mentions,
    ]),
  });
}

/** What an instance tells a user is unread in all of his rooms. @throws when it does not answer */
export async function readUnread(
  recorder: Recorder,
  { instance, url }: Reader,
  { user, token }: { user: string; token: string },
): Promise<void> {
  const { rooms } = await mustGet<RoomsSynced>(`${url}/v1/sync`, token, {});
  recorder.write({
    type: 'unread',
    source: instance,
    states: rooms.map(({ roomId, read }) => [user, recorder.nameOf(roomId), read.readSeq, read.unread, read.mentions]),
  });
}

interface MessageRow {
  seq: number;
  rev: number;
  sender_id: string;
  client_msg_id: string;
  text: string;
  deleted: boolean;
  version: number;
  reactions: Message['reactions'] | null;
}

/** A POST where there is a body. */
async function get<T>(url: string, token: string, body?: object): Promise<T | undefined> {
  try {
    const response = await fetch(url, {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(10_000),
    });
    if (response.ok) return (await response.json()) as T;
    await response.text();
    return undefined;
  } catch {
    return undefined;
  }
}

async function mustGet<T>(url: string, token: string, body?: object): Promise<T> {
  for (let tries = 0; ; tries++) {
    const answer = await get<T>(url, token, body);
    if (answer !== undefined) return answer;
    if (tries === 5) throw new Error(`No answer from ${url}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
