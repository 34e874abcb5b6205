import { Decoder } from 'socket.io-parser';
import { limits } from '../../src/protocol/index.js';
import type { Mutations } from '../../verify/fuzz/mutations.js';
import { frame, RawConnection } from '../../verify/load/raw-connection.js';
import { pause } from '../../verify/processes/program.js';

/** Fewer than the requests of one socket that may wait for their reply. */
const batch = limits.requestsInFlight - 4;
const batches = 3;
/** How long an open connection may owe a reply, and one that has to be closed may stay open, in ms. */
const patienceMs = 20_000;
/** How long a packet that may or may not end the connection gets to do it, in ms. */
const lastWordMs = 20;

/** What became of an attack. */
export class Tally {
  packets = 0;
  readonly levels = { engine: 0, parser: 0, event: 0 };
  /** Packets with an ack id. All of them leave their connection open, so that each has to be answered. */
  asked = 0;
  answered = 0;
  missing = 0;
  /** A second reply to one packet, or a reply to none. */
  surplus = 0;
  /** Replies that own up to a fault of the server. */
  internal = 0;
  /** Whole malformed requests that were not told so; see `shapes.ts`. */
  misjudged: string[] = [];
  notTaken = 0;
  /** Ended though every packet leaves a connection usable. */
  endedWithout = 0;
  /** Left open after a packet that breaks the protocol. */
  notClosed: string[] = [];
  readonly closes = new Map<string, number>();

  close(reason: string): void {
    this.closes.set(reason, (this.closes.get(reason) ?? 0) + 1);
  }
}

/** A connection that accounts for every reply. */
export class Attack {
  /** By ack id: what came for it. */
  private readonly open = new Map<number, string | undefined>();
  private owed = 0;
  private onAll: () => void = () => undefined;

  private constructor(
    readonly connection: RawConnection,
    private readonly tally: Tally,
  ) {}

  /** Connects as a client does. Undefined where the server does not take it. */
  static async begin(url: string, token: string, tally: Tally): Promise<Attack | undefined> {
    const connection = await RawConnection.open(url, patienceMs);
    if (connection === undefined) {
      tally.notTaken += 1;
      return undefined;
    }
    const attack = new Attack(connection, tally);
    const ready = new Promise<boolean>((resolve) => {
      connection.onText = (text) => {
        if (text.includes('session:ready')) resolve(true);
      };
    });
    connection.send(`40${JSON.stringify({ token })}`);
    const taken = await Promise.race([ready, connection.closed.then(() => false), pause(patienceMs).then(() => false)]);
    connection.onText = (text) => attack.hear(text);
    if (taken) return attack;
    tally.notTaken += 1;
    connection.destroy();
    return undefined;
  }

  /** Sends them in one write and waits for every reply that they ask for. False when the connection ended, or owes one. */
  async ask(bytes: Buffer, acks: readonly number[]): Promise<boolean> {
    const { connection, tally } = this;
    const all = new Promise<boolean>((resolve) => (this.onAll = () => resolve(true)));
    for (const ack of acks) this.open.set(ack, undefined);
    this.owed += acks.length;
    connection.write(bytes);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), patienceMs)));
    const done = acks.length === 0 || (await Promise.race([all, connection.closed.then(() => false), late]));
    clearTimeout(timer);
    tally.asked += acks.length;
    if (done) return true;
    if (connection.isOver) tally.endedWithout += 1;
    tally.missing += this.owed;
    return false;
  }

  replyTo(ack: number): string {
    return this.open.get(ack) ?? '';
  }

  private hear(text: string): void {
    const [, digits] = /^43(\d+)\[/.exec(text) ?? [];
    if (digits === undefined) return;
    const ack = Number(digits);
    if (!this.open.has(ack) || this.open.get(ack) !== undefined) {
      this.tally.surplus += 1;
      return;
    }
    this.open.set(ack, text.slice(0, 200));
    this.tally.answered += 1;
    if (text.includes('"code":"internal"')) this.tally.internal += 1;
    this.owed -= 1;
    if (this.owed === 0) this.onAll();
  }
}

/** Sends packets of all levels on one connection: those that leave it usable, and at the end one that most likely ends it. */
export async function attackOnce(url: string, token: string, mutations: Mutations, tally: Tally): Promise<void> {
  const attack = await Attack.begin(url, token, tally);
  if (attack === undefined) {
    await pause(50);
    return;
  }
  const { connection } = attack;
  for (let i = 0; i < batches; i++) {
    const made = Array.from({ length: batch }, () => mutations.gentle()).filter(
      ({ bytes }) => bytes.length < limits.payloadBytes,
    );
    tally.packets += made.length;
    for (const { level } of made) tally.levels[level] += 1;
    const acks = made.flatMap(({ ack }) => (ack === undefined ? [] : [ack]));
    if (!(await attack.ask(Buffer.concat(made.map(({ bytes }) => bytes)), acks))) {
      connection.destroy();
      return;
    }
  }
  // What came twice has come when this is answered.
  if (!(await attack.ask(frame('42999999999["no:such:thing"]'), [999_999_999]))) {
    connection.destroy();
    return;
  }
  const last = mutations.rough();
  // It may ask for a reply by an id that was used before.
  connection.onText = () => undefined;
  connection.write(last.bytes);
  tally.packets += 1;
  tally.levels[last.level] += 1;
  const mustEnd = last.text !== undefined && breaksProtocol(last.text);
  await Promise.race([connection.closed, pause(mustEnd ? patienceMs : lastWordMs)]);
  if (connection.isOver) tally.close(reasonOf(connection));
  else if (mustEnd) tally.notClosed.push(last.text ?? '');
  else tally.close('left open');
  connection.destroy();
}

/** Whether Socket.IO's own decoder refuses it, or it is one CONNECT more. */
function breaksProtocol(text: string): boolean {
  const packet = text.slice(1);
  if (packet.startsWith('0')) return true;
  try {
    new Decoder().add(packet);
    return false;
  } catch {
    return true;
  }
}

function reasonOf({ closeStatus }: RawConnection): string {
  return closeStatus === undefined ? 'cut' : `close ${closeStatus}`;
}
