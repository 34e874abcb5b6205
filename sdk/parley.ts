import { uuidv7 } from 'uuidv7';
import type {
  Change,
  HistoryPage,
  Member,
  MemberPage,
  Message,
  RequestInput,
  RequestName,
  ResultOf,
  Room,
  RoomPage,
  SessionReady,
} from '../src/protocol/index.js';
import { Connection } from './connection/connection.js';
import type { Link } from './connection/link.js';
import { Requests } from './connection/requests.js';
import type { ConnectionStatus, ParleyEvents } from './events.js';
import { Listeners } from './listeners.js';
import { settingsOf, type ParleyOptions } from './options.js';
import { Outboxes } from './outbox/outboxes.js';
import type { Outgoing } from './outbox/outgoing.js';
import { ParleyError } from './parley-error.js';
import { Pauses } from './pauses.js';
import { History, type HistoryRange } from './rooms/history.js';
import { RoomDirectory } from './rooms/room-directory.js';
import type { RoomModel, RoomState } from './rooms/room-state.js';
import { ServerClock } from './server-clock.js';

/**
 * A client of Parley for one user. Keeps itself connected, the rooms of the user up to date, and what is sent in order,
 * until `close()` or until the server ends the session for good (`closed`).
 *
 * Requests wait for the connection and are asked again after timeouts and retryable errors; they reject with `ParleyError`.
 */
export class Parley {
  private readonly listeners = new Listeners<ParleyEvents>();
  private readonly pauses = new Pauses();
  private readonly clock = new ServerClock();
  private readonly connection: Connection;
  private readonly requests: Requests;
  private readonly directory: RoomDirectory;
  private readonly outboxes: Outboxes;
  private readonly history: History;
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
        now: () => this.clock.now(),
      },
      {
        rooms: () => this.listeners.emit('rooms'),
        snapshot: (room, isNew) => this.tookSnapshot(room, isNew),
        change: (room, change) => this.applied(room, change),
        dropped: (roomId) => this.outboxes.forget(roomId),
      },
      settings.backoff,
      settings.historyWindow,
      (roomId) => this.outboxes.of(roomId).items,
    );
    this.history = new History(this.directory.rooms, (request) => this.request('history:get', request));
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

  async joinRoom(roomId: string): Promise<RoomState> {
    const { room } = await this.request('room:join', { roomId });
    return this.directory.open(room.id);
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
  send(roomId: string, text: string, options: { clientMsgId?: string } = {}): Outgoing {
    return this.outboxes.of(roomId).add(text, options.clientMsgId);
  }

  async deleteMessage(roomId: string, seq: number): Promise<Message> {
    const { message } = await this.request('message:delete', { roomId, seq });
    this.directory.rooms.get(roomId)?.timeline.put(message);
    return message;
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

  private statusChanged(status: ConnectionStatus): void {
    if (status === 'online') this.outboxes.wake();
    this.listeners.emit('status', status);
  }

  private catchUp(link: Link): ReturnType<RoomDirectory['catchUp']> {
    this.link = link;
    if (this.session) this.clock.set(this.session.serverTime);
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
