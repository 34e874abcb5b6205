import type { Message } from '../../src/protocol/index.js';
import type { BackoffPolicy } from '../backoff.js';
import type { Link } from '../connection/link.js';
import type { ParleyError } from '../parley-error.js';
import type { RoomModel } from '../rooms/room-state.js';
import { Outbox } from './outbox.js';

export interface OutboxesHost {
  /** The link to send over; undefined while not online. */
  link(): Link | undefined;
  pause(ms: number): Promise<void>;
  show(message: Message): number;
  changed(roomId: string): void;
}

/** An outbox for every room that something was sent to, member or not: the server has the say. */
export class Outboxes {
  private readonly byRoom = new Map<string, Outbox>();
  private end: ParleyError | undefined;

  constructor(
    private readonly host: OutboxesHost,
    private readonly policy: BackoffPolicy,
  ) {}

  of(roomId: string): Outbox {
    let outbox = this.byRoom.get(roomId);
    if (!outbox) {
      const { host } = this;
      outbox = new Outbox(
        roomId,
        {
          get online() {
            return host.link() !== undefined;
          },
          send: (request) => host.link()?.ask('message:send', request) ?? Promise.resolve('gone'),
          pause: (ms) => host.pause(ms),
          show: (message) => host.show(message),
          changed: () => host.changed(roomId),
        },
        this.policy,
      );
      if (this.end) outbox.close(this.end);
      this.byRoom.set(roomId, outbox);
    }
    return outbox;
  }

  wake(): void {
    for (const outbox of this.byRoom.values()) outbox.wake();
  }

  /** The room shows more messages than before, `own` of them mine. */
  shown(room: RoomModel, own: readonly Message[]): void {
    const outbox = this.byRoom.get(room.room.id);
    if (!outbox || outbox.items.length === 0) return;
    for (const message of own) outbox.recognise(message);
    outbox.shown(room.timeline.lastSeq);
  }

  /** The room is gone, and with it what it would have shown. What is not stored yet is left to the server's answer. */
  forget(roomId: string): void {
    const outbox = this.byRoom.get(roomId);
    outbox?.shown(Infinity);
    if (outbox?.items.length === 0) this.byRoom.delete(roomId);
  }

  close(error: ParleyError): void {
    this.end = error;
    for (const outbox of this.byRoom.values()) outbox.close(error);
  }
}
