import {
  truth,
  type DeliverRecord,
  type HistoryRecord,
  type OkRecord,
  type RoomRecord,
  type RowsRecord,
  type SeenMessage,
} from '../../../verify/history.js';
import type { CheckName } from '../../../verify/checks/index.js';

/** Changes a faultless history into what a system with this bug would have written; undefined if there is no place for it. */
export interface SeededBug {
  bug: string;
  caughtBy: CheckName;
  saying: RegExp;
  seed: (history: HistoryRecord[], pick: <T>(from: T[]) => T | undefined) => HistoryRecord[] | undefined;
}

type Of<T extends HistoryRecord['type']> = Extract<HistoryRecord, { type: T }>;
export const all = <T extends HistoryRecord['type']>(history: HistoryRecord[], type: T): Of<T>[] =>
  history.filter((record): record is Of<T> => record.type === type);

export const acks = (history: HistoryRecord[]) =>
  all(history, 'ok').filter(
    (record): record is OkRecord & { stored: NonNullable<OkRecord['stored']> } => record.stored !== undefined,
  );
export const rowsOf = (history: HistoryRecord[], room: string, source: string = truth) =>
  all(history, 'rows').find((record) => record.room === room && record.source === source) as RowsRecord;
export const headOf = (history: HistoryRecord[], room: string) =>
  all(history, 'room').find((record) => record.room === room && record.source === truth) as RoomRecord;
export const without = (history: HistoryRecord[], ...gone: HistoryRecord[]) =>
  history.filter((record) => !gone.includes(record));
export const after = (history: HistoryRecord[], record: HistoryRecord, ...more: HistoryRecord[]) => {
  const at = history.indexOf(record) + 1;
  return [...history.slice(0, at), ...more, ...history.slice(at)];
};

/** Pairs of frames that follow each other on one connection in one room, of clients that never left it. */
export function chained(history: HistoryRecord[]): { one: DeliverRecord; next: DeliverRecord }[] {
  const last = new Map<string, DeliverRecord>();
  const pairs: { one: DeliverRecord; next: DeliverRecord }[] = [];
  const left = new Set(
    all(history, 'ok').flatMap(({ member }) => (member?.left === true ? [`${member.user} ${member.room}`] : [])),
  );
  const users = new Map(all(history, 'connected').map(({ connection, user }) => [connection, user]));
  for (const next of all(history, 'deliver')) {
    const key = `${next.connection} ${next.room}`;
    const one = last.get(key);
    if (one?.upTo === next.after && !left.has(`${users.get(next.connection)} ${next.room}`)) pairs.push({ one, next });
    last.set(key, next);
  }
  return pairs;
}

export const liveMessages = (history: HistoryRecord[]) =>
  all(history, 'deliver').flatMap((frame) =>
    frame.changes
      .filter((change): change is SeenMessage => change[0] === 'm' && change[6] !== 1)
      .map((change) => ({ frame, change })),
  );

/** Row pairs of a room: `later` was first sent after `earlier` had been acknowledged. */
export function sequels(history: HistoryRecord[]): { room: string; earlier: SeenMessage; later: SeenMessage }[] {
  const place = new Map<HistoryRecord, number>(history.map((record, index) => [record, index]));
  const invoked = new Map<string, number>();
  for (const record of all(history, 'request')) {
    if (record.send !== undefined && !invoked.has(`${record.user} ${record.send.cmid}`)) {
      invoked.set(`${record.user} ${record.send.cmid}`, place.get(record) ?? 0);
    }
  }
  return acks(history).flatMap((ack) => {
    const { room, seq } = ack.stored;
    const { rows } = rowsOf(history, room);
    const [earlier, later] = [rows[seq - 1], rows[seq]];
    if (earlier === undefined || later === undefined || earlier[6] === 1 || later[6] === 1) return [];
    const since = invoked.get(`${later[3]} ${later[4]}`) ?? 0;
    const acknowledged = acks(history).some(({ stored }) => stored.sender === later[3] && stored.cmid === later[4]);
    return acknowledged && since > (place.get(ack) ?? Infinity) ? [{ room, earlier, later }] : [];
  });
}

export function end(history: HistoryRecord[]): HistoryRecord {
  return history.filter(({ type }) => type !== 'ok').at(-1) as HistoryRecord;
}

export function userOf(history: HistoryRecord[], client: string): string | undefined {
  return all(history, 'connected').find((record) => record.client === client)?.user;
}

/** Acknowledged leavings that no joining of the same user follows, with the device that asked. */
export function leavings(history: HistoryRecord[]) {
  const requests = new Map(all(history, 'request').map((record) => [record.request, record]));
  return all(history, 'ok').flatMap((ok) => {
    const { member } = ok;
    const asked = requests.get(ok.request);
    if (member === undefined || !member.left || asked === undefined) return [];
    const back = history
      .slice(history.indexOf(ok))
      .some(
        (record) =>
          record.type === 'request' &&
          record.membership?.on === true &&
          record.membership.user === member.user &&
          record.membership.room === member.room,
      );
    return back
      ? []
      : [{ ok: { ...ok, member }, client: asked.client, connection: asked.connection }].map((left) => ({
          ...left,
          ok: ok as OkRecord & { member: typeof member },
        }));
  });
}

/** Whether the request's connection ended within the time that an answer may take. */
export function endsSoon(history: HistoryRecord[], request: number): boolean {
  const asked = all(history, 'request').find((record) => record.request === request);
  return all(history, 'disconnected').some(
    ({ connection, t }) => connection === asked?.connection && t <= asked.t + 5e9,
  );
}
