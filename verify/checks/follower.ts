import type { ConnectedRecord, DeliverRecord, HistoryRecord, Seen, SyncRecord } from '../history.js';
import type { Edits } from './edits.js';
import { entry } from './numbers.js';

/** Where a client stands in a room. */
export interface Place {
  /** The rev up to which it has everything; -1 before its first sync. */
  cursor: number;
  /** The newest message applied; -1 where that is not known. */
  lastSeq: number;
  /** When the cursor last moved. */
  movedAt: number;
  /** Live frames that came while a sync was under way, ahead of the cursor. */
  held: DeliverRecord[];
  /** Seqs that were passed over and have to come as later changes of theirs. */
  passedOver: Map<number, { t: number; rev: number }>;
}

interface ClientState {
  user: string;
  connection: number;
  /** Connected and not cut since. */
  online: boolean;
  /** Its catch-up is applied. */
  live: boolean;
  epoch: string;
  freshEpoch: boolean;
  places: Map<string, Place>;
  /** By room, what this connection was sent last. It may jump ahead once its user has left: if he comes back, it starts anew. */
  chains: Map<string, { upTo: number; mayJump: boolean }>;
  /** Syncs asked for and not answered yet: a room, or `*`. */
  syncing: Map<number, string>;
}

/** A rev that a frame claimed to cover and did not carry; only right if something later changed the same thing. */
export interface Uncarried {
  room: string;
  rev: number;
  t: number;
  client: string;
}

/**
 * Follows each client as a plain one follows the protocol: live frames chain, a sync moves the cursor, frames that come ahead
 * of it during the sync wait for its reply. Everything that does not fit is `onViolation`.
 */
export class Follower {
  readonly clients = new Map<string, ClientState>();
  readonly uncarried: Uncarried[] = [];
  private readonly clientOfSync = new Map<number, string>();
  readonly counts = { frames: 0, changes: 0, messages: 0, syncs: 0, reconnects: 0 };

  constructor(
    /** What changes of messages were asked for. */
    private readonly edits: Edits,
    private readonly onViolation: (t: number, what: string, where: Record<string, unknown>) => void,
  ) {}

  see(record: HistoryRecord): void {
    switch (record.type) {
      case 'connected':
        this.connect(record);
        break;
      case 'disconnected': {
        const state = this.clients.get(record.client);
        if (state?.connection === record.connection) state.online = state.live = false;
        break;
      }
      case 'live': {
        const state = this.clients.get(record.client);
        if (state?.connection === record.connection) {
          state.live = true;
          for (const [request, wanted] of state.syncing) if (wanted === '*') state.syncing.delete(request);
          for (const [room, place] of state.places) this.release(record.client, state, room, place, record.t);
        }
        break;
      }
      case 'request':
        if (record.sync !== undefined) {
          this.clients.get(record.client)?.syncing.set(record.request, record.sync);
          this.clientOfSync.set(record.request, record.client);
        }
        break;
      case 'fail':
      case 'info':
        this.clients.get(this.clientOfSync.get(record.request) ?? '')?.syncing.delete(record.request);
        break;
      case 'gone':
        this.forget(this.clients.get(record.client), record.room);
        break;
      case 'deliver':
        this.deliver(record);
        break;
      case 'sync':
        this.sync(record);
        break;
    }
  }

  finish(): void {
    for (const [client, { places }] of this.clients) {
      for (const [room, place] of places) {
        for (const [seq, { t, rev }] of place.passedOver)
          this.onViolation(t, 'skipped a message', { client, room, seq, before: rev });
        for (const frame of place.held) {
          if (place.cursor >= 0 && frame.after > place.cursor)
            this.onViolation(frame.t, 'a hole that nothing filled', {
              client,
              room,
              cursor: place.cursor,
              after: frame.after,
            });
        }
      }
    }
  }

  private connect({ client, user, connection, epoch }: ConnectedRecord): void {
    const old = this.clients.get(client);
    const places = old?.places ?? new Map<string, Place>();
    // What was held belonged to the old connection; the sync of the new one brings it again.
    for (const place of places.values()) place.held = [];
    if (old !== undefined) this.counts.reconnects += 1;
    const freshEpoch = old !== undefined && old.epoch !== epoch;
    this.clients.set(client, {
      user,
      connection,
      online: true,
      live: false,
      epoch,
      freshEpoch,
      places,
      chains: new Map(),
      syncing: new Map(),
    });
  }

  private deliver(frame: DeliverRecord): void {
    const { client, room, t, after, upTo, changes } = frame;
    this.counts.frames += 1;
    const state = this.clients.get(client);
    if (state?.connection !== frame.connection || !state.online) return; // one of a connection that has ended
    const place = entry(state.places, room, newPlace);
    const where = { client, connection: frame.connection, room, after, upTo };
    if (upTo <= after) this.onViolation(t, 'a frame that leads nowhere', where);
    const chain = state.chains.get(room);
    if (chain !== undefined && after !== chain.upTo && !(chain.mayJump && after > chain.upTo)) {
      const what = after > chain.upTo ? 'skipped' : upTo <= chain.upTo ? 'repeated' : 'stepped back';
      this.onViolation(t, `${what}: a live frame does not follow the one before it`, { ...where, before: chain.upTo });
    }
    state.chains.set(room, { upTo, mayJump: false });
    let rev = after;
    for (const change of changes) {
      if (change[1] <= rev || change[1] > upTo)
        this.onViolation(t, 'a change out of order in its frame', { ...where, rev: change[1] });
      rev = change[1];
    }
    if (this.isSyncing(state, room, place)) place.held.push(frame);
    else if (after > place.cursor) {
      this.onViolation(t, 'a hole between the sync and what came live', { ...where, cursor: place.cursor });
      place.held.push(frame);
    } else this.apply(client, room, place, t, after, upTo, changes);
    // The last that a leaving member is sent.
    if (changes.some(([kind, , who, left]) => kind === 'u' && who === state.user && left === 1))
      this.forget(state, room);
  }

  private forget(state: ClientState | undefined, room: string): void {
    state?.places.delete(room);
    const chain = state?.chains.get(room);
    if (chain !== undefined) chain.mayJump = true;
  }

  private isSyncing(state: ClientState, room: string, place: Place): boolean {
    if (place.cursor < 0 || !state.live) return true;
    if (state.syncing.size === 0) return false;
    for (const wanted of state.syncing.values()) if (wanted === '*' || wanted === room) return true;
    return false;
  }

  private sync(record: SyncRecord): void {
    const { client, room, t, after, upTo } = record;
    this.counts.syncs += 1;
    const state = this.clients.get(client);
    if (state?.connection !== record.connection) return;
    const place = entry(state.places, room, newPlace);
    const where = { client, room, after, upTo, cursor: place.cursor };
    if (record.reset) {
      if (place.cursor >= 0 && !state.freshEpoch) this.onViolation(t, 'made to start anew without a reason', where);
      place.cursor = upTo;
      place.movedAt = t;
      place.passedOver.clear();
      place.lastSeq = newestAt(upTo, record.changes);
    } else if (after !== place.cursor) {
      this.onViolation(t, 'caught up from another place than the client stands at', where);
    } else this.apply(client, room, place, t, after, upTo, record.changes);
    if (state.syncing.get(record.request) === room) state.syncing.delete(record.request);
    if (!record.more) this.release(client, state, room, place, t);
  }

  /** Applies what was held, once no sync of the room is under way. */
  private release(client: string, state: ClientState, room: string, place: Place, t: number): void {
    if (place.held.length === 0 || this.isSyncing(state, room, place)) return;
    for (const frame of place.held.splice(0)) {
      if (frame.after > place.cursor) {
        const where = { client, room, after: frame.after, cursor: place.cursor };
        this.onViolation(frame.t, 'a hole between the sync and what came live', where);
        place.held.push(frame);
      } else this.apply(client, room, place, t, frame.after, frame.upTo, frame.changes);
    }
  }

  private apply(
    client: string,
    room: string,
    place: Place,
    t: number,
    after: number,
    upTo: number,
    changes: readonly Seen[],
  ): void {
    if (upTo <= place.cursor) return;
    let expected = Math.max(after, place.cursor) + 1;
    for (const change of changes) {
      const rev = change[1];
      if (rev <= place.cursor) continue;
      for (; expected < rev; expected++) this.uncarried.push({ room, rev: expected, t, client });
      expected = rev + 1;
      this.counts.changes += 1;
      if (change[0] !== 'm') continue;
      const mayBeOld = change[6] === 1 || this.edits.of(room, change[2]) !== undefined;
      this.message(client, room, place, t, rev, change[2], mayBeOld);
    }
    for (; expected <= upTo; expected++) this.uncarried.push({ room, rev: expected, t, client });
    place.cursor = upTo;
    place.movedAt = t;
  }

  private message(
    client: string,
    room: string,
    place: Place,
    t: number,
    rev: number,
    seq: number,
    mayBeOld: boolean,
  ): void {
    this.counts.messages += 1;
    const where = { client, room, seq, rev, lastSeq: place.lastSeq };
    if (seq <= place.lastSeq) {
      // An old message may change; it may not come again as it was.
      const passedOver = place.passedOver.delete(seq);
      if (!mayBeOld) this.onViolation(t, passedOver ? 'a message out of order' : 'repeated a message', where);
      return;
    }
    // What was changed may be of any age: it does not tell where the room stands.
    if (place.lastSeq < 0 && mayBeOld) return;
    const next = place.lastSeq < 0 ? seq : place.lastSeq + 1;
    for (let missing = next; missing < seq; missing++) place.passedOver.set(missing, { t, rev });
    place.lastSeq = seq;
  }
}

function newPlace(): Place {
  return { cursor: -1, lastSeq: -1, movedAt: 0, held: [], passedOver: new Map() };
}

/** The newest message at a rev, by a snapshot that may have newer ones, and old ones that changed since. -1 if it does not tell. */
function newestAt(upTo: number, changes: readonly Seen[]): number {
  let newest = 0;
  let oldestBeyond = Infinity;
  for (const [kind, rev, seq] of changes) {
    if (kind !== 'm') continue;
    if (rev <= upTo) newest = Math.max(newest, seq);
    else oldestBeyond = Math.min(oldestBeyond, seq);
  }
  return newest > 0 || oldestBeyond === Infinity || oldestBeyond === 1 ? newest : -1;
}
