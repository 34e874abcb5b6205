import type { Change, ErrorBody, Reply, RoomChanges, RoomSnapshot, RoomSynced } from '../../src/protocol/index.js';
import { Backoff, type BackoffPolicy } from '../backoff.js';
import type { RoomModel } from './room-state.js';

export interface FollowerHost {
  /** `room:sync`, asked until it is answered for good; without `after` for a snapshot. */
  sync(roomId: string, after: number | undefined): Promise<Reply<RoomSynced> | 'gone'>;
  pause(ms: number): Promise<void>;
  /** A snapshot came: makes the model, or resets it. Undefined when it says that I am no member. */
  settle(snapshot: RoomSnapshot, model: RoomModel | undefined): RoomModel | undefined;
  /** A change was applied. */
  changed(roomId: string, change: Change): void;
  /** The server says that the room is not mine to follow. */
  refused(roomId: string, error: ErrorBody): void;
}

/** Most changes that are held while a sync is under way; what goes beyond is fetched afterwards. */
const heldLimit = 1_000;

const finalCodes = new Set<ErrorBody['code']>(['not_member', 'not_found', 'forbidden', 'banned']);

/**
 * Applies the changes of one room exactly once and in `rev` order, whatever frames are missing, doubled or early: a
 * frame that starts beyond the cursor is held, and what lies between is asked for.
 */
export class RoomFollower {
  model: RoomModel | undefined;
  private readonly backoff: Backoff;
  private held: RoomChanges[] = [];
  private heldChanges = 0;
  /** The highest rev that a frame announced. */
  private announced = 0;
  /** Rises whenever what is under way no longer counts. */
  private turn = 0;

  /** While it is `busy`, frames are held. A new follower waits for the reply of `rooms:sync`, or for `pull`. */
  constructor(
    private readonly roomId: string,
    private readonly host: FollowerHost,
    policy: BackoffPolicy,
    private busy: boolean,
  ) {
    this.backoff = new Backoff(policy);
  }

  receive(frame: RoomChanges): void {
    this.announced = Math.max(this.announced, frame.upTo);
    if (!this.busy && this.model && frame.after <= this.model.cursor) {
      this.apply(frame);
      return;
    }
    this.hold(frame);
    if (!this.busy) void this.pull();
  }

  /** A new connection: what the old one said and did not finish is void, and `rooms:sync` tells it anew. */
  restart(): void {
    this.stop();
    this.busy = true;
    this.held = [];
    this.heldChanges = 0;
    this.announced = 0;
  }

  /** Nothing that is under way has any effect from now on. */
  stop(): void {
    this.turn += 1;
  }

  /** Takes a reply of `rooms:sync`; without one (the room was not in it, or is not to be trusted) asks for the room. */
  resume(synced: RoomSynced | undefined): void {
    const { turn } = this;
    const more = synced === undefined || this.take(synced);
    if (turn !== this.turn) return;
    this.drain();
    if (turn !== this.turn) return;
    if (more || this.isBehind) void this.pull();
    else this.busy = false;
  }

  /** Fetches until nothing is missing. */
  async pull(): Promise<void> {
    const turn = ++this.turn;
    const stopped = () => turn !== this.turn;
    this.busy = true;
    for (;;) {
      const before = this.model?.cursor;
      const reply = await this.host.sync(this.roomId, before);
      if (stopped() || reply === 'gone') return;
      let more = true;
      if (reply.ok) {
        more = this.take(reply.data);
        if (!stopped()) this.drain();
      } else if (finalCodes.has(reply.error.code)) {
        this.host.refused(this.roomId, reply.error);
      }
      if (stopped()) return;
      if (!more && !this.isBehind) break;
      if (this.model?.cursor === before) await this.host.pause(this.backoff.next());
      else this.backoff.reset();
      if (stopped()) return;
    }
    this.backoff.reset();
    this.busy = false;
  }

  private get isBehind(): boolean {
    return !this.model || this.held.length > 0 || this.announced > this.model.cursor;
  }

  /** Returns whether there is more to ask for. */
  private take(synced: RoomSynced): boolean {
    if (!synced.reset) {
      if (this.model && synced.after <= this.model.cursor) this.apply(synced);
      return synced.more;
    }
    const { turn } = this;
    const model = this.host.settle(synced, this.model);
    if (turn === this.turn) this.model = model;
    return false;
  }

  private apply({ upTo, changes }: Pick<RoomChanges, 'upTo' | 'changes'>): void {
    const { model, turn } = this;
    if (!model) return;
    for (const change of changes) {
      if (change.rev <= model.cursor) continue;
      model.apply(change);
      this.host.changed(this.roomId, change);
      if (turn !== this.turn) return;
    }
    model.advance(upTo);
  }

  private hold(frame: RoomChanges): void {
    if (this.heldChanges + frame.changes.length > heldLimit) return;
    this.held.push(frame);
    this.heldChanges += frame.changes.length;
  }

  /** Applies what is held as far as it follows on; the rest stays held. */
  private drain(): void {
    const { model, turn } = this;
    if (!model) return;
    const frames = this.held.sort((a, b) => a.after - b.after);
    this.held = [];
    this.heldChanges = 0;
    for (const frame of frames) {
      if (frame.after > model.cursor) this.hold(frame);
      else this.apply(frame);
      if (turn !== this.turn) return;
    }
  }
}
