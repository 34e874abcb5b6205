import type { HistoryRecord, RequestRecord, SeenMessage } from '../history.js';
import { Edits } from './edits.js';
import { entry, Names, Numbers } from './numbers.js';

/**
 * The sends of a history and what became of them, and the rows that stand at the end. A message is known by who sent it, to which
 * room and under which `clientMsgId`: its attempts, however many, are one send. Several checks read one ledger.
 */
export class Sends {
  private readonly identities = new Names();
  /** By send: when it was first tried (NaN: never, a phantom), when first acknowledged, where, with what text. */
  readonly invokedAt = new Numbers();
  readonly ackedAt = new Numbers();
  readonly seq = new Numbers();
  readonly hash = new Numbers();
  /** By send: attempts, and how many of them were refused for good. */
  readonly attempts = new Numbers();
  readonly refusals = new Numbers();
  /** By send: the connection and request of the first attempt. */
  readonly connection = new Numbers();
  readonly request = new Numbers();
  private readonly sendOfRequest = new Numbers();
  private readonly rooms: string[] = [];
  private last = { room: '', sender: '', cmid: '', send: -1 };
  /** What was asked of messages afterwards. */
  readonly edits = new Edits();
  /** What stands at the end: source, room, and by seq the send and the hash of the row. */
  readonly rows = new Map<string, Map<string, Rows>>();
  /** The last word on each room, by source. */
  readonly heads = new Map<string, Map<string, Extract<HistoryRecord, { type: 'room' }>>>();

  get size(): number {
    return this.identities.size;
  }

  identity(room: string, sender: string, cmid: string): number {
    // Several checks ask for the same message in a row.
    const { last } = this;
    if (last.cmid === cmid && last.sender === sender && last.room === room) return last.send;
    const send = this.identities.of(`${room} ${sender} ${cmid}`);
    if (send === this.rooms.length) this.rooms.push(room);
    this.last = { room, sender, cmid, send };
    return send;
  }

  roomOf(send: number): string {
    return this.rooms[send] ?? '';
  }

  /** `room sender clientMsgId` */
  describe(send: number): string {
    return this.identities.name(send);
  }

  /** NaN for a request that is no send. */
  ofRequest(request: number): number {
    return this.sendOfRequest.at(request);
  }

  /** Whether the message may have this text: it was sent with it, or somebody wanted to change it so. */
  mayRead(send: number, seq: number, hash: number): boolean {
    return hash === this.hash.at(send) || this.edits.of(this.roomOf(send), seq)?.texts.has(hash) === true;
  }

  see(record: HistoryRecord): void {
    this.edits.see(record);
    switch (record.type) {
      case 'request':
        if (record.send !== undefined) this.invoke(record, record.send);
        break;
      case 'ok':
        if (record.stored !== undefined) {
          const send = this.identity(record.stored.room, record.stored.sender, record.stored.cmid);
          if (Number.isNaN(this.ackedAt.at(send))) {
            this.ackedAt.set(send, record.t);
            this.seq.set(send, record.stored.seq);
          }
        }
        break;
      case 'fail': {
        const send = this.ofRequest(record.request);
        // `internal` says that the server itself does not know.
        if (!Number.isNaN(send) && !record.retryable && record.code !== 'internal') {
          this.refusals.set(send, (this.refusals.at(send) || 0) + 1);
        }
        break;
      }
      case 'rows':
        for (const row of record.rows) this.row(record.source, record.room, row);
        break;
      case 'room':
        entry(this.heads, record.source, () => new Map()).set(record.room, record);
        break;
    }
  }

  private invoke(record: RequestRecord, { room, cmid, hash }: NonNullable<RequestRecord['send']>): void {
    const send = this.identity(room, record.user, cmid);
    this.sendOfRequest.set(record.request, send);
    this.attempts.set(send, (this.attempts.at(send) || 0) + 1);
    if (!Number.isNaN(this.invokedAt.at(send))) return;
    this.invokedAt.set(send, record.t);
    this.hash.set(send, hash);
    this.connection.set(send, record.connection);
    this.request.set(send, record.request);
  }

  private row(source: string, room: string, [, rev, seq, sender, cmid, hash, deleted]: SeenMessage): void {
    const rows = entry(
      entry(this.rows, source, () => new Map<string, Rows>()),
      room,
      () => ({ send: new Numbers(), hash: new Numbers(), rev: new Numbers(), doubled: [], deleted: new Set<number>() }),
    );
    const send = this.identity(room, sender, cmid);
    if (!Number.isNaN(rows.send.at(seq))) rows.doubled.push(seq);
    rows.send.set(seq, send);
    rows.hash.set(seq, hash);
    rows.rev.set(seq, rev);
    if (deleted === 1) rows.deleted.add(seq);
  }
}

export interface Rows {
  send: Numbers;
  hash: Numbers;
  rev: Numbers;
  /** Seqs that came twice. */
  doubled: number[];
  /** Seqs of tombstones, whose text is gone. */
  deleted: Set<number>;
}
