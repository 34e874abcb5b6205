import type {
  Change,
  ErrorBody,
  Reply,
  RoomChanges,
  RoomSnapshot,
  RoomSignal,
  RoomsSynced,
  RoomSynced,
  UserSignal,
} from '../../src/protocol/index.js';
import type { BackoffPolicy } from '../backoff.js';
import type { Outgoing } from '../outbox/outgoing.js';
import { ParleyError } from '../parley-error.js';
import { RoomFollower, type FollowerHost } from './room-follower.js';
import { RoomModel, type RoomState } from './room-state.js';
import { Typing } from './typing.js';

/** Where the directory asks. 'gone': the connection ended, and with the next one `catchUp` begins anew. */
export interface SyncSource {
  syncRooms(epoch: string | undefined, cursors: Record<string, number>): Promise<Reply<RoomsSynced> | 'gone'>;
  syncRoom(roomId: string, epoch: string | undefined, after: number | undefined): Promise<Reply<RoomSynced> | 'gone'>;
  pause(ms: number): Promise<void>;
}

export interface DirectoryListener {
  rooms(): void;
  /** The room's state was replaced, or is there for the first time. */
  snapshot(room: RoomModel, isNew: boolean): void;
  change(room: RoomModel, change: Change): void;
  /** My marker in the room moved, or that of others. */
  read(roomId: string): void;
  /** Others begin or end to type. */
  typing(roomId: string): void;
  /** The room is no longer mine. */
  dropped(roomId: string): void;
}

interface Opening {
  resolve(room: RoomState): void;
  reject(error: ParleyError): void;
}

/** The rooms that I am a member of, each followed change by change. */
export class RoomDirectory implements FollowerHost {
  readonly rooms = new Map<string, RoomModel>();
  readonly typing: Typing;
  private readonly followers = new Map<string, RoomFollower>();
  private readonly openings = new Map<string, Opening[]>();
  private epoch: string | undefined;
  private catchingUp = false;
  /** Rooms that were taken from me while `rooms:sync` was under way: its reply may be from before. */
  private readonly doubtful = new Set<string>();

  constructor(
    private readonly source: SyncSource,
    private readonly listener: DirectoryListener,
    private readonly policy: BackoffPolicy,
    private readonly window: number,
    private readonly outgoing: (roomId: string) => readonly Outgoing[],
  ) {
    this.typing = new Typing((roomId) => listener.typing(roomId));
  }

  /** Brings every room up to date over a new connection. Until then frames are held. */
  async catchUp(): Promise<'done' | 'gone' | ErrorBody> {
    this.catchingUp = true;
    this.doubtful.clear();
    for (const follower of this.followers.values()) follower.restart();
    const cursors = Object.fromEntries([...this.rooms].map(([roomId, { cursor }]) => [roomId, cursor]));
    const reply = await this.source.syncRooms(this.epoch, cursors);
    if (reply === 'gone') return reply;
    if (!reply.ok) return reply.error;
    this.epoch = reply.data.epoch;
    this.takeAll(reply.data.rooms);
    return 'done';
  }

  receive(frame: RoomChanges): void {
    this.follow(frame.roomId).receive(frame);
  }

  signal(signal: UserSignal): void {
    const { kind, roomId } = signal;
    if (kind === 'unread') {
      if (this.rooms.get(roomId)?.reading.tell(signal)) this.listener.read(roomId);
    } else if (kind === 'roomAdded') {
      if (!this.followers.has(roomId)) this.fetch(roomId);
    } else {
      if (this.catchingUp) this.doubtful.add(roomId);
      this.drop(roomId);
    }
  }

  roomSignal(signal: RoomSignal): void {
    const room = this.rooms.get(signal.roomId);
    if (!room) return;
    if (signal.kind === 'typing') this.typing.tell(signal.roomId, signal.users);
    else if (signal.kind === 'read' && room.putReads(signal.reads)) this.listener.read(signal.roomId);
  }

  /** The room as soon as it is here; rejects when it is not mine. */
  open(roomId: string): Promise<RoomState> {
    const room = this.rooms.get(roomId);
    if (room) return Promise.resolve(room);
    return new Promise((resolve, reject) => {
      this.openings.set(roomId, [...(this.openings.get(roomId) ?? []), { resolve, reject }]);
      if (!this.followers.has(roomId)) this.fetch(roomId);
    });
  }

  drop(roomId: string): void {
    this.followers.get(roomId)?.stop();
    this.followers.delete(roomId);
    if (!this.rooms.delete(roomId)) return;
    this.listener.dropped(roomId);
    if (!this.catchingUp) this.listener.rooms();
  }

  /** Nothing is followed any more; what the rooms hold stays readable. */
  close(error: ParleyError): void {
    for (const follower of this.followers.values()) follower.stop();
    for (const roomId of this.openings.keys()) this.rejectOpenings(roomId, error);
  }

  // What the followers ask for:

  sync(roomId: string, after: number | undefined): Promise<Reply<RoomSynced> | 'gone'> {
    return this.source.syncRoom(roomId, this.epoch, after).then((reply) => {
      if (reply !== 'gone' && reply.ok && !reply.data.reset) this.tellRead(reply.data);
      return reply;
    });
  }

  pause(ms: number): Promise<void> {
    return this.source.pause(ms);
  }

  settle(snapshot: RoomSnapshot, known: RoomModel | undefined): RoomModel | undefined {
    const { roomId } = snapshot;
    if (snapshot.member.leftAt !== null) {
      this.drop(roomId);
      return undefined;
    }
    if (known) {
      known.reset(snapshot);
      this.listener.snapshot(known, false);
      return known;
    }
    const room = new RoomModel(snapshot, this.outgoing(roomId), this.window, () => this.typing.in(roomId));
    this.rooms.set(roomId, room);
    this.listener.snapshot(room, true);
    if (!this.catchingUp) this.listener.rooms();
    for (const opening of this.openings.get(roomId) ?? []) opening.resolve(room);
    this.openings.delete(roomId);
    return room;
  }

  changed(roomId: string, change: Change): void {
    const room = this.rooms.get(roomId);
    if (!room) return;
    this.listener.change(room, change);
    if (room.member.leftAt !== null) this.drop(roomId);
  }

  refused(roomId: string, error: ErrorBody): void {
    this.drop(roomId);
    this.rejectOpenings(roomId, new ParleyError(error));
  }

  private takeAll(synced: RoomSynced[]): void {
    const before = new Set(this.rooms.keys());
    const mine = new Map(synced.map((room) => [room.roomId, room]));
    for (const roomId of before) if (!mine.has(roomId)) this.drop(roomId);
    for (const room of mine.values()) {
      this.follow(room.roomId);
      if (!room.reset) this.tellRead(room);
    }
    for (const [roomId, follower] of [...this.followers]) {
      follower.resume(this.doubtful.has(roomId) ? undefined : mine.get(roomId));
    }
    this.catchingUp = false;
    const same = this.rooms.size === before.size && [...before].every((roomId) => this.rooms.has(roomId));
    if (!same) this.listener.rooms();
  }

  private tellRead({ roomId, read }: RoomSynced): void {
    if (this.rooms.get(roomId)?.reading.tell(read)) this.listener.read(roomId);
  }

  private follow(roomId: string): RoomFollower {
    let follower = this.followers.get(roomId);
    if (!follower) {
      follower = new RoomFollower(roomId, this, this.policy, this.catchingUp);
      this.followers.set(roomId, follower);
    }
    return follower;
  }

  private fetch(roomId: string): void {
    const follower = this.follow(roomId);
    if (!this.catchingUp) void follower.pull();
  }

  private rejectOpenings(roomId: string, error: ParleyError): void {
    for (const opening of this.openings.get(roomId) ?? []) opening.reject(error);
    this.openings.delete(roomId);
  }
}
