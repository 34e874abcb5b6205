import type { z } from 'zod';
import type { ErrorBody, Reply } from './errors.js';
import type { Limits } from './limits.js';
import { AnswerHeld, HeldAnswered, HeldPage } from './held.js';
import { ReadState, type PresenceState, type RoomChanges, type User } from './models.js';
import { AnswerReport, ReportMessage, ReportPage, type OpenReports } from './reports.js';
import {
  AcceptInvite,
  AddMember,
  AnswerRequest,
  ArchiveRoom,
  BanMember,
  BanPage,
  CountOnline,
  BanResult,
  CreateInvite,
  CreateRoom,
  Credentials,
  DirectRoom,
  DiscoverRooms,
  EditMessage,
  Done,
  GetHistory,
  HistoryPage,
  InviteMade,
  InvitePage,
  InviteRef,
  InviteResult,
  ListMembers,
  MarkRead,
  MemberPage,
  MemberRef,
  MemberResult,
  MessageRef,
  MessageResult,
  MessageVersions,
  Messages,
  MyReactions,
  MyReactionsSpan,
  OnlineCount,
  PinMessage,
  ReactToMessage,
  Refreshed,
  Receipts,
  PresenceStates,
  RequestAnswered,
  RequestPage,
  RequestResult,
  RequestToJoin,
  RoomAndMember,
  RoomPage,
  RoomRef,
  RoomResult,
  RoomSynced,
  RoomsSynced,
  SendMessage,
  SetPresence,
  ShadowMember,
  ShadowPage,
  ShadowResult,
  SetTyping,
  SentMessage,
  SyncRoom,
  SyncRooms,
  UpdateMember,
  UpdateRoom,
  WatchPresence,
} from './requests/index.js';
import { AddFilter, FilterPage, FilterRef, FilterResult } from './screening.js';

/** Every request a client may send, with the schema of the request and of the `data` in its reply. */
export const requests = {
  'rooms:sync': { request: SyncRooms, result: RoomsSynced },
  'room:sync': { request: SyncRoom, result: RoomSynced },
  'room:create': { request: CreateRoom, result: RoomAndMember },
  'room:update': { request: UpdateRoom, result: RoomResult },
  'room:join': { request: RoomRef, result: RoomAndMember },
  'room:leave': { request: RoomRef, result: RoomAndMember },
  'room:archive': { request: ArchiveRoom, result: RoomResult },
  'room:direct': { request: DirectRoom, result: RoomAndMember },
  'rooms:discover': { request: DiscoverRooms, result: RoomPage },
  'member:add': { request: AddMember, result: MemberResult },
  'member:update': { request: UpdateMember, result: MemberResult },
  'member:remove': { request: MemberRef, result: MemberResult },
  'member:ban': { request: BanMember, result: BanResult },
  'members:list': { request: ListMembers, result: MemberPage },
  'bans:list': { request: ListMembers, result: BanPage },
  'member:shadow': { request: ShadowMember, result: ShadowResult },
  'shadows:list': { request: ListMembers, result: ShadowPage },
  'invite:create': { request: CreateInvite, result: InviteMade },
  'invite:revoke': { request: InviteRef, result: InviteResult },
  'invite:accept': { request: AcceptInvite, result: RoomAndMember },
  'invites:list': { request: ListMembers, result: InvitePage },
  'room:request': { request: RequestToJoin, result: RequestResult },
  'request:answer': { request: AnswerRequest, result: RequestAnswered },
  'requests:list': { request: ListMembers, result: RequestPage },
  'filter:add': { request: AddFilter, result: FilterResult },
  'filter:remove': { request: FilterRef, result: FilterResult },
  'filters:list': { request: ListMembers, result: FilterPage },
  'held:list': { request: ListMembers, result: HeldPage },
  'held:answer': { request: AnswerHeld, result: HeldAnswered },
  'message:send': { request: SendMessage, result: SentMessage },
  'message:edit': { request: EditMessage, result: MessageResult },
  'message:delete': { request: MessageRef, result: MessageResult },
  'message:versions': { request: MessageRef, result: MessageVersions },
  'message:react': { request: ReactToMessage, result: MessageResult },
  'reactions:mine': { request: MyReactionsSpan, result: MyReactions },
  'message:pin': { request: PinMessage, result: MessageResult },
  'pins:list': { request: RoomRef, result: Messages },
  'message:report': { request: ReportMessage, result: Done },
  'reports:list': { request: ListMembers, result: ReportPage },
  'report:answer': { request: AnswerReport, result: MessageResult },
  'history:get': { request: GetHistory, result: HistoryPage },
  'auth:refresh': { request: Credentials, result: Refreshed },
  'read:mark': { request: MarkRead, result: ReadState },
  'reads:list': { request: RoomRef, result: Receipts },
  'typing:set': { request: SetTyping, result: Done },
  'presence:set': { request: SetPresence, result: Done },
  'presence:watch': { request: WatchPresence, result: PresenceStates },
  'presence:unwatch': { request: WatchPresence, result: Done },
  'presence:count': { request: CountOnline, result: OnlineCount },
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
export type UserSignal =
  | { kind: 'roomAdded'; roomId: string }
  | { kind: 'roomRemoved'; roomId: string }
  | ({ kind: 'unread'; roomId: string } & ReadState);

/** To those who are in a room; may be lost, and is gone after a moment. */
export type RoomSignal =
  /** Whose markers moved, and to where. */
  | { roomId: string; kind: 'read'; reads: { userId: string; readSeq: number }[] }
  /** Everyone who is typing now. */
  | { roomId: string; kind: 'typing'; users: User[] }
  /** To who asked for it by `presence:count`: how many members are online. */
  | { roomId: string; kind: 'online'; count: number };

export interface ServerToClientEvents {
  /** Durable: in one room every frame starts where the one before ended. A gap is filled by `room:sync`. */
  'room:changes': (changes: RoomChanges) => void;
  'room:signal': (signal: RoomSignal) => void;
  /** Of users whom this connection watches; may be lost. */
  'presence:changed': (changed: { states: PresenceState[] }) => void;
  'user:signal': (signal: UserSignal) => void;
  /** To those who govern a room: how many reports wait there. May be lost. */
  'reports:changed': (changed: OpenReports) => void;
  'session:ready': (session: SessionReady) => void;
  /** The token ends at `expiresAt`, in `inMs` ms: bring another one (`auth:refresh`), or the connection is closed then. */
  'session:expiring': (notice: { expiresAt: string; inMs: number }) => void;
  /** Come back (to any instance) after `afterMs` plus a random part of `spreadMs`. */
  'session:reconnect': (notice: { reason: string; afterMs: number; spreadMs: number }) => void;
  /** The last word on a connection that the server closes. */
  'session:closed': (notice: { error: ErrorBody }) => void;
}
