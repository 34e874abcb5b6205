import type { Member, Message, ReadState, Room, RoomSnapshot, User } from '../../src/protocol/index.js';

export const roomId = '0199aaaa-0000-7000-8000-000000000001';
export const me: User = { id: '0199aaaa-0000-7000-8000-00000000000a', name: 'ann' };
export const time = '2026-01-01T00:00:00.000Z';

export function userNumber(n: number): User {
  return { id: `0199bbbb-0000-7000-8000-${String(n).padStart(12, '0')}`, name: `user ${n}` };
}

export function room(change: Partial<Room> = {}): Room {
  return {
    id: roomId,
    rev: 1,
    name: 'room',
    topic: '',
    kind: 'group',
    visibility: 'public',
    readOnly: false,
    meta: {},
    slowModeS: 0,
    memberLimit: null,
    historyVisible: 'all',
    joinRequests: false,
    createdBy: me.id,
    createdAt: time,
    archivedAt: null,
    ...change,
  };
}

export function member(change: Partial<Member> = {}): Member {
  return {
    roomId,
    rev: 1,
    user: me,
    role: 'member',
    mutedUntil: null,
    visibleAfter: 0,
    joinedAt: time,
    leftAt: null,
    ...change,
  };
}

export function message(seq: number, change: Partial<Message> = {}): Message {
  return {
    roomId,
    seq,
    rev: seq,
    sender: userNumber(1),
    clientMsgId: `id-${seq}`,
    text: `text ${seq}`,
    createdAt: time,
    deletedAt: null,
    ...change,
  };
}

export function readState(change: Partial<ReadState> = {}): ReadState {
  return { readSeq: 0, unread: 0, mentions: 0, lastSeq: 0, headRev: 0, version: 0, ...change };
}

export function snapshot(change: Partial<RoomSnapshot> = {}): RoomSnapshot {
  return {
    reset: true,
    roomId,
    upTo: 0,
    room: room(),
    member: member(),
    memberCount: 1,
    messages: [],
    hasBefore: false,
    read: readState(),
    ...change,
  };
}

/** Lets everything run that waits for nothing but promises. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
