import { Parley } from '../../sdk/index.js';
import type { Histogram } from '../checks/histogram.js';
import type { Found } from './compare.js';
import { tokenOf } from '../processes/token.js';

/** A member of every room, on one instance, who says nothing and writes down everything. */
export class Listener {
  readonly heard = new Map<string, Found[]>();
  count = 0;
  /** How often a room's state was replaced instead of continued; what lies between is not heard. */
  resets = 0;
  private readonly client: Parley;
  private wake: () => void = () => undefined;

  /**
   * @param sentAt when each message was handed to its sender's client, by its clientMsgId (`performance.now()`)
   * @param delays takes how long each message was on its way, in µs
   */
  constructor(
    readonly name: string,
    readonly url: string,
    sentAt: ReadonlyMap<string, number>,
    delays: Histogram,
  ) {
    this.client = new Parley({ url, token: () => tokenOf(name), transports: ['websocket'], historyWindow: 50 });
    this.client.on('reset', () => (this.resets += 1));
    this.client.on('change', (roomId, change) => {
      if (change.kind !== 'message') return;
      const { clientMsgId, text } = change.message;
      this.roomOf(roomId).push({ clientMsgId, text });
      this.count += 1;
      const sent = sentAt.get(clientMsgId);
      if (sent !== undefined) delays.add((performance.now() - sent) * 1_000);
      this.wake();
    });
  }

  async join(roomId: string): Promise<void> {
    await this.client.ready();
    await this.client.joinRoom(roomId);
  }

  /** Makes a room. */
  async open(name: string): Promise<string> {
    await this.client.ready();
    return (await this.client.createRoom({ name })).room.id;
  }

  /** Resolves when it has heard so many messages, or has heard nothing new for `patienceMs`. */
  async until(count: number, patienceMs: number): Promise<void> {
    while (this.count < count) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), patienceMs)));
      const news = new Promise<void>((resolve) => (this.wake = resolve));
      const outcome = await Promise.race([news, late]);
      clearTimeout(timer);
      if (outcome === 'late') return;
    }
  }

  roomOf(roomId: string): Found[] {
    let heard = this.heard.get(roomId);
    if (heard === undefined) this.heard.set(roomId, (heard = []));
    return heard;
  }

  close(): void {
    this.client.close();
  }
}
