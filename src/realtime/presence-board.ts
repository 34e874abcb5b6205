import { randomUUID } from 'node:crypto';
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { ChatError } from '../chat-error.js';
import { limits, type PresenceState, type PresenceStatus, type Status } from '../protocol/index.js';
import type { ChatServer, ChatSocket } from './chat-socket.js';
import { isNews, type PresenceNews } from './presence-news.js';
import { RedisBus } from './redis-bus.js';

/** How often watchers and other instances are told what changed, in ms. */
const TICK = 1_000;
/** How often an instance tells the others of all its users, and how long they believe it, in ms. */
const TELL_EVERY = 10_000;
const LEASE = 30_000;
/** Who has no connection any more is away only after this long, in ms: most come back, to whatever instance. */
const LINGER = 5_000;
/** Users in one message between instances. */
const TOLD_AT_ONCE = 1_000;

/** Of several connections the first of these that one of them has. */
const RANK: readonly Status[] = ['invisible', 'dnd', 'online', 'away'];

interface Presence {
  /** By socket; background connections are not in it. */
  sockets: Map<string, Status>;
  /** While there are none: until when the last status holds, by `performance.now()`. */
  until: number;
  last: Status;
}

/**
 * Who is there. Each instance knows its own users, and of those of the others the ones whom a socket of its own watches, by
 * leases that they renew: what is lost on the way or ends without a word is right again when the lease is over. Nothing of it is stored.
 */
@Injectable()
export class PresenceBoard implements BeforeApplicationShutdown {
  private readonly instance = randomUUID();
  private readonly here = new Map<string, Presence>();
  /** Of watched users, by instance. */
  private readonly elsewhere = new Map<string, Map<string, { status: Status; until: number }>>();
  private readonly watchers = new Map<string, Set<string>>();
  private readonly watching = new Map<string, Set<string>>();
  /** What watchers know. */
  private readonly known = new Map<string, PresenceStatus>();
  /** Whom other instances are to be told of. */
  private readonly news = new Set<string>();
  private readonly questions = new Set<string>();
  private readonly timer = setInterval(() => this.tick(), TICK);
  private toldAt = 0;
  private server: ChatServer | undefined;

  constructor(private readonly bus: RedisBus) {
    this.timer.unref();
  }

  /** Called once, by the adapter, before the first connection. */
  attach(server: ChatServer): void {
    this.server = server;
    server.on('connection', (socket) => this.meet(socket));
    // From the bus, where anything can come.
    server.on('presence', (news: unknown) => {
      if (isNews(news)) this.hear(news);
    });
    server.on('presenceAsked', (userIds: unknown) => {
      if (Array.isArray(userIds))
        for (const id of userIds) if (this.here.has(id as string)) this.news.add(id as string);
    });
  }

  /** Of this connection; a user's is made of those of all. */
  set(userId: string, sessionId: string, status: Status, background: boolean): void {
    const presence = this.here.get(userId) ?? { sockets: new Map<string, Status>(), until: 0, last: status };
    if (this.server?.of('/').sockets.has(sessionId) !== true) return;
    if (background) {
      if (!presence.sockets.delete(sessionId)) return;
      if (presence.sockets.size === 0) presence.until = performance.now();
    } else {
      presence.sockets.set(sessionId, status);
      this.here.set(userId, presence);
    }
    this.changed(userId, presence);
  }

  /** What is known now; what changes later is sent to the socket. @throws ChatError `forbidden` past the limit */
  watch(sessionId: string, userIds: readonly string[]): PresenceState[] {
    if (this.server?.of('/').sockets.has(sessionId) !== true) return [];
    const mine = this.watching.get(sessionId) ?? new Set<string>();
    const all = new Set([...mine, ...userIds]);
    if (all.size > limits.presenceWatched)
      throw new ChatError('forbidden', `A connection may watch ${limits.presenceWatched} users at most`);
    this.watching.set(sessionId, all);
    for (const userId of userIds) {
      const watchers = this.watchers.get(userId);
      if (watchers !== undefined) watchers.add(sessionId);
      else {
        this.watchers.set(userId, new Set([sessionId]));
        this.known.set(userId, this.statusOf(userId));
        if (this.bus.enabled) this.questions.add(userId);
      }
    }
    return userIds.map((userId) => ({ userId, status: this.known.get(userId) ?? 'offline' }));
  }

  /** Whether he has a connection here that counts, and is not invisible. */
  isSeen(userId: string): boolean {
    const presence = this.here.get(userId);
    return presence !== undefined && presence.sockets.size > 0 && presence.last !== 'invisible';
  }

  unwatch(sessionId: string, userIds: Iterable<string>): void {
    const mine = this.watching.get(sessionId);
    for (const userId of userIds) {
      const watchers = this.watchers.get(userId);
      if (mine?.delete(userId) !== true || watchers === undefined) continue;
      watchers.delete(sessionId);
      if (watchers.size > 0) continue;
      for (const users of [this.watchers, this.known, this.elsewhere]) users.delete(userId);
    }
    if (mine?.size === 0) this.watching.delete(sessionId);
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.timer);
    if (!this.bus.enabled) return;
    this.tell([...this.here.keys()].map((userId) => [userId, 'offline']));
  }

  private meet(socket: ChatSocket): void {
    const { caller, background } = socket.data;
    if (background !== true) this.set(caller.id, socket.id, 'online', false);
    socket.on('disconnect', () => {
      this.unwatch(socket.id, [...(this.watching.get(socket.id) ?? [])]);
      const presence = this.here.get(caller.id);
      if (presence?.sockets.delete(socket.id) !== true) return;
      if (presence.sockets.size === 0) presence.until = performance.now() + LINGER;
      this.changed(caller.id, presence);
    });
  }

  private changed(userId: string, presence: Presence): void {
    const status = RANK.find((each) => [...presence.sockets.values()].includes(each));
    if (status === undefined || status === presence.last) {
      if (presence.sockets.size === 1) this.news.add(userId);
      return;
    }
    presence.last = status;
    this.news.add(userId);
  }

  private hear({ instance, states }: PresenceNews): void {
    const until = performance.now() + LEASE;
    for (const [userId, status] of states) {
      if (!this.watchers.has(userId) || instance === this.instance) continue;
      const leases = this.elsewhere.get(userId) ?? new Map<string, { status: Status; until: number }>();
      if (status === 'offline') leases.delete(instance);
      else leases.set(instance, { status, until });
      this.elsewhere.set(userId, leases);
    }
  }

  private tick(): void {
    const now = performance.now();
    for (const [userId, { sockets, until }] of this.here) {
      if (sockets.size > 0 || now < until) continue;
      this.here.delete(userId);
      this.news.add(userId);
    }
    for (const leases of this.elsewhere.values())
      for (const [instance, { until }] of leases) if (until < now) leases.delete(instance);
    if (this.bus.enabled) this.tellOthers(now);
    this.news.clear();
    this.tellWatchers();
  }

  private tellOthers(now: number): void {
    const all = now - this.toldAt >= TELL_EVERY;
    if (all) this.toldAt = now;
    const users = all ? new Set([...this.news, ...this.here.keys()]) : this.news;
    this.tell([...users].map((userId) => [userId, this.here.get(userId)?.last ?? 'offline']));
    if (this.questions.size === 0) return;
    const asked = [...this.questions];
    this.questions.clear();
    for (let i = 0; i < asked.length; i += TOLD_AT_ONCE)
      this.server?.serverSideEmit('presenceAsked', asked.slice(i, i + TOLD_AT_ONCE));
  }

  private tell(states: PresenceNews['states']): void {
    for (let i = 0; i < states.length; i += TOLD_AT_ONCE)
      this.server?.serverSideEmit('presence', { instance: this.instance, states: states.slice(i, i + TOLD_AT_ONCE) });
  }

  private tellWatchers(): void {
    const bySocket = new Map<string, PresenceState[]>();
    for (const [userId, watchers] of this.watchers) {
      const status = this.statusOf(userId);
      if (status === this.known.get(userId)) continue;
      this.known.set(userId, status);
      for (const id of watchers) {
        const states = bySocket.get(id) ?? [];
        states.push({ userId, status });
        bySocket.set(id, states);
      }
    }
    const sockets = this.server?.of('/').sockets;
    for (const [id, states] of bySocket) sockets?.get(id)?.volatile.emit('presence:changed', { states });
  }

  /** As others may see it. */
  private statusOf(userId: string): PresenceStatus {
    const there = [...(this.elsewhere.get(userId)?.values() ?? [])].map(({ status }) => status);
    const mine = this.here.get(userId)?.last;
    const status = RANK.find((each) => each === mine || there.includes(each));
    return status === undefined || status === 'invisible' ? 'offline' : status;
  }
}
