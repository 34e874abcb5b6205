import { Parley } from '../../sdk/index.js';
import { tokenOf } from '../processes/token.js';

interface Speaker {
  client: Parley;
  /** Messages that it is about to send or has on the way. */
  busy: number;
}

/**
 * The users who speak at the moment, each on a connection of its own. Who has been silent the longest is disconnected when
 * there are too many; he stays a member, and connects again when he has something to say.
 */
export class Speakers {
  private readonly present = new Map<string, Speaker>();
  private people = 0;
  /** How often somebody connected. */
  connects = 0;

  /**
   * @param urls the instances, over which users are spread
   * @param most connections at a time
   * @param heard told of each message that reaches a speaker
   */
  constructor(
    private readonly urls: readonly string[],
    private readonly most: number,
    private readonly heard: () => void,
  ) {}

  /** The user's client, a member of the room; `release` it after its message was acknowledged. */
  async take(user: string, roomId: string): Promise<Parley> {
    let speaker = this.present.get(user);
    if (speaker === undefined) speaker = { client: this.connect(user), busy: 0 };
    // The last one in the map is the one who spoke last.
    this.present.delete(user);
    this.present.set(user, speaker);
    speaker.busy += 1;
    this.makeRoom();
    await speaker.client.ready();
    if (!speaker.client.rooms.has(roomId)) await speaker.client.joinRoom(roomId);
    return speaker.client;
  }

  release(user: string): void {
    const speaker = this.present.get(user);
    if (speaker !== undefined) speaker.busy -= 1;
  }

  close(): void {
    for (const { client } of this.present.values()) client.close();
    this.present.clear();
  }

  private connect(user: string): Parley {
    this.connects += 1;
    const url = this.urls[this.people++ % this.urls.length] ?? '';
    const client = new Parley({ url, token: () => tokenOf(user), transports: ['websocket'], historyWindow: 50 });
    client.on('change', (_, change) => {
      if (change.kind === 'message') this.heard();
    });
    return client;
  }

  private makeRoom(): void {
    for (const [user, { client, busy }] of this.present) {
      if (this.present.size <= this.most) return;
      if (busy > 0) continue;
      client.close();
      this.present.delete(user);
    }
  }
}
