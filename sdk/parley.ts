import { uuidv7 } from 'uuidv7';
import type {
  Change,
  HistoryPage,
  Member,
  MemberPage,
  Message,
  PresenceStatus,
  MessageVersions,
  RequestInput,
  RequestName,
  ResultOf,
  Room,
  RoomPage,
  SessionReady,
  Status,
} from '../src/protocol/index.js';
import { Connection } from './connection/connection.js';
import type { Link } from './connection/link.js';
import { Requests } from './connection/requests.js';
import type { ConnectionStatus, ParleyEvents } from './events.js';
import { Listeners } from './listeners.js';
import { settingsOf, type ParleyOptions } from './options.js';
import { Outboxes } from './outbox/outboxes.js';
import type { Outgoing, SendExtras } from './outbox/outgoing.js';
import { PresenceBook } from './presence.js';
import { ParleyError } from './parley-error.js';
import { Pauses } from './pauses.js';
import { History, type HistoryRange } from './rooms/history.js';
import { Moderation } from './rooms/moderation.js';
import { Marker } from './rooms/marker.js';
import { RoomDirectory } from './rooms/room-directory.js';
import type { RoomModel, RoomState } from './rooms/room-state.js';

/**
 * A client of Parley for one user. Keeps itself connected, the rooms of the user up to date, and what is sent in order,
 * until `close()` or until the server ends the session for good (`closed`).
 *
 * Requests wait for the connection and are asked again after timeouts and retryable errors; they reject with `ParleyError`.
 */
export class Parley {
  /** Roles, mutes, bans, invites and requests to join. */
  readonly moderation: Moderation;
  private readonly listeners = new Listeners<ParleyEvents>();
  private readonly pauses = new Pauses();
  private readonly connection: Connection;
  private readonly requests: Requests;
  private readonly directory: RoomDirectory;
  private readonly outboxes: Outboxes;
  private readonly history: History;
  private readonly marker: Marker;
  private readonly presenceBook = new PresenceBook(() => this.listeners.emit('presence'));
  private readonly firstOnline: Promise<void>;
  /** The link that is catching up or online. */
  private link: Link | undefined;

  /** Connects at once. */
  constructor(options: ParleyOptions) {
    const settings = settingsOf(options);
    this.connection = new Connection(settings, {
      status: (status) => this.statusChanged(status),
      catchUp: (link) => this.catchUp(link),
      changes: (frame) => this.directory.receive(frame),
      signal: (signal) => this.directory.signal(signal),
      roomSignal: (signal) =>
        signal.kind === 'online'
          ? this.presenceBook.tellCount(signal.roomId, signal.count)
          : this.directory.roomSignal(signal),
      presence: (states) => this.presenceBook.tell(states),
      reports: ({ roomId, open }) => this.listeners.emit('reports', roomId, open),
      ended: (error, byServer) => this.ended(error, byServer),
    });
    this.requests = new Requests(this.connection, this.pauses, settings.backoff);
    this.outboxes = new Outboxes(
      {
        link: () => this.connection.current,
        pause: (ms) => this.pauses.pause(ms),
        show: (message) => this.show(message),
        changed: (roomId) => this.listeners.emit('outgoing', roomId),
      },
      settings.backoff,
    );
    this.directory = new RoomDirectory(
      {
        syncRooms: (epoch, cursors) => this.insist('rooms:sync', { ...(epoch && { epoch }), cursors }),
        syncRoom: (roomId, epoch, after) =>
          this.insist('room:sync', { roomId, ...(epoch && { epoch }), ...(after !== undefined && { after }) }),
        pause: (ms) => this.pauses.pause(ms),
      },
      {
        rooms: () => this.listeners.emit('rooms'),
        snapshot: (room, isNew) => this.tookSnapshot(room, isNew),
        change: (room, change) => this.applied(room, change),
        read: (roomId) => this.listeners.emit('read', roomId),
        typing: (roomId) => this.listeners.emit('typing', roomId),
        dropped: (roomId) => this.outboxes.forget(roomId),
      },
      settings.backoff,
      settings.historyWindow,
      (roomId) => this.outboxes.of(roomId).items,
    );
    this.history = new History(this.directory.rooms, (request) => this.request('history:get', request));
    this.moderation = new Moderation(
      (event, input) => this.request(event, input),
      (member) => this.directory.rooms.get(member.roomId)?.putMember(member),
    );
    this.marker = new Marker({
      room: (roomId) => this.directory.rooms.get(roomId),
      ask: (roomId, seq, unread) => this.request('read:mark', { roomId, seq, unread }),
      pause: (ms) => this.pauses.pause(ms),
      moved: (roomId) => this.listeners.emit('read', roomId),
    });
    this.firstOnline = this.connection.whenOnline().then(() => undefined);
    this.firstOnline.catch(() => undefined);
    this.connection.start();
  }

  get status(): ConnectionStatus {
    return this.connection.status;
  }

  /** Of the present connection or of the last one. */
  get session(): SessionReady | undefined {
    return this.connection.session;
  }

  /** The rooms that I am a member of, by id. */
  get rooms(): ReadonlyMap<string, RoomState> {
    return this.directory.rooms;
  }

  /** Resolves when online for the first time; rejects when the server refuses for good. */
  ready(): Promise<void> {
    return this.firstOnline;
  }

  /** Returns what takes the listener off again. */
  on<E extends keyof ParleyEvents>(event: E, listener: ParleyEvents[E]): () => void {
    return this.listeners.on(event, listener);
  }

  /** Chooses the room's id itself, so that asking again cannot create a second one. */
  async createRoom(input: RequestInput<'room:create'>): Promise<RoomState> {
    const { room } = await this.request('room:create', { roomId: uuidv7(), ...input });
    return this.directory.open(room.id);
  }

  /** The one room of me and another user. */
  async directRoom(userId: string): Promise<RoomState> {
    const { room } = await this.request('room:direct', { userId });
    return this.directory.open(room.id);
  }

  async joinRoom(roomId: string): Promise<RoomState> {
    const { room } = await this.request('room:join', { roomId });
    return this.directory.open(room.id);
  }

  async acceptInvite(code: string): Promise<RoomState> {
    const { room } = await this.request('invite:accept', { code });
    return this.directory.open(room.id);
  }

  /** Asks the moderators of a private room that takes requests; false takes it back. Who is let in gets the room as one of `rooms`. */
  async requestToJoin(roomId: string, on = true): Promise<void> {
    await this.request('room:request', { roomId, on });
  }

  /** Resolves also when I was no member (any more). */
  async leaveRoom(roomId: string): Promise<void> {
    const wasMine = this.rooms.has(roomId);
    try {
      await this.request('room:leave', { roomId });
    } catch (error) {
      // To one who is no member a private room does not exist, and asking again after a lost reply gets to hear that.
      const left =
        error instanceof ParleyError && (error.code === 'not_member' || (wasMine && error.code === 'not_found'));
      if (!left) throw error;
    }
    this.directory.drop(roomId);
  }

  async updateRoom(input: RequestInput<'room:update'>): Promise<Room> {
    const { room } = await this.request('room:update', input);
    this.directory.rooms.get(room.id)?.putRoom(room);
    return room;
  }

  async archiveRoom(roomId: string, on = true): Promise<Room> {
    const { room } = await this.request('room:archive', { roomId, on });
    this.directory.rooms.get(room.id)?.putRoom(room);
    return room;
  }

  discoverRooms(input: RequestInput<'rooms:discover'> = {}): Promise<RoomPage> {
    return this.request('rooms:discover', input);
  }

  async addMember(roomId: string, userId: string): Promise<Member> {
    const { member } = await this.request('member:add', { roomId, userId });
    this.directory.rooms.get(roomId)?.putMember(member);
    return member;
  }

  /** The members of the page also go into the room's `members`. */
  async listMembers(input: RequestInput<'members:list'>): Promise<MemberPage> {
    const page = await this.request('members:list', input);
    const room = this.directory.rooms.get(input.roomId);
    for (const member of page.items) room?.putMember(member);
    return page;
  }

  /**
   * Queues a message, also while offline; never throws. Messages of one room are stored in the order of these calls.
   * The same `clientMsgId` is stored once, however often and from wherever it is sent.
   */
  send(roomId: string, text: string, options: SendExtras & { clientMsgId?: string } = {}): Outgoing {
    return this.outboxes.of(roomId).add(text, options);
  }

  /** `version`: the one that the edit begins from; where the message is at another one by now, it rejects with `version_mismatch`. */
  editMessage(roomId: string, seq: number, text: string, version?: number): Promise<Message> {
    return this.changeMessage('message:edit', { roomId, seq, text, ...(version !== undefined && { version }) });
  }

  deleteMessage(roomId: string, seq: number): Promise<Message> {
    return this.changeMessage('message:delete', { roomId, seq });
  }

  /** Reacts with an emoji or an app's own `:name:`, or takes that back. */
  react(roomId: string, seq: number, emoji: string, on = true): Promise<Message> {
    return this.changeMessage('message:react', { roomId, seq, emoji, on });
  }

  /** What I reacted with to messages with more reactions than `Reaction.users` tells, by seq. */
  async myReactions(roomId: string, from: number, to: number): Promise<ReadonlyMap<number, readonly string[]>> {
    const { items } = await this.request('reactions:mine', { roomId, from, to });
    return new Map(items.map(({ seq, emojis }) => [seq, emojis]));
  }

  /** For moderators. */
  pinMessage(roomId: string, seq: number, on = true): Promise<Message> {
    return this.changeMessage('message:pin', { roomId, seq, on });
  }

  /** What was pinned last comes first. */
  async pinnedMessages(roomId: string): Promise<Message[]> {
    return (await this.request('pins:list', { roomId })).messages;
  }

  /** What the message said before it was edited, oldest first; for moderators. */
  async messageVersions(roomId: string, seq: number): Promise<MessageVersions['versions']> {
    return (await this.request('message:versions', { roomId, seq })).versions;
  }

  /** A page of the thread of a message: the newest replies, or those before or after a seq. */
  loadThread(roomId: string, threadRoot: number, page: HistoryRange = {}): Promise<HistoryPage> {
    return this.request('history:get', { roomId, threadRoot, ...page });
  }

  /** I have read everything up to the message. `readSeq` and `unread` say so at once; the server is told at most once a second and room. */
  markRead(roomId: string, seq: number): Promise<void> {
    return this.marker.read(roomId, seq);
  }

  /** The message and what follows it count as unread again. */
  markUnread(roomId: string, seq: number): Promise<void> {
    return this.marker.unread(roomId, seq);
  }

  /** Fetches how far each member has read, which then stands in the room's `reads`; none in large rooms. */
  async readReceipts(roomId: string): Promise<ReadonlyMap<string, number>> {
    const { reads } = await this.request('reads:list', { roomId });
    const room = this.directory.rooms.get(roomId);
    if (room?.putReads(reads)) this.listeners.emit('read', roomId);
    return room?.reads ?? new Map(reads.map(({ userId, readSeq }) => [userId, readSeq]));
  }

  /** Call it at every key press: the server is told every few seconds. Nothing is told while offline. */
  setTyping(roomId: string, on: boolean): void {
    const link = this.connection.current;
    if (link && this.directory.typing.say(roomId, on)) void link.ask('typing:set', { roomId, on });
  }

  /** Of those whom I watch and share a room with, by user id. */
  get presence(): ReadonlyMap<string, PresenceStatus> {
    return this.presenceBook.states;
  }

  /** At most 200 users at a time, over all connections to come. */
  watchPresence(userIds: readonly string[]): void {
    this.presenceBook.watch(userIds, this.connection.current);
  }

  unwatchPresence(userIds: readonly string[]): void {
    this.presenceBook.unwatch(userIds, this.connection.current);
  }

  /** How many members are online in the rooms that I have counted, by room id. */
  get online(): ReadonlyMap<string, number> {
    return this.presenceBook.online;
  }

  /** For rooms too large to watch who is there; at most 20 at a time, over all connections to come. */
  countOnline(roomId: string, on: boolean): void {
    this.presenceBook.count(roomId, on, this.connection.current);
  }

  /** What others see of me, as far as this device goes. */
  setPresence(status: Status): void {
    this.presenceBook.set({ status }, this.connection.current);
  }

  /** A page that touches the room's `messages` also goes into them. */
  loadHistory(roomId: string, page: HistoryRange): Promise<HistoryPage> {
    return this.history.load(roomId, page);
  }

  /** Loads one page before the oldest of the room's `messages`; false when there is none. */
  loadOlder(roomId: string, limit?: number): Promise<boolean> {
    return this.history.loadOlder(roomId, limit);
  }

  /** Any request of the contract. */
  request<E extends RequestName>(event: E, input: RequestInput<E>): Promise<ResultOf<E>> {
    return this.requests.request(event, input);
  }

  /** Ends the client: what is not answered or not sent by now is rejected. It cannot be opened again. */
  close(): void {
    this.connection.close(new ParleyError({ code: 'unavailable', message: 'This client is closed', retryable: false }));
  }

  /** What the reply says is shown at once, before the change comes. */
  private async changeMessage<E extends 'message:edit' | 'message:delete' | 'message:react' | 'message:pin'>(
    event: E,
    input: RequestInput<E>,
  ): Promise<Message> {
    const { message } = await this.request(event, input);
    this.show(message);
    return message;
  }

  private statusChanged(status: ConnectionStatus): void {
    if (status === 'online') this.outboxes.wake();
    if (status === 'online' && this.connection.current) this.presenceBook.resume(this.connection.current);
    if (status !== 'online') this.directory.typing.forget();
    this.listeners.emit('status', status);
  }

  private catchUp(link: Link): ReturnType<RoomDirectory['catchUp']> {
    this.link = link;
    return this.directory.catchUp();
  }

  /** Over the connection that is up or just catching up, and no other. */
  private insist<E extends RequestName>(event: E, input: RequestInput<E>): ReturnType<typeof this.requests.insist<E>> {
    return this.link ? this.requests.insist(this.link, event, input) : Promise.resolve('gone');
  }

  private applied(room: RoomModel, change: Change): void {
    if (change.kind === 'message') this.outboxes.shown(room, this.ownOf([change.message]));
    this.listeners.emit('change', room.room.id, change);
  }

  private tookSnapshot(room: RoomModel, isNew: boolean): void {
    this.outboxes.shown(room, this.ownOf(room.messages));
    if (!isNew) this.listeners.emit('reset', room.room.id);
  }

  private ownOf(messages: readonly Message[]): Message[] {
    return messages.filter(({ sender }) => sender.id === this.session?.userId);
  }

  /** Where the room is not here (any more), there is nothing to wait for. */
  private show(message: Message): number {
    const timeline = this.directory.rooms.get(message.roomId)?.timeline;
    timeline?.put(message);
    return timeline ? timeline.lastSeq : Infinity;
  }

  private ended(error: ParleyError, byServer: boolean): void {
    this.pauses.end();
    this.outboxes.close(error);
    this.directory.close(error);
    if (byServer) this.listeners.emit('closed', error);
  }
}
