import type { Change, Member, Parley, Room, RoomState, User } from '../../sdk/index.js';
import type { Note } from './conversation/rows.js';

const notesKept = 200;

/** What the page remembers of a room beside the SDK's read model. */
interface Memory {
  version: number;
  /** Grows when the room was replaced by a snapshot: what was loaded before may be gone. */
  resets: number;
  notes: Note[];
  lastSeq: number;
  name: string;
  topic: string;
  /** By user id, the membership that a note was made of; a later change of the same membership is no joining. */
  joinedAt: Map<string, string>;
}

/**
 * The SDK's client as React wants it: an external store with a version for everything and one for each room.
 * Adds what only a page needs: notes of who came and went.
 */
export class Chat {
  readonly #listeners = new Set<() => void>();
  readonly #memories = new Map<string, Memory>();
  readonly #stop: (() => void)[];
  /** The room that stays unread although it is open. */
  #leftUnread: string | undefined;
  #version = 0;
  #wasOnline = false;

  constructor(
    readonly parley: Parley,
    readonly me: User,
  ) {
    this.#stop = [
      parley.on('status', (status) => {
        this.#wasOnline ||= status === 'online';
        this.#meetRooms();
      }),
      parley.on('rooms', () => this.#meetRooms()),
      parley.on('change', (roomId, change) => this.#note(roomId, change)),
      parley.on('reset', (roomId) => this.#reset(roomId)),
      parley.on('outgoing', (roomId) => this.#touch(roomId)),
      parley.on('read', (roomId) => this.#touch(roomId)),
      parley.on('presence', () => this.#touch()),
      parley.on('typing', (roomId) => this.#touch(roomId)),
    ];
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Grows with everything that may change the picture. */
  readonly version = (): number => this.#version;
  readonly roomVersion = (roomId: string): number => this.#memories.get(roomId)?.version ?? 0;

  /** Whether the rooms have been told at least once. */
  get wasOnline(): boolean {
    return this.#wasOnline;
  }

  notes(roomId: string): readonly Note[] {
    return this.#memories.get(roomId)?.notes ?? [];
  }

  resets(roomId: string): number {
    return this.#memories.get(roomId)?.resets ?? 0;
  }

  /** The seq up to which I have read the room. */
  readMark(roomId: string): number {
    return this.parley.rooms.get(roomId)?.readSeq ?? 0;
  }

  unread(roomId: string): number {
    return this.parley.rooms.get(roomId)?.unread ?? 0;
  }

  /** The others who are typing, by name. */
  typing(roomId: string): string[] {
    const typing = this.parley.rooms.get(roomId)?.typing ?? [];
    return typing.filter(({ id }) => id !== this.me.id).map(({ name }) => name);
  }

  mentions(roomId: string): number {
    return this.parley.rooms.get(roomId)?.mentions ?? 0;
  }

  /** The message and what follows it; it stays so until the room is opened again. */
  markUnread(roomId: string, seq: number): Promise<void> {
    this.#leftUnread = roomId;
    return this.parley.markUnread(roomId, seq);
  }

  /** The room was opened. */
  open(roomId: string): void {
    if (this.#leftUnread === roomId) this.#leftUnread = undefined;
  }

  /** Marks all that the room has as read. */
  read(roomId: string): void {
    if (this.#leftUnread === roomId) return;
    // Where it is refused I am no member any more, and the room goes.
    this.parley.markRead(roomId, newestSeq(this.parley.rooms.get(roomId))).catch(() => undefined);
  }

  waiting(): number {
    let waiting = 0;
    for (const { outgoing } of this.parley.rooms.values()) {
      waiting += outgoing.filter(({ state }) => state === 'waiting' || state === 'sending').length;
    }
    return waiting;
  }

  close(): void {
    for (const stop of this.#stop) stop();
    this.parley.close();
  }

  #meetRooms(): void {
    for (const [roomId, state] of this.parley.rooms) {
      if (!this.#memories.has(roomId) && state.room.kind === 'direct') void this.#meetOther(roomId);
      this.#memory(roomId, state.room);
    }
    for (const roomId of this.#memories.keys()) if (!this.parley.rooms.has(roomId)) this.#memories.delete(roomId);
    this.#touch();
  }

  /** A direct room is called by the other one. */
  async #meetOther(roomId: string): Promise<void> {
    await this.parley.listMembers({ roomId, limit: 2 }).catch(() => undefined);
    this.#touch(roomId);
  }

  #note(roomId: string, change: Change): void {
    const room = this.parley.rooms.get(roomId)?.room;
    if (!room) return;
    const memory = this.#memory(roomId, room);
    if (change.kind === 'message') {
      memory.lastSeq = Math.max(memory.lastSeq, change.message.seq);
    } else if (change.kind === 'member') {
      this.#noteMember(memory, change.member);
    } else {
      this.#noteRoom(memory, change.room);
    }
    this.#touch(roomId);
  }

  #noteMember(memory: Memory, { rev, user, joinedAt, leftAt }: Member): void {
    if (leftAt !== null) this.#keep(memory, { rev, kind: 'left', user, at: leftAt, afterSeq: memory.lastSeq });
    else if (memory.joinedAt.get(user.id) !== joinedAt) {
      this.#keep(memory, { rev, kind: 'joined', user, at: joinedAt, afterSeq: memory.lastSeq });
    }
    memory.joinedAt.set(user.id, joinedAt);
  }

  #noteRoom(memory: Memory, { rev, name, topic }: Room): void {
    const at = new Date().toISOString();
    if (name !== memory.name) this.#keep(memory, { rev, kind: 'renamed', text: name, at, afterSeq: memory.lastSeq });
    if (topic !== memory.topic) this.#keep(memory, { rev, kind: 'topic', text: topic, at, afterSeq: memory.lastSeq });
    memory.name = name;
    memory.topic = topic;
  }

  #keep(memory: Memory, note: Note): void {
    memory.notes = [...memory.notes, note].slice(-notesKept);
  }

  #reset(roomId: string): void {
    const state = this.parley.rooms.get(roomId);
    if (state) {
      const memory = this.#memory(roomId, state.room);
      memory.resets += 1;
      memory.notes = [];
      memory.lastSeq = newestSeq(state);
    }
    this.#touch(roomId);
  }

  #memory(roomId: string, room: Room): Memory {
    let memory = this.#memories.get(roomId);
    if (!memory) {
      const lastSeq = newestSeq(this.parley.rooms.get(roomId));
      const { name, topic } = room;
      memory = { version: 0, resets: 0, notes: [], lastSeq, name, topic, joinedAt: new Map() };
      this.#memories.set(roomId, memory);
    }
    return memory;
  }

  #touch(roomId?: string): void {
    this.#version += 1;
    const memory = roomId === undefined ? undefined : this.#memories.get(roomId);
    if (memory) memory.version += 1;
    for (const listener of this.#listeners) listener();
  }
}

export function newestSeq(state: RoomState | undefined): number {
  return state?.messages.at(-1)?.seq ?? 0;
}
