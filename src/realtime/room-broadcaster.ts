import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import type { Change, RoomChanges, UserSignal } from '../protocol/index.js';
import { ChangeLog, type Standing } from './change-log.js';
import type { ChatServer, ChatSocket } from './chat-socket.js';
import { FrameWriter } from './frame-writer.js';
import { RedisBus } from './redis-bus.js';
import { isUserChannel, roomChannel, roomIdOf, userChannel } from './room-names.js';
import { Sequencer } from './sequencer.js';
import { Veils } from './veils.js';

/** How often delivered and committed revs are compared, in ms: as a matter of course, and while Redis is not to be relied on. */
const RECONCILE_EVERY = 5_000;
const RECONCILE_DEGRADED = 1_000;
/** From the first device that begins to be heard of until new members are looked for, in ms: one look for all. */
const JOINS_PAUSE = 250;

/**
 * The only code that emits to a room. What is published here was committed before; it reaches every socket of the room,
 * on every instance, once and in `rev` order. Redis only makes it fast: an instance that misses a publish finds the change
 * in Postgres.
 */
@Injectable()
export class RoomBroadcaster implements OnApplicationShutdown {
  private readonly logger = new Logger(RoomBroadcaster.name);
  private readonly sequencer: Sequencer;
  private readonly veils = new Veils((socketId, userId) => this.local(userChannel(userId)).has(socketId));
  /** Users with a socket that is about to join rooms, and the rooms they were seen to leave meanwhile, with the rev. */
  private readonly arriving = new Map<string, { count: number; departed: Map<string, number> }>();
  private server: ChatServer | undefined;
  private timer: NodeJS.Timeout | undefined;
  private joinsTimer: NodeJS.Timeout | undefined;
  private stopped = false;
  /** Up to when the database was looked at for new members; see `ChangeLog.joins`. */
  private lookedAt: string | undefined;

  constructor(
    private readonly log: ChangeLog,
    private readonly bus: RedisBus,
    private readonly writer: FrameWriter,
  ) {
    this.sequencer = new Sequencer(
      log,
      (frame) => this.deliver(frame),
      (roomId) => this.local(roomChannel(roomId)).size > 0,
      () => this.bus.complete || !this.bus.enabled,
    );
    // Back: what was missed is fetched at once. Gone: what others do is looked for from now on.
    this.bus.onTurn(() => this.plan(0));
  }

  /** Called once, by the adapter, before the first connection. */
  attach(server: ChatServer): void {
    this.server = server;
    server.of('/').adapter.on('delete-room', (channel: string) => {
      const roomId = roomIdOf(channel);
      if (roomId !== undefined) this.sequencer.forgetIfEmpty(roomId);
    });
    server.of('/').adapter.on('leave-room', (channel: string, socketId: string) => this.veils.lift(channel, socketId));
    // Of the sharded adapter.
    server.of('/').adapter.on('room-heard', (channel: string) => this.heard(channel));
    // From the bus, where anything can come.
    server.on('changes', (frames: unknown) => this.receive(Array.isArray(frames) ? frames.filter(isFrame) : []));
    this.plan(RECONCILE_EVERY);
  }

  /** Tells everyone of what was just committed. Never waits and never fails. */
  publish(frames: RoomChanges[]): void {
    this.receive(frames);
    if (this.bus.enabled) this.server?.serverSideEmit('changes', frames);
  }

  /** To the user's own devices, on every instance. May be lost. */
  signalUser(userId: string, signal: UserSignal): void {
    this.server?.to(userChannel(userId)).volatile.emit('user:signal', signal);
  }

  /**
   * Joins the caller's socket to rooms and tells each room's place: the caller reads up to it, the socket is sent what comes
   * after. Without a socket (REST) the places are the newest committed revs. Rooms that the caller is no member of are left out.
   * @param roomIds all of the caller's rooms when undefined
   */
  async enter(caller: Caller, roomIds?: readonly string[]): Promise<Map<string, Entry>> {
    const { sessionId } = caller;
    if (sessionId === undefined) return entriesOf(await this.log.standings(caller.id, roomIds));
    return this.enterAs(caller.id, roomIds, () => [sessionId]);
  }

  /** Joins every socket that the user has on this instance to the room, before the promise resolves. */
  async admit(userId: string, roomId: string): Promise<void> {
    await this.enterAs(userId, [roomId], () => this.local(userChannel(userId)));
  }

  /** For the handshake: whatever becomes of the user's memberships from now on reaches this socket too. */
  async enterOwnRooms(socket: ChatSocket): Promise<void> {
    const { id } = socket.data.caller;
    await socket.join(userChannel(id));
    await this.enterAs(id, undefined, () => [socket.id]);
  }

  get load(): { rooms: number; held: number } {
    return this.sequencer.load;
  }

  /** Not before the sockets are gone: who is still leaving is told everything in its order until then. */
  onApplicationShutdown(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    clearTimeout(this.joinsTimer);
    this.sequencer.close();
  }

  /** What was published on the channel before this is only in the database. */
  private heard(channel: string): void {
    const roomId = roomIdOf(channel);
    if (roomId !== undefined) this.sequencer.lookAgain(roomId);
    else if (isUserChannel(channel)) this.joinsTimer ??= setTimeout(() => void this.lookForJoins(), JOINS_PAUSE);
  }

  private async lookForJoins(): Promise<void> {
    this.joinsTimer = undefined; // what begins to be heard of while this looks needs a look of its own
    try {
      await this.admitWhoJoinedElsewhere();
    } catch (error) {
      this.logger.warn(`Looking for new members failed: ${String(error)}`);
    }
  }

  private receive(frames: RoomChanges[]): void {
    for (const frame of frames) {
      this.sequencer.offer(frame);
      for (const change of frame.changes) this.admitIfNew(frame.roomId, change);
    }
  }

  /** In parts, each up to a leaving: what was read from Postgres can go on past it, and that is not for who left. */
  private deliver(frame: RoomChanges): void {
    const { roomId, upTo, changes } = frame;
    let { after } = frame;
    let from = 0;
    for (const [i, change] of changes.entries()) {
      const isLeaving = change.kind === 'member' && change.member.leftAt !== null;
      if (!isLeaving || i === changes.length - 1) continue;
      this.emit({ roomId, after, upTo: change.rev, changes: changes.slice(from, i + 1) });
      after = change.rev;
      from = i + 1;
    }
    this.emit(from === 0 ? frame : { roomId, after, upTo, changes: changes.slice(from) });
  }

  private emit(frame: RoomChanges): void {
    const channel = roomChannel(frame.roomId);
    const forSocket = this.veils.over(channel, frame);
    if (this.server === undefined) return;
    if (forSocket === undefined) this.writer.emit(this.server, channel, 'room:changes', frame);
    else this.writer.emitEach(this.server, channel, 'room:changes', forSocket);
    for (const change of frame.changes) this.dismissIfGone(frame.roomId, change);
  }

  /** The devices of someone who became a member, wherever they are connected, learn of the room. */
  private admitIfNew(roomId: string, change: Change): void {
    if (change.kind !== 'member' || change.member.leftAt !== null) return;
    this.admitDevices(change.member.user.id, roomId);
  }

  private admitDevices(userId: string, roomId: string): void {
    if (this.local(userChannel(userId)).size === 0) return;
    this.admit(userId, roomId)
      .then(() =>
        this.server?.local.to(userChannel(userId)).volatile.emit('user:signal', { kind: 'roomAdded', roomId }),
      )
      .catch((error: unknown) => this.logger.warn(`Joining user ${userId} to room ${roomId} failed: ${String(error)}`));
  }

  /** Runs in the room's own order, so the last thing that a leaving member is sent is that he left. */
  private dismissIfGone(roomId: string, change: Change): void {
    if (change.kind !== 'member' || change.member.leftAt === null) return;
    const userId = change.member.user.id;
    this.arriving.get(userId)?.departed.set(roomId, change.rev);
    const channel = userChannel(userId);
    if (this.local(channel).size === 0) return;
    this.server?.local.to(channel).volatile.emit('user:signal', { kind: 'roomRemoved', roomId });
    this.server?.local.in(channel).socketsLeave(roomChannel(roomId));
  }

  /**
   * A socket joins a room at a place where its user was a member: it then gets all that follows, his leaving included.
   * Only a leaving that is delivered between the look at the membership and the joining could be missed; it is noted.
   */
  private async enterAs(
    userId: string,
    roomIds: readonly string[] | undefined,
    sockets: () => Iterable<string>,
  ): Promise<Map<string, Entry>> {
    const arrival = this.arriving.get(userId) ?? { count: 0, departed: new Map<string, number>() };
    arrival.count += 1;
    this.arriving.set(userId, arrival);
    try {
      const standings = await this.log.standings(userId, roomIds);
      const places = await this.sequencer.enter(headsOf(standings), () => {
        for (const [roomId, rev] of arrival.departed)
          if (rev > (standings.get(roomId)?.memberRev ?? 0)) standings.delete(roomId);
        const channels = new Set([...standings.keys()].map(roomChannel));
        // By the adapter, because a socket may still be in its handshake. One that is gone by now would stay for ever.
        const adapter = this.server?.of('/').adapter;
        for (const id of sockets()) {
          if (adapter?.sids.has(id) !== true) continue;
          void adapter.addAll(id, channels);
          for (const [roomId, { visibleAfter }] of standings) this.veils.put(roomChannel(roomId), id, visibleAfter);
        }
      });
      return entriesOf(standings, places);
    } finally {
      arrival.count -= 1;
      if (arrival.count === 0) this.arriving.delete(userId);
    }
  }

  private local(channel: string): ReadonlySet<string> {
    return this.server?.of('/').adapter.rooms.get(channel) ?? new Set();
  }

  /** The next comparison with the database, in `pause` ms; takes the place of the one that was planned. */
  private plan(pause: number): void {
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => void this.reconcile(), pause);
  }

  private async reconcile(): Promise<void> {
    try {
      await this.sequencer.reconcile();
      if (this.bus.enabled) await this.admitWhoJoinedElsewhere();
    } catch (error) {
      this.logger.warn(`Comparing with the database failed: ${String(error)}`);
    }
    this.plan(this.bus.enabled && !this.bus.complete ? RECONCILE_DEGRADED : RECONCILE_EVERY);
  }

  /** A member change that the bus lost has told nobody's other devices, where no one else has the room open. */
  private async admitWhoJoinedElsewhere(): Promise<void> {
    const { joined, lookedAt } = await this.log.joins(this.lookedAt);
    this.lookedAt = lookedAt;
    for (const { userId, roomId } of joined) {
      const inRoom = this.local(roomChannel(roomId));
      const devices = this.local(userChannel(userId));
      if ([...devices].some((id) => !inRoom.has(id))) this.admitDevices(userId, roomId);
    }
  }
}

/** Where a member enters a room. */
export interface Entry extends Standing {
  /** The rev up to which he reads: what comes after it is sent to his socket. */
  place: number;
}

/** @param places where they are other than the heads */
function entriesOf(standings: ReadonlyMap<string, Standing>, places?: ReadonlyMap<string, number>): Map<string, Entry> {
  return new Map(
    [...standings].map(([roomId, standing]) => [roomId, { ...standing, place: places?.get(roomId) ?? standing.head }]),
  );
}

/** Whether this has the shape of a frame, as far as delivering it depends on it. */
function isFrame(value: unknown): value is RoomChanges {
  const { roomId, after, upTo, changes } = (value ?? {}) as Partial<Record<keyof RoomChanges, unknown>>;
  const isNumbered = Number.isSafeInteger(after) && Number.isSafeInteger(upTo);
  return typeof roomId === 'string' && isNumbered && Array.isArray(changes) && changes.every(isChange);
}

function isChange(value: unknown): value is Change {
  const { rev, kind, member, message } = (value ?? {}) as {
    rev?: unknown;
    kind?: unknown;
    member?: { user?: { id?: unknown } | null } | null;
    message?: { seq?: unknown } | null;
  };
  if (!Number.isSafeInteger(rev)) return false;
  return kind === 'member'
    ? typeof member?.user?.id === 'string'
    : kind !== 'message' || Number.isSafeInteger(message?.seq);
}

function headsOf(standings: ReadonlyMap<string, Standing>): Map<string, number> {
  return new Map([...standings].map(([roomId, { head }]) => [roomId, head]));
}
