import type { Change, Member, Parley, Room, RoomState, User } from '../../sdk/index.js';
import type { Note } from './conversation/rows.js';
import { ReadMarks } from './read-marks.js';

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
 * Adds what only a page needs: notes of who came and went, and what is unread.
 */
export class Chat {
  readonly #listeners = new Set<() => void>();
  readonly #memories = new Map<string, Memory>();
  readonly #marks: ReadMarks;
  readonly #stop: (() => void)[];
  #version = 0;
  #wasOnline = false;

  constructor(
    readonly parley: Parley,
    readonly me: User,
  ) {
    this.#marks = new ReadMarks(me.id);
    this.#stop = [
      parley.on('status', (status) => {
        this.#wasOnline ||= status === 'online';
        this.#meetRooms();
      }),
      parley.on('rooms', () => this.#meetRooms()),
      parley.on('change', (roomId, change) => this.#note(roomId, change)),
      parley.on('reset', (roomId) => this.#reset(roomId)),
      parley.on('outgoing', (roomId) => this.#touch(roomId)),
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

  /** The seq up to which the room has been read in this browser. */
  readMark(roomId: string): number {
    return this.#marks.get(roomId) ?? newestSeq(this.parley.rooms.get(roomId));
  }

  unread(roomId: string): number {
    return Math.max(0, newestSeq(this.parley.rooms.get(roomId)) - this.readMark(roomId));
  }

  /** Marks all that the room has as read. */
  read(roomId: string): void {
    const state = this.parley.rooms.get(roomId);
    if (state && this.#marks.move(roomId, newestSeq(state))) this.#touch(roomId);
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
      this.#memory(roomId, state.room);
      if (this.#marks.get(roomId) === undefined) this.#marks.move(roomId, newestSeq(state));
    }
    for (const roomId of this.#memories.keys()) if (!this.parley.rooms.has(roomId)) this.#memories.delete(roomId);
    this.#touch();
  }

  #note(roomId: string, change: Change): void {
    const room = this.parley.rooms.get(roomId)?.room;
    if (!room) return;
    const memory = this.#memory(roomId, room);
    if (change.kind === 'message') {
      const { seq, sender } = change.message;
      memory.lastSeq = Math.max(memory.lastSeq, seq);
      if (sender.id === this.me.id) this.#marks.move(roomId, seq);
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
      if (this.#marks.get(roomId) === undefined) this.#marks.move(roomId, memory.lastSeq);
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
