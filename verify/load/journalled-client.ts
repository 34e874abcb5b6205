import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { uuidv7 } from 'uuidv7';
import type { Message } from '../../src/protocol/index.js';
import { hasEnded, until } from '../processes/program.js';
import { hashOf } from '../recorder.js';
import type { RunningRow } from '../rows/row.js';
import type { PlainClient } from './plain-client.js';

const program = fileURLToPath(new URL('./journalled-program.ts', import.meta.url));
/** Between two messages, in ms. */
const every = 20;

/** What the process on the other side of the channel hears and says. */
export interface ToSend {
  clientMsgId: string;
  text: string;
}
export type Told = 'up' | { sent: Message; duplicate: boolean };

/**
 * A client in a process of its own, which uses the SDK and keeps on disk what is to be sent before it is sent. What it is
 * given is recorded here: it must come out once, in order, however often the process is killed.
 */
export class JournalledClient {
  private readonly file: string;
  private readonly requests = new Map<string, number>();
  private child: ChildProcess | undefined;
  private made = 0;
  private killed = 0;
  /** Messages on disk that were not acknowledged when the process was killed. */
  private left = 0;

  private constructor(
    private readonly run: RunningRow,
    private readonly client: PlainClient,
    private readonly roomId: string,
  ) {
    this.file = join(dirname(run.recorder.path), 'outbox.journal');
    rmSync(this.file, { force: true });
    rmSync(doneFile(this.file), { force: true });
  }

  /** In a room of its own, which it shares with some clients of the load. */
  static async prepare(run: RunningRow): Promise<JournalledClient> {
    const { load, recorder } = run;
    const { roomId } = await load.crowd('journal', 5);
    const client = await load.client('j0', 'uj0');
    client.connect();
    await until(() => client.live, 20_000, 'the client is connected');
    if (!(await client.join(roomId))) throw new Error('The client could not join');
    recorder.call(client.userId, 'uj0');
    client.close();
    return new JournalledClient(run, client, roomId);
  }

  async start(): Promise<void> {
    const { client, roomId, file } = this;
    const { url } = client.options.place();
    const child = fork(program, [url, client.options.token, roomId, file], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.child = child;
    child.on('message', (told) => this.hear(told as Told));
    const timer = setInterval(() => this.give(child), every);
    child.once('exit', () => clearInterval(timer));
    // The first thing that it says is that it is up.
    await Promise.race([once(child, 'message'), once(child, 'exit')]);
  }

  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined || hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    this.killed += 1;
    this.left += this.kept().length - this.done().length;
  }

  /** Nothing new is given; waits until all that is on disk is acknowledged. */
  async emptied(patienceMs: number): Promise<void> {
    this.made = Infinity;
    await until(() => this.done().length === this.kept().length, patienceMs, 'the outbox on disk is empty').catch(
      () => undefined,
    );
  }

  /** What is on disk against what is in the database; `stored` differs from `sent` where anything is missing, doubled or out of place. */
  async account(): Promise<{ sent: number; stored: number; killed: number; left: number }> {
    const { cluster } = this.run;
    const rows = await cluster.postgres.query<{ id: string }>(
      'select client_msg_id as id from messages where room_id = $1 and sender_id = $2 order by seq',
      [this.roomId, this.client.userId],
      cluster.databaseUrl,
    );
    const kept = this.kept();
    const stored = rows.filter(({ id }, i) => kept[i]?.clientMsgId === id).length;
    const beyond = Math.max(0, rows.length - kept.length);
    return { sent: kept.length, stored: stored - beyond, killed: this.killed, left: this.left };
  }

  private give(child: ChildProcess): void {
    if (!child.connected || this.made === Infinity) return;
    const { recorder } = this.run;
    const { name, user } = this.client.options;
    const clientMsgId = uuidv7();
    const text = `message ${++this.made}`;
    const request = recorder.nextRequest();
    this.requests.set(clientMsgId, request);
    const send = { room: recorder.nameOf(this.roomId), cmid: clientMsgId, hash: hashOf(text) };
    recorder.write({ type: 'request', request, client: name, user, connection: -1, event: 'message:send', send });
    // From here on nobody here knows whether it reaches the disk.
    recorder.write({ type: 'info', request, reason: 'disconnected' });
    child.send({ clientMsgId, text } satisfies ToSend, () => undefined);
  }

  private hear(told: Told): void {
    if (told === 'up') return;
    const { recorder } = this.run;
    const request = this.requests.get(told.sent.clientMsgId);
    // An acknowledgement that was told of already, by the process before this one.
    if (request === undefined) return;
    this.requests.delete(told.sent.clientMsgId);
    const [, rev, seq, sender, cmid, hash] = recorder.seenMessage(told.sent);
    const stored = { room: recorder.nameOf(this.roomId), rev, seq, sender, cmid, hash, duplicate: told.duplicate };
    recorder.write({ type: 'ok', request, stored });
  }

  private kept(): ToSend[] {
    return readJournal(this.file);
  }

  private done(): ToSend[] {
    return readJournal(doneFile(this.file));
  }
}

/** Where it is written what of the file is acknowledged. */
export const doneFile = (file: string): string => `${file}.done`;

/** What was written whole. */
export function readJournal(file: string): ToSend[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as ToSend);
}
