import type { z } from 'zod';
import type { ErrorBody, Reply } from './errors.js';
import type { Limits } from './limits.js';
import type { RoomChanges } from './models.js';
import {
  AddMember,
  CreateRoom,
  DiscoverRooms,
  GetHistory,
  HistoryPage,
  ListMembers,
  MemberPage,
  MemberResult,
  MessageRef,
  MessageResult,
  RoomAndMember,
  RoomPage,
  RoomRef,
  RoomResult,
  RoomSynced,
  RoomsSynced,
  SendMessage,
  SentMessage,
  SyncRoom,
  SyncRooms,
  UpdateRoom,
} from './requests.js';

/** Every request a client may send, with the schema of the request and of the `data` in its reply. */
export const requests = {
  'rooms:sync': { request: SyncRooms, result: RoomsSynced },
  'room:sync': { request: SyncRoom, result: RoomSynced },
  'room:create': { request: CreateRoom, result: RoomAndMember },
  'room:update': { request: UpdateRoom, result: RoomResult },
  'room:join': { request: RoomRef, result: RoomAndMember },
  'room:leave': { request: RoomRef, result: RoomAndMember },
  'rooms:discover': { request: DiscoverRooms, result: RoomPage },
  'member:add': { request: AddMember, result: MemberResult },
  'members:list': { request: ListMembers, result: MemberPage },
  'message:send': { request: SendMessage, result: SentMessage },
  'message:delete': { request: MessageRef, result: MessageResult },
  'history:get': { request: GetHistory, result: HistoryPage },
} as const satisfies Record<`${string}:${string}`, { request: z.ZodType; result: z.ZodType }>;

export type RequestName = keyof typeof requests;
/** What a client passes: defaults may be left out. */
export type RequestInput<E extends RequestName> = z.input<(typeof requests)[E]['request']>;
/** What a handler gets: checked, defaults filled in. */
export type RequestOf<E extends RequestName> = z.output<(typeof requests)[E]['request']>;
/** The `data` of a good reply. */
export type ResultOf<E extends RequestName> = z.output<(typeof requests)[E]['result']>;

export type ClientToServerEvents = {
  [E in RequestName]: (request: RequestInput<E>, reply: (reply: Reply<ResultOf<E>>) => void) => void;
};

export interface SessionReady {
  sessionId: string;
  userId: string;
  /** Changes when the log can no longer be trusted (a restored backup): cursors of another epoch are reset. */
  epoch: string;
  serverTime: string;
  tokenExpiresAt: string;
  limits: Limits;
}

/** To the devices of one user; may be lost, says the state and not the step, the latest wins. */
export type UserSignal = { kind: 'roomAdded'; roomId: string } | { kind: 'roomRemoved'; roomId: string };

export interface ServerToClientEvents {
  /** Durable: in one room every frame starts where the one before ended. A gap is filled by `room:sync`. */
  'room:changes': (changes: RoomChanges) => void;
  'user:signal': (signal: UserSignal) => void;
  'session:ready': (session: SessionReady) => void;
  /** Come back (to any instance) after `afterMs` plus a random part of `spreadMs`. */
  'session:reconnect': (notice: { reason: string; afterMs: number; spreadMs: number }) => void;
  /** The last word on a connection that the server closes. */
  'session:closed': (notice: { error: ErrorBody }) => void;
}

/** The `auth` of a Socket.IO handshake. */
export interface HandshakeAuth {
  token: string;
}
