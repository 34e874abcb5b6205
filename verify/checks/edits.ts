import type { HistoryRecord, MessageChange } from '../history.js';
import { entry } from './numbers.js';

/** What was asked of a message after it was sent. */
export interface Asked {
  /** The hashes of the texts that somebody wanted to give it. */
  texts: Set<number>;
  edits: number;
  deletes: number;
}

/** The changes of messages that stand already, as clients asked for them; several checks read one ledger. */
export class Edits {
  private readonly byPlace = new Map<string, Asked>();

  /** Undefined where nobody ever asked for a change. */
  of(room: string, seq: number): Asked | undefined {
    return this.byPlace.get(`${room} ${seq}`);
  }

  see(record: HistoryRecord): void {
    if (record.type === 'request' && record.change !== undefined) this.ask(record.change);
  }

  private ask(change: MessageChange): void {
    const place = `${change.room} ${change.seq}`;
    const asked = entry(this.byPlace, place, () => ({ texts: new Set<number>(), edits: 0, deletes: 0 }));
    if (change.kind === 'edit') {
      asked.texts.add(change.hash);
      asked.edits += 1;
    }
    if (change.kind === 'delete') asked.deletes += 1;
  }
}
