import type { ReadState } from '../../src/protocol/index.js';
import type { RoomModel } from './room-state.js';

/** Between two marks of one room, in ms: what is read in between goes with the next one. */
const pauseMs = 1_000;

export interface MarkerHost {
  room(roomId: string): RoomModel | undefined;
  ask(roomId: string, seq: number, unread: boolean): Promise<ReadState>;
  pause(ms: number): Promise<void>;
  /** The marker of the room moved. */
  moved(roomId: string): void;
}

/** Moves my markers: here at once, at the server at most once a second and room. */
export class Marker {
  /** By room, the seq that waits for its turn; a room that is here has a mark under way or had one just now. */
  private readonly wanted = new Map<string, number>();

  constructor(private readonly host: MarkerHost) {}

  /** Resolves when the server knows, or another mark goes in its place. Where it cannot be told, the marker is back where it was. */
  async read(roomId: string, seq: number): Promise<void> {
    if (this.host.room(roomId)?.reading.mark(seq) !== true) return;
    this.host.moved(roomId);
    const isWaiting = this.wanted.has(roomId);
    this.wanted.set(roomId, seq);
    if (isWaiting) return;
    try {
      for (let sent = 0; ;) {
        const next = this.wanted.get(roomId) ?? 0;
        if (next <= sent) return;
        sent = next;
        const state = await this.host.ask(roomId, next, false);
        if (this.host.room(roomId)?.reading.tell(state, next) === true) this.host.moved(roomId);
        await this.host.pause(pauseMs);
      }
    } catch (error) {
      this.host.room(roomId)?.reading.unmark();
      this.host.moved(roomId);
      throw error;
    } finally {
      this.wanted.delete(roomId);
    }
  }

  async unread(roomId: string, seq: number): Promise<void> {
    this.wanted.delete(roomId);
    try {
      const state = await this.host.ask(roomId, seq, true);
      this.host.room(roomId)?.reading.tell(state);
    } finally {
      this.host.room(roomId)?.reading.unmark();
      // Also where the signal to all my devices came first and told it already: only now does it show.
      this.host.moved(roomId);
    }
  }
}
