import fc from 'fast-check';
import {
  truth,
  type HistoryRecord,
  type Seen,
  type SeenMember,
  type SeenMessage,
  type UnreadRecord,
  type Untimed,
} from '../../verify/history.js';
import { hashOf } from '../../verify/recorder.js';

/** A step of a run: what happens, to whom, where; each number is taken modulo what there is to choose from. */
export interface Step {
  what:
    | 'send'
    | 'retry'
    | 'deliver'
    | 'disconnect'
    | 'connect'
    | 'join'
    | 'leave'
    | 'edit'
    | 'react'
    | 'delete'
    | 'read'
    | 'wait'
    | 'fault';
  a: number;
  b: number;
  c: number;
}

const weights: Record<Step['what'], number> = {
  send: 12,
  retry: 3,
  deliver: 12,
  disconnect: 1,
  connect: 3,
  join: 2,
  leave: 1,
  edit: 2,
  react: 3,
  delete: 1,
  read: 2,
  wait: 1,
  fault: 1,
};

const what = fc.oneof(
  ...Object.entries(weights).map(([name, weight]) => ({ weight, arbitrary: fc.constant(name as Step['what']) })),
);
export const steps = fc.array(fc.record({ what, a: fc.nat(999), b: fc.nat(999), c: fc.nat(999) }), {
  minLength: 40,
  maxLength: 160,
});

interface Room {
  name: string;
  rev: number;
  settingsRev: number;
  rows: SeenMessage[];
  members: Map<string, SeenMember>;
  /** `seq user emoji` */
  reactions: Set<string>;
  /** Each change as it was at its rev; looked at to know what a frame of then carried. */
  log: Seen[];
}

interface Client {
  name: string;
  user: string;
  connection: number | undefined;
  live: boolean;
  cursors: Map<string, number>;
  /** By room: the rev up to which this connection was sent frames. */
  sent: Map<string, number>;
}

interface Attempted {
  client: Client;
  room: Room;
  cmid: string;
  hash: number;
}

/** A correct system, played step by step; what it writes is a history without a fault. */
export class Model {
  readonly records: HistoryRecord[] = [];
  private t = 0;
  private requests = 0;
  private connections = 0;
  private cmids = 0;
  private fault: number | undefined;
  private faults = 0;
  private readonly unknown: Attempted[] = [];
  private readonly rooms: Room[];
  private readonly clients: Client[];

  constructor() {
    this.write({
      type: 'run',
      row: 'model',
      seed: '1',
      load: 'model',
      startedAt: '2026-01-01T00:00:00.000Z',
      versions: {},
    });
    this.rooms = ['r0', 'r1', 'r2'].map((name) => {
      const room: Room = { name, rev: 0, settingsRev: 1, rows: [], members: new Map(), reactions: new Set(), log: [] };
      this.change(room, (rev) => ['r', rev]);
      return room;
    });
    // u0 has two devices; u3 joins nothing and must hear nothing.
    this.clients = [
      ['c0', 'u0'],
      ['c1', 'u1'],
      ['c2', 'u2'],
      ['c3', 'u0'],
      ['c4', 'u3'],
    ].map(([name = '', user = '']) => ({
      name,
      user,
      connection: undefined,
      live: false,
      cursors: new Map(),
      sent: new Map(),
    }));
    for (const client of this.clients) this.connect(client);
    for (const client of this.clients.slice(0, 3)) for (const room of this.rooms.slice(0, 2)) this.join(client, room);
    this.write({ type: 'process', instance: 'a', event: 'ready', wanted: true });
    this.write({
      type: 'sample',
      instance: 'a',
      pid: 1,
      steady: 'before',
      values: { rss: 100 * 2 ** 20, fds: 50 + this.clientsOn('a') },
    });
    this.write({ type: 'phase', phase: 'load' });
  }

  static play(played: readonly Step[]): HistoryRecord[] {
    const model = new Model();
    for (const step of played) model.step(step);
    return model.end();
  }

  private write(record: Untimed): void {
    this.t += 1e6;
    this.records.push({ ...record, t: this.t });
  }

  private step({ what, a, b, c }: Step): void {
    const client = this.clients[a % (this.clients.length - 1)] as Client;
    const room = this.rooms[b % this.rooms.length] as Room;
    switch (what) {
      case 'send':
        this.send(
          { client, room, cmid: `m${this.cmids++}`, hash: c },
          (['ok', 'ok', 'ok', 'lost', 'dropped', 'refused'] as const)[c % 6],
        );
        break;
      case 'retry':
        if (this.unknown.length > 0) this.send(this.unknown.splice(c % this.unknown.length, 1)[0] as Attempted, 'ok');
        break;
      case 'deliver':
        this.deliver(client, room, 1 + (c % 3));
        break;
      case 'disconnect':
        this.disconnect(client);
        break;
      case 'connect':
        if (client.connection === undefined) this.connect(client);
        else if (!client.live) this.catchUp(client, 1 + (c % 5));
        break;
      case 'join':
        this.join(client, room);
        break;
      case 'leave':
        this.leave(client, room);
        break;
      case 'edit':
        this.edit(client, room, c);
        break;
      case 'react':
        this.react(client, room, c);
        break;
      case 'delete':
        this.delete(room, c);
        break;
      case 'read':
        this.read(room, c);
        break;
      case 'wait':
        this.t += c * 1e6;
        break;
      case 'fault':
        this.toggleFault();
        break;
    }
  }

  private end(): HistoryRecord[] {
    if (this.fault !== undefined) this.toggleFault();
    for (const attempt of this.unknown.splice(0)) this.send(attempt, 'ok');
    for (const client of this.clients) {
      if (client.connection === undefined) this.connect(client);
      this.catchUp(client, 2);
      for (const room of this.rooms) this.deliver(client, room, Infinity);
    }
    this.write({ type: 'phase', phase: 'settle' });
    this.t += 10e9;
    this.write({ type: 'phase', phase: 'final' });
    for (const source of [truth, 'a', 'b']) {
      for (const { name, rev, settingsRev, rows, members } of this.rooms) {
        this.write({ type: 'rows', source, room: name, rows });
        this.write({
          type: 'room',
          source,
          room: name,
          lastSeq: rows.length,
          headRev: rev,
          settingsRev,
          members: [...members.values()],
        });
      }
    }
    for (const { name, reactions } of this.rooms) {
      const rows = [...reactions].map((each): [number, string, string] => {
        const [seq, user = '', emoji = ''] = each.split(' ');
        return [Number(seq), user, emoji];
      });
      this.write({ type: 'reactions', source: truth, room: name, rows });
    }
    for (const source of [truth, 'a']) this.write({ type: 'unread', source, states: this.unread() });
    this.write({
      type: 'sample',
      instance: 'a',
      pid: 1,
      steady: 'after',
      values: { rss: 105 * 2 ** 20, fds: 50 + this.clientsOn('a') },
    });
    this.write({ type: 'process', instance: 'a', event: 'exit', wanted: true });
    return this.records;
  }

  private send(attempt: Attempted, outcome: 'ok' | 'lost' | 'dropped' | 'refused' | undefined): void {
    const { client, room, cmid, hash } = attempt;
    if (client.connection === undefined) return void this.unknown.push(attempt);
    const known = room.rows.find(([, , , sender, id]) => sender === client.user && id === cmid);
    const isMember = room.members.get(client.user)?.[3] === 0;
    const request = this.request(client, 'message:send', { send: { room: room.name, cmid, hash } });
    if (known === undefined && (!isMember || outcome === 'refused')) {
      this.write({
        type: 'fail',
        request,
        code: isMember ? 'invalid_argument' : 'not_member',
        retryable: false,
      });
      return;
    }
    if (outcome === 'dropped') {
      this.unknown.push(attempt);
      this.write({ type: 'fail', request, code: 'unavailable', retryable: true });
      return;
    }
    const row: SeenMessage = known ?? ['m', 0, room.rows.length + 1, client.user, cmid, hash];
    if (known === undefined) {
      this.change(room, (rev) => ((row[1] = rev), row));
      room.rows.push([...row]);
    }
    if (outcome === 'lost') {
      this.unknown.push(attempt);
      this.write({ type: 'info', request, reason: 'disconnected' });
      this.disconnect(client);
      return;
    }
    const [, rev, seq] = row;
    this.write({
      type: 'ok',
      request,
      stored: { room: room.name, rev, seq, sender: client.user, cmid, hash, duplicate: known !== undefined },
    });
  }

  private deliver(client: Client, room: Room, most: number): void {
    const sent = client.sent.get(room.name);
    if (client.connection === undefined || sent === undefined) return;
    const changes = room.log.slice(sent, Math.min(room.rev, sent + most));
    // The last frame of one who left ends with his leaving.
    const leaving = changes.findIndex(([kind, , who, left]) => kind === 'u' && who === client.user && left === 1);
    if (leaving >= 0) changes.splice(leaving + 1);
    if (changes.length === 0) return;
    const upTo = sent + changes.length;
    client.sent.set(room.name, upTo);
    this.write({
      type: 'deliver',
      client: client.name,
      connection: client.connection,
      room: room.name,
      after: sent,
      upTo,
      changes,
    });
    const cursor = client.cursors.get(room.name);
    if (client.live && cursor !== undefined) client.cursors.set(room.name, Math.max(cursor, upTo));
    if (leaving >= 0) {
      client.sent.delete(room.name);
      client.cursors.delete(room.name);
    }
  }

  private disconnect(client: Client): void {
    if (client.connection === undefined) return;
    this.write({ type: 'disconnected', client: client.name, connection: client.connection, reason: 'transport close' });
    client.connection = undefined;
    client.live = false;
  }

  private connect(client: Client): void {
    client.connection = this.connections++;
    const { name, user, connection } = client;
    this.write({
      type: 'connected',
      client: name,
      user,
      connection,
      instance: instanceOf(connection),
      epoch: 'e',
    });
    client.sent = new Map(
      this.rooms.filter((room) => room.members.get(user)?.[3] === 0).map((room) => [room.name, room.rev]),
    );
  }

  /** Pages of `most` changes; the client ends where the frames of its connection begin. */
  private catchUp(client: Client, most: number): void {
    if (client.live || client.connection === undefined) return;
    let first = true;
    for (const room of this.rooms) {
      const place = client.sent.get(room.name);
      const cursor = client.cursors.get(room.name);
      if (place !== undefined) {
        const asked = first ? ['rooms:sync', '*'] : ['room:sync', room.name];
        first = false;
        this.sync(client, room, this.request(client, asked[0] ?? '', { sync: asked[1] }), most);
      } else if (cursor !== undefined) this.forget(client, room);
    }
    client.live = true;
    this.write({ type: 'live', client: client.name, connection: client.connection });
  }

  private sync(client: Client, room: Room, first: number, most: number): void {
    const place = client.sent.get(room.name) ?? 0;
    const common = { type: 'sync' as const, client: client.name, connection: client.connection ?? -1, room: room.name };
    let request = first;
    let after = client.cursors.get(room.name);
    client.cursors.set(room.name, place);
    this.write({ type: 'ok', request });
    if (after === undefined) {
      const changes = room.rows.slice(-5).map((row): Seen => [...row]);
      this.write({ ...common, request, reset: true, after: 0, upTo: place, more: false, changes });
      return;
    }
    for (;;) {
      const upTo = Math.min(place, after + most);
      // Rows as they are now: what changed again since stands under its later rev.
      const current = [...room.rows, ...room.members.values(), ['r', room.settingsRev] satisfies Seen];
      const changes = current.filter(([, rev]) => rev > (after ?? 0) && rev <= upTo).sort((x, y) => x[1] - y[1]);
      this.write({ ...common, request, reset: false, after, upTo, more: upTo < place, changes });
      if (upTo === place) return;
      after = upTo;
      request = this.request(client, 'room:sync', { sync: room.name });
      this.write({ type: 'ok', request });
    }
  }

  private join(client: Client, room: Room): void {
    if (client.connection === undefined) return;
    const request = this.request(client, 'room:join', { membership: { room: room.name, user: client.user, on: true } });
    let member = room.members.get(client.user);
    if (member?.[3] !== 0) {
      const before = room.rev;
      member = this.change(room, (rev) => ['u', rev, client.user, 0]);
      room.members.set(client.user, member);
      for (const device of this.devices(client.user))
        if (device.connection !== undefined) device.sent.set(room.name, before);
    }
    this.write({ type: 'ok', request, member: { room: room.name, user: client.user, rev: member[1], left: false } });
    for (const device of this.devices(client.user)) {
      if (!device.live || device.cursors.has(room.name)) continue;
      this.sync(device, room, this.request(device, 'room:sync', { sync: room.name }), 3);
    }
  }

  private leave(client: Client, room: Room): void {
    if (client.connection === undefined || room.members.get(client.user)?.[3] !== 0) return;
    const request = this.request(client, 'room:leave', {
      membership: { room: room.name, user: client.user, on: false },
    });
    const member = this.change(room, (rev): SeenMember => ['u', rev, client.user, 1]);
    room.members.set(client.user, member);
    // The devices are sent all up to the leaving, by the time that it is acknowledged.
    for (const device of this.devices(client.user)) this.deliver(device, room, Infinity);
    this.write({ type: 'ok', request, member: { room: room.name, user: client.user, rev: member[1], left: true } });
    this.forget(client, room);
  }

  private forget(client: Client, room: Room): void {
    client.cursors.delete(room.name);
    this.write({ type: 'gone', client: client.name, connection: client.connection ?? -1, room: room.name });
  }

  /** Nobody has read anything; nobody mentions anybody. */
  private unread(): UnreadRecord['states'] {
    return this.rooms.flatMap(({ name, rows, members }) =>
      [...members.values()]
        .filter(([, , , left]) => left === 0)
        .map(([, , user]): UnreadRecord['states'][number] => {
          const others = rows.filter(([, , , sender, , , deleted]) => sender !== user && deleted !== 1);
          return [user, name, 0, others.length, 0];
        }),
    );
  }

  private edit(client: Client, room: Room, c: number): void {
    const own = room.rows.filter(([, , , sender, , , deleted]) => sender === client.user && deleted !== 1);
    const row = own[c % Math.max(1, own.length)];
    if (client.connection === undefined || row === undefined) return;
    const [, , seq, user, cmid, , , version = 1, look = 0] = row;
    const hash = 10_000 + 2 * c;
    const request = this.request(client, 'message:edit', { change: { room: room.name, seq, kind: 'edit', hash } });
    const edited = this.change(room, (rev): SeenMessage => ['m', rev, seq, user, cmid, hash, 0, version + 1, look]);
    this.changed(client, room, request, edited, c);
  }

  private react(client: Client, room: Room, c: number): void {
    const row = room.rows[c % Math.max(1, room.rows.length)];
    if (client.connection === undefined || row === undefined || row[6] === 1) return;
    if (room.members.get(client.user)?.[3] !== 0) return;
    const [, , seq, user, cmid, hash, , version = 1] = row;
    const emoji = `:e${c % 2}:`;
    const on = c % 3 > 0;
    const change = { room: room.name, seq, kind: 'react', emoji, on };
    const request = this.request(client, 'message:react', { change });
    const key = `${seq} ${client.user} ${emoji}`;
    if (on) room.reactions.add(key);
    else room.reactions.delete(key);
    const look = hashOf([...room.reactions].filter((each) => each.startsWith(`${seq} `)).join());
    const reacted = this.change(room, (rev): SeenMessage => ['m', rev, seq, user, cmid, hash, 0, version, look]);
    this.changed(client, room, request, reacted, c);
  }

  private changed(client: Client, room: Room, request: number, message: SeenMessage, c: number): void {
    room.rows[message[2] - 1] = [...message];
    if (c % 5 > 0) {
      this.write({ type: 'ok', request, changed: { room: room.name, message: [...message] } });
      return;
    }
    this.write({ type: 'info', request, reason: 'disconnected' });
    this.disconnect(client);
  }

  private delete(room: Room, at: number): void {
    const row = room.rows[at % Math.max(1, room.rows.length)];
    if (row === undefined || row[6] === 1) return;
    const gone = this.change(room, (rev): SeenMessage => ['m', rev, row[2], row[3], row[4], 0, 1]);
    for (const reaction of [...room.reactions]) if (reaction.startsWith(`${row[2]} `)) room.reactions.delete(reaction);
    room.rows[row[2] - 1] = gone;
  }

  private read(room: Room, at: number): void {
    const row = room.rows[at % Math.max(1, room.rows.length)];
    if (row === undefined) return;
    const began = this.t;
    this.write({
      type: 'read',
      began,
      source: at % 2 === 0 ? 'a' : 'b',
      room: room.name,
      seq: row[2],
      found: [...row],
    });
  }

  private toggleFault(): void {
    this.fault ??= -1;
    if (this.fault < 0) {
      this.fault = this.faults++;
      this.write({ type: 'fault', at: 'begin', fault: this.fault, name: 'model' });
    } else {
      this.write({ type: 'fault', at: 'end', fault: this.fault, name: 'model' });
      this.fault = undefined;
    }
  }

  private clientsOn(instance: string): number {
    return this.clients.filter(({ connection }) => connection !== undefined && instanceOf(connection) === instance)
      .length;
  }

  private devices(user: string): Client[] {
    return this.clients.filter((client) => client.user === user);
  }

  private request(client: Client, event: string, more: object): number {
    const request = this.requests++;
    this.write({
      type: 'request',
      request,
      client: client.name,
      user: client.user,
      connection: client.connection ?? -1,
      event,
      ...more,
    });
    return request;
  }

  private change<S extends Seen>(room: Room, make: (rev: number) => S): S {
    room.rev += 1;
    const change = make(room.rev);
    room.log.push([...change] as unknown as Seen);
    return change;
  }
}

function instanceOf(connection: number): string {
  return connection % 2 === 0 ? 'a' : 'b';
}
