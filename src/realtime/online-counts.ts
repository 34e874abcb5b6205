import { randomUUID } from 'node:crypto';
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { ChatError } from '../chat-error.js';
import { limits } from '../protocol/index.js';
import type { ChatServer } from './chat-socket.js';
import { isCountNews, type CountNews } from './count-news.js';
import { countOf, sampleOf } from './distinct-count.js';
import { PresenceBoard } from './presence-board.js';
import { RedisBus } from './redis-bus.js';
import { roomChannel } from './room-names.js';

/** How often watchers are told, and how often others are asked, in ms. */
const TICK = 1_000;
const LOOK_EVERY = 5_000;
/** How long what another instance said is believed, in ms: it may miss two questions. */
const LEASE = 15_000;
/** Rooms in one question to other instances, and in one answer, which has up to ten kilobytes for each. */
const ROOMS_AT_ONCE = 1_000;
const ROOMS_ANSWERED = 50;
/** Other instances that are listened to. */
const INSTANCES = 1_000;

interface Watched {
  sockets: Set<string>;
  /** Who is online at this instance, and at others as far as they said. */
  here: ReadonlySet<string>;
  elsewhere: Map<string, { sample: readonly number[]; until: number }>;
  /** Something came or went since it was counted. */
  stale: boolean;
  told: number;
  lookAt: number;
}

/**
 * How many members are online in a room that is too large to watch each of them. Counted only where somebody watches, by each
 * instance for itself: others are asked every five seconds, and who answers no more is forgotten. A user counts once, at however
 * many instances he is.
 */
@Injectable()
export class OnlineCounts implements BeforeApplicationShutdown {
  private readonly instance = randomUUID();
  private readonly rooms = new Map<string, Watched>();
  private readonly watching = new Map<string, Set<string>>();
  /** By others, until the next tick: asked by ten instances, it is answered once. */
  private readonly asked = new Set<string>();
  private readonly timer = setInterval(() => this.tick(), TICK);
  private server: ChatServer | undefined;

  constructor(
    private readonly bus: RedisBus,
    private readonly board: PresenceBoard,
  ) {
    this.timer.unref();
  }

  /** Called once, by the adapter, before the first connection. */
  attach(server: ChatServer): void {
    this.server = server;
    // From the bus, where anything can come.
    server.on('countsAsked', (roomIds: unknown) => {
      if (Array.isArray(roomIds) && roomIds.length <= ROOMS_AT_ONCE)
        for (const id of roomIds) if (typeof id === 'string' && this.sockets(id).size > 0) this.asked.add(id);
    });
    server.on('counts', (news: unknown) => {
      if (isCountNews(news)) this.hear(news);
    });
  }

  /** What is known now; what changes is sent to the socket, as long as it is in the room. @throws ChatError `forbidden` past the limit */
  watch(sessionId: string, roomId: string): number {
    const socket = this.server?.of('/').sockets.get(sessionId);
    if (socket === undefined) return 0;
    let mine = this.watching.get(sessionId);
    if (mine === undefined) {
      mine = new Set();
      this.watching.set(sessionId, mine);
      socket.on('disconnect', () => this.forget(sessionId));
    }
    if (!mine.has(roomId) && mine.size >= limits.roomsCounted)
      throw new ChatError('forbidden', `A connection may have ${limits.roomsCounted} rooms counted at most`);
    mine.add(roomId);
    const known = this.rooms.get(roomId);
    if (known !== undefined) {
      known.sockets.add(sessionId);
      return known.told;
    }
    const here = this.online(roomId);
    const watched = {
      sockets: new Set([sessionId]),
      here,
      elsewhere: new Map(),
      stale: false,
      told: here.size,
      lookAt: 0,
    };
    this.rooms.set(roomId, watched);
    return here.size;
  }

  unwatch(sessionId: string, roomId: string): void {
    this.watching.get(sessionId)?.delete(roomId);
    const room = this.rooms.get(roomId);
    room?.sockets.delete(sessionId);
    if (room?.sockets.size === 0) this.rooms.delete(roomId);
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private forget(sessionId: string): void {
    for (const roomId of this.watching.get(sessionId) ?? []) this.unwatch(sessionId, roomId);
    this.watching.delete(sessionId);
  }

  private hear({ instance, rooms }: CountNews): void {
    if (instance === this.instance) return;
    const until = performance.now() + LEASE;
    for (const [roomId, sample] of rooms) {
      const room = this.rooms.get(roomId);
      if (room === undefined || (room.elsewhere.size >= INSTANCES && !room.elsewhere.has(instance))) continue;
      room.elsewhere.set(instance, { sample, until });
      room.stale = true;
    }
  }

  private tick(): void {
    const now = performance.now();
    this.answer();
    const due: string[] = [];
    for (const [roomId, room] of this.rooms) {
      if (now >= room.lookAt) {
        room.here = this.online(roomId);
        room.stale = true;
        room.lookAt = now + LOOK_EVERY;
        due.push(roomId);
      }
      this.tell(roomId, room, now);
    }
    if (!this.bus.enabled) return;
    for (let i = 0; i < due.length; i += ROOMS_AT_ONCE)
      this.server?.serverSideEmit('countsAsked', due.slice(i, i + ROOMS_AT_ONCE));
  }

  private answer(): void {
    const rooms = [...this.asked].map((roomId): [string, number[]] => [roomId, sampleOf(this.online(roomId))]);
    this.asked.clear();
    for (let i = 0; i < rooms.length; i += ROOMS_ANSWERED)
      this.server?.serverSideEmit('counts', { instance: this.instance, rooms: rooms.slice(i, i + ROOMS_ANSWERED) });
  }

  private tell(roomId: string, room: Watched, now: number): void {
    for (const [instance, { until }] of room.elsewhere) if (until < now) room.stale = room.elsewhere.delete(instance);
    if (!room.stale) return;
    room.stale = false;
    const online = together(room);
    if (online === room.told) return;
    room.told = online;
    const inRoom = this.sockets(roomId);
    const sockets = this.server?.of('/').sockets;
    for (const id of room.sockets)
      if (inRoom.has(id)) sockets?.get(id)?.volatile.emit('room:signal', { roomId, kind: 'online', count: online });
  }

  private sockets(roomId: string): ReadonlySet<string> {
    return this.server?.of('/').adapter.rooms.get(roomChannel(roomId)) ?? new Set();
  }

  /** Users of this instance whom others may see online. */
  private online(roomId: string): ReadonlySet<string> {
    const sockets = this.server?.of('/').sockets;
    const userIds = new Set<string>();
    for (const id of this.sockets(roomId)) {
      const userId = sockets?.get(id)?.data.caller.id;
      if (userId !== undefined && this.board.isSeen(userId)) userIds.add(userId);
    }
    return userIds;
  }
}

function together({ here, elsewhere }: Watched): number {
  const others = [...elsewhere.values()].map(({ sample }) => sample).filter((sample) => sample.length > 0);
  // Nobody is elsewhere: then it is known exactly, however many they are.
  return others.length === 0 ? here.size : Math.max(here.size, countOf([sampleOf(here), ...others]));
}
