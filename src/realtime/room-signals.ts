import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { limits, type OpenReports, type RoomSignal, type User } from '../protocol/index.js';
import type { ChatServer } from './chat-socket.js';
import { FrameWriter } from './frame-writer.js';
import { RedisBus } from './redis-bus.js';
import { roomChannel, userChannel } from './room-names.js';
import { isNote, type SignalNote } from './signal-note.js';

/** A room is sent what moved in it at most this often, in ms, and at once when it was quiet before. */
const ROOM_PAUSE = 1_000;
/** How often is looked for what is due, in ms; also how long what goes to other instances waits for company. */
const TICK = 100;
/** Who is typing and says nothing more is not, after this long, in ms. */
const TYPING_LASTS = 8_000;
/** Who is typing is said again after this long, in ms: a client may have missed it. */
const TYPING_SAID = 5_000;
/** Of what one tick brings, more is dropped: rooms, users of a room, and notes to other instances. */
const ROOMS = 10_000;
const USERS = 200;
const NOTES = 5_000;

interface Pending {
  reads: Map<string, number>;
  /** By user id, until when by `performance.now()`. */
  typing: Map<string, { user: User; until: number }>;
  typingChanged: boolean;
  typingSaidAt: number;
  nextAt: number;
}

/**
 * What is worth knowing in a room for a moment, and may be lost: it takes no rev and is stored nowhere. Everything that
 * happens in a room within a second is one frame of each kind, whoever did it and on whatever instance.
 */
@Injectable()
export class RoomSignals implements BeforeApplicationShutdown {
  private server: ChatServer | undefined;
  private readonly rooms = new Map<string, Pending>();
  private outbox: SignalNote[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly bus: RedisBus,
    private readonly writer: FrameWriter,
  ) {}

  /** Called once, by the adapter, before the first connection. */
  attach(server: ChatServer): void {
    this.server = server;
    // From the bus, where anything can come.
    server.on('signals', (notes: unknown) => {
      if (Array.isArray(notes)) for (const note of notes) if (isNote(note)) this.take(note);
    });
  }

  read(roomId: string, userId: string, readSeq: number): void {
    this.tell({ roomId, kind: 'read', userId, readSeq });
  }

  typing(roomId: string, user: User, on: boolean): void {
    this.tell({ roomId, kind: 'typing', user, on });
  }

  /** To the devices of these users who govern the room, on every instance. May be lost. */
  tellReports(userIds: readonly string[], reports: OpenReports): void {
    if (userIds.length > 0) this.server?.to(userIds.map(userChannel)).volatile.emit('reports:changed', reports);
  }

  /** Whether the caller's socket is in the room. */
  isIn({ sessionId }: Caller, roomId: string): boolean {
    const { adapter } = this.server?.of('/') ?? {};
    return sessionId !== undefined && adapter?.sids.get(sessionId)?.has(roomChannel(roomId)) === true;
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private tell(note: SignalNote): void {
    this.take(note);
    if (!this.bus.enabled || this.outbox.length >= NOTES) return;
    this.outbox.push(note);
    this.wake();
  }

  private take(note: SignalNote): void {
    const { roomId } = note;
    if (this.online(roomId) === 0) return;
    let room = this.rooms.get(roomId);
    if (room === undefined) {
      if (this.rooms.size >= ROOMS || (note.kind === 'typing' && !note.on)) return;
      room = { reads: new Map(), typing: new Map(), typingChanged: false, typingSaidAt: 0, nextAt: 0 };
      this.rooms.set(roomId, room);
    }
    if (note.kind === 'read') {
      if (room.reads.size < USERS)
        room.reads.set(note.userId, Math.max(note.readSeq, room.reads.get(note.userId) ?? 0));
    } else {
      noteTyping(room, note);
    }
    this.wake();
  }

  private wake(): void {
    this.timer ??= setInterval(() => this.tick(), TICK);
  }

  private tick(): void {
    if (this.outbox.length > 0) {
      this.server?.serverSideEmit('signals', this.outbox);
      this.outbox = [];
    }
    const now = performance.now();
    for (const [roomId, room] of this.rooms) this.flush(roomId, room, now);
    if (this.rooms.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private flush(roomId: string, room: Pending, now: number): void {
    for (const [userId, { until }] of room.typing) {
      if (until > now) continue;
      room.typing.delete(userId);
      room.typingChanged = true;
    }
    if (now < room.nextAt) return;
    const { reads, typing } = room;
    if (typing.size > 0 && now - room.typingSaidAt > TYPING_SAID) room.typingChanged = true;
    if (reads.size === 0 && !room.typingChanged) {
      if (typing.size === 0) this.rooms.delete(roomId);
      return;
    }
    room.nextAt = now + ROOM_PAUSE;
    if (reads.size > 0) {
      room.reads = new Map();
      this.emit({ roomId, kind: 'read', reads: [...reads].map(([userId, readSeq]) => ({ userId, readSeq })) });
    }
    if (room.typingChanged) {
      room.typingChanged = false;
      room.typingSaidAt = now;
      if (this.online(roomId) <= limits.typingOnline)
        this.emit({ roomId, kind: 'typing', users: [...typing.values()].map(({ user }) => user) });
    }
  }

  private emit(signal: RoomSignal): void {
    if (this.server !== undefined) this.writer.signal(this.server, roomChannel(signal.roomId), 'room:signal', signal);
  }

  /** The sockets of this instance that are in the room. */
  private online(roomId: string): number {
    return this.server?.of('/').adapter.rooms.get(roomChannel(roomId))?.size ?? 0;
  }
}

function noteTyping(room: Pending, { user, on }: SignalNote & { kind: 'typing' }): void {
  if (!on) {
    room.typingChanged = room.typing.delete(user.id) || room.typingChanged;
    return;
  }
  if (!room.typing.has(user.id)) {
    if (room.typing.size >= USERS) return;
    room.typingChanged = true;
  }
  room.typing.set(user.id, { user, until: performance.now() + TYPING_LASTS });
}
