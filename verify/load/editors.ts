import type { Random } from '../random.js';
import { hashOf } from '../recorder.js';
import type { MessageChange } from '../history.js';
import type { Load } from './load.js';
import type { PlainClient } from './plain-client.js';

/** Acknowledged messages of which one is drawn. */
const remembered = 64;
const emojis = ['👍', '🎉', ':done:'];

interface Said {
  client: PlainClient;
  roomId: string;
  seq: number;
}

/** Members of the rooms of a load who edit and delete what they said, react to what others said, and mark how far they have read. */
export class Editors {
  private readonly said: Said[] = [];
  private readonly busy = new Set<PlainClient>();
  private timer: NodeJS.Timeout | undefined;
  private made = 0;

  constructor(
    private readonly load: Load,
    private readonly random: Random,
  ) {}

  /** What a row sends to a room of its own, where nobody of the load is, is left alone. */
  offer(client: PlainClient, roomId: string, seq: number): void {
    if (this.load.membersIn(roomId).length === 0) return;
    this.said[this.made++ % remembered] = { client, roomId, seq };
  }

  start(perSecond: number): void {
    this.timer = setInterval(() => this.step(), 1_000 / perSecond);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Requests that are not answered yet. */
  get waiting(): number {
    return this.busy.size;
  }

  private step(): void {
    if (this.said.length === 0) return;
    const said = this.random.pick(this.said);
    const what = this.random.next();
    const client = what < 0.3 ? said.client : this.random.pick(this.load.membersIn(said.roomId));
    const on = this.random.next() < 0.7;
    const emoji = this.random.pick(emojis);
    // One request of a client at a time: what he wanted last is what has to stand.
    if (!client.live || this.busy.has(client)) return;
    this.busy.add(client);
    void this.ask(client, said, what, on, emoji).finally(() => this.busy.delete(client));
  }

  private async ask(
    client: PlainClient,
    { roomId, seq }: Said,
    what: number,
    on: boolean,
    emoji: string,
  ): Promise<void> {
    const place = { room: client.options.recorder.nameOf(roomId), seq };
    const note = (change: MessageChange) => ({ change });
    if (what < 0.25) {
      const text = `edited ${this.made} ${emoji}`;
      await client.request('message:edit', { roomId, seq, text }, note({ ...place, kind: 'edit', hash: hashOf(text) }));
    } else if (what < 0.3) await client.request('message:delete', { roomId, seq }, note({ ...place, kind: 'delete' }));
    else if (what < 0.75)
      await client.request('message:react', { roomId, seq, emoji, on }, note({ ...place, kind: 'react', emoji, on }));
    else await client.request('read:mark', { roomId, seq, ...(on ? {} : { unread: true }) });
  }
}
