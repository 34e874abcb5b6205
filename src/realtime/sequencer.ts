import { Logger } from '@nestjs/common';
import type { RoomChanges } from '../protocol/index.js';
import type { ChangeLog, ChangeSlice } from './change-log.js';

/** How long a frame that came early waits for the ones before it, while they can be expected to come, in ms; then they are read from Postgres. */
const GAP_PATIENCE = 50;
/** After a failed read, in ms. */
const RETRY_PAUSE = 500;
/** Changes that may wait in one room; past that they are dropped and read from Postgres when their turn comes. */
const HELD_CHANGES = 1_000;
/** Changes read at a time. */
const READ_PAGE = 500;
/** Rooms that are read in one query, at most. */
const ROOMS_TOGETHER = 50;

interface RoomState {
  /** The rev of the last change that the local sockets were given. */
  delivered: number;
  /** Frames that came early, by the rev they follow. */
  held: Map<number, RoomChanges>;
  heldChanges: number;
  /** The newest rev known to be committed: of a frame that came or of a head that was read. */
  known: number;
  /** Calls of `enter` that wait for this room. */
  entering: number;
  reading: Promise<void> | undefined;
  timer: NodeJS.Timeout | undefined;
}

/** What is to be read of a room, and the frames that were held when the read began. */
interface Gap {
  after: number;
  upTo: number;
  early: readonly RoomChanges[];
}

/**
 * Gives each room's changes to the sockets of this instance once and in `rev` order, whatever order they reach the
 * instance in, and whether they reach it at all: what is missing is read from Postgres.
 *
 * A room has a state here while it has sockets on this instance, or while one is entering; what it holds is bounded.
 */
export class Sequencer {
  private readonly logger = new Logger(Sequencer.name);
  private readonly rooms = new Map<string, RoomState>();
  /** Rooms whose state is new. */
  private readonly opened = new Set<string>();
  private recheckTimer: NodeJS.Timeout | undefined;
  private closed = false;

  /**
   * @param deliver gives a frame to the local sockets of its room; must not throw
   * @param hasSockets whether the room has sockets on this instance
   * @param expectsOthers whether what other instances publish can be expected to arrive
   */
  constructor(
    private readonly log: ChangeLog,
    private readonly deliver: (frame: RoomChanges) => void,
    private readonly hasSockets: (roomId: string) => boolean,
    private readonly expectsOthers: () => boolean = () => true,
  ) {}

  /**
   * Lets a socket into rooms without a hole or a repeat between what it reads and what it is sent.
   *
   * `join` is called at once when every room has reached its head; the answer tells each room's place then: changes up to
   * it were delivered before and are for the caller to read, later ones reach the socket.
   * @param heads for each room a rev known to be committed
   * @throws what the database says
   */
  async enter(heads: ReadonlyMap<string, number>, join: () => void): Promise<Map<string, number>> {
    const states = new Map<string, RoomState>();
    for (const [roomId, head] of heads) states.set(roomId, this.open(roomId, head));
    try {
      await Promise.all([...states].map(([roomId, state]) => this.closeGap(roomId, state)));
      join();
      return new Map([...states].map(([roomId, { delivered }]) => [roomId, delivered]));
    } finally {
      for (const [roomId, state] of states) {
        state.entering -= 1;
        this.forgetIfEmpty(roomId);
      }
    }
  }

  /** Takes a frame that was committed, from this instance or another. */
  offer(frame: RoomChanges): void {
    const state = this.rooms.get(frame.roomId);
    if (state === undefined) return;
    state.known = Math.max(state.known, frame.upTo);
    if (frame.after > state.delivered) {
      this.hold(state, frame);
      this.closeGapSoon(frame.roomId, state, this.expectsOthers() ? GAP_PATIENCE : 0);
      return;
    }
    this.advance(state, frame);
    this.drain(state);
  }

  /**
   * Compares what was delivered with what is committed, for every room at once, and delivers what is missing.
   * @throws what the database says
   */
  async reconcile(): Promise<void> {
    await this.compare(this.rooms.keys());
  }

  /** What other instances published of the room until now may have been missed: compares it once, soon, together with others. */
  lookAgain(roomId: string): void {
    if (this.rooms.has(roomId) && !this.closed) this.recheckSoon(roomId);
  }

  /** Called when the last local socket of a room is gone. */
  forgetIfEmpty(roomId: string): void {
    const state = this.rooms.get(roomId);
    if (state === undefined || state.entering > 0 || this.hasSockets(roomId)) return;
    clearTimeout(state.timer);
    this.rooms.delete(roomId);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.recheckTimer);
    for (const { timer } of this.rooms.values()) clearTimeout(timer);
    this.rooms.clear();
  }

  /** Rooms with a state here, and changes that wait in them. */
  get load(): { rooms: number; held: number } {
    let held = 0;
    for (const { heldChanges } of this.rooms.values()) held += heldChanges;
    return { rooms: this.rooms.size, held };
  }

  /** The room's state, entered; begun at `head` where it is new. */
  private open(roomId: string, head: number): RoomState {
    let state = this.rooms.get(roomId);
    if (state === undefined) {
      state = {
        delivered: head,
        held: new Map(),
        heldChanges: 0,
        known: head,
        entering: 0,
        reading: undefined,
        timer: undefined,
      };
      this.rooms.set(roomId, state);
      this.recheckSoon(roomId);
    }
    state.known = Math.max(state.known, head);
    state.entering += 1;
    return state;
  }

  /** A frame that came between the reading of a new room's head and the making of its state was let go: look once more. */
  private recheckSoon(roomId: string): void {
    this.opened.add(roomId);
    this.recheckTimer ??= setTimeout(() => {
      this.recheckTimer = undefined;
      const opened = [...this.opened];
      this.opened.clear();
      // Failing is harmless: the next comparison of all rooms finds the same.
      this.compare(opened).catch((error: unknown) =>
        this.logger.warn(`Looking again at new rooms failed: ${String(error)}`),
      );
    }, GAP_PATIENCE);
  }

  private async compare(roomIds: Iterable<string>): Promise<void> {
    const revs = new Map<string, number>();
    for (const roomId of roomIds) {
      const state = this.rooms.get(roomId);
      if (state !== undefined) revs.set(roomId, state.delivered);
    }
    if (revs.size === 0) return;
    const behind: [string, RoomState][] = [];
    for (const [roomId, head] of await this.log.ahead(revs)) {
      const state = this.rooms.get(roomId);
      if (state === undefined) continue;
      state.known = Math.max(state.known, head);
      behind.push([roomId, state]);
    }
    for (let i = 0; i < behind.length; i += ROOMS_TOGETHER)
      await this.readTogether(behind.slice(i, i + ROOMS_TOGETHER));
  }

  /** What is missing in several rooms, in one read: one each would stand in the way of everybody else's queries. */
  private async readTogether(behind: readonly [string, RoomState][]): Promise<void> {
    const begun = behind
      .filter(([, state]) => state.reading === undefined && state.delivered < state.known)
      .map(([roomId, state]) => ({ roomId, state, ...this.gapOf(state) }));
    if (begun.length === 0) return;
    const ranges = begun.map(({ roomId, after, upTo }) => ({ roomId, after, upTo }));
    const read = this.log.readMany(ranges, READ_PAGE);
    const readings = begun.map(async (gap, i) => {
      const { roomId, state } = gap;
      state.reading = read
        .then((slices) => this.fill(roomId, state, gap, slices[i]))
        .then(() => this.readOn(roomId, state))
        .finally(() => (state.reading = undefined));
      try {
        await state.reading;
      } catch (error) {
        if (this.rooms.get(roomId) === state) this.closeGapSoon(roomId, state, RETRY_PAUSE);
        throw error;
      }
    });
    await Promise.all(readings);
  }

  private hold(state: RoomState, frame: RoomChanges): void {
    const waiting = state.held.get(frame.after);
    if (waiting !== undefined && waiting.upTo >= frame.upTo) return;
    if (state.heldChanges + frame.changes.length > HELD_CHANGES) return; // `known` remembers that it exists
    state.held.set(frame.after, frame);
    state.heldChanges += frame.changes.length - (waiting?.changes.length ?? 0);
  }

  /** Delivers of a frame that does not lie ahead what was not delivered yet. */
  private advance(state: RoomState, frame: RoomChanges): void {
    const { delivered } = state;
    if (frame.upTo <= delivered) return;
    state.delivered = frame.upTo;
    if (frame.after === delivered) this.deliver(frame);
    else this.deliver({ ...frame, after: delivered, changes: frame.changes.filter(({ rev }) => rev > delivered) });
  }

  /**
   * What was held before a read that found nothing more names revs that nobody committed: it is forged, or of a database that was
   * put back, and must not be delivered when those revs come to be.
   */
  private forgetUncommitted(state: RoomState, early: readonly RoomChanges[]): void {
    for (const frame of early) {
      if (state.held.get(frame.after) !== frame) continue;
      state.held.delete(frame.after);
      state.heldChanges -= frame.changes.length;
    }
    state.known = Math.max(state.delivered, ...[...state.held.values()].map(({ upTo }) => upTo));
  }

  /** Delivers the held frames whose turn has come, and drops those that were overtaken. */
  private drain(state: RoomState): void {
    if (state.held.size === 0) return;
    for (const [after, frame] of [...state.held].sort(([a], [b]) => a - b)) {
      if (after > state.delivered) break;
      state.held.delete(after);
      state.heldChanges -= frame.changes.length;
      this.advance(state, frame);
    }
  }

  private closeGapSoon(roomId: string, state: RoomState, delay: number): void {
    if (state.timer !== undefined || state.reading !== undefined || this.closed) return;
    state.timer = setTimeout(() => {
      state.timer = undefined;
      this.closeGap(roomId, state).catch((error: unknown) => {
        this.logger.warn(`Reading what is missing in room ${roomId} failed: ${String(error)}`);
        if (this.rooms.get(roomId) === state) this.closeGapSoon(roomId, state, RETRY_PAUSE);
      });
    }, delay);
  }

  /** Reads and delivers up to the newest rev known. One read a room at a time. @throws what the database says */
  private closeGap(roomId: string, state: RoomState): Promise<void> {
    if (state.delivered >= state.known) return Promise.resolve();
    state.reading ??= this.readOn(roomId, state).finally(() => (state.reading = undefined));
    return state.reading;
  }

  private async readOn(roomId: string, state: RoomState): Promise<void> {
    while (!this.closed && state.delivered < state.known) {
      const gap = this.gapOf(state);
      this.fill(roomId, state, gap, await this.log.read({ roomId, after: gap.after, upTo: gap.upTo }, READ_PAGE));
    }
  }

  private gapOf(state: RoomState): Gap {
    return { after: state.delivered, upTo: state.known, early: [...state.held.values()] };
  }

  private fill(roomId: string, state: RoomState, { after, early }: Gap, slice: ChangeSlice | undefined): void {
    if (slice === undefined || this.closed) return;
    if (slice.upTo <= after) this.forgetUncommitted(state, early);
    this.advance(state, { roomId, after, upTo: slice.upTo, changes: slice.changes });
    this.drain(state);
  }
}
