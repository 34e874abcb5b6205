import type { Message, User } from '../../src/protocol/index.js';
import { rowsOf, type Note, type Row } from '../../web/src/conversation/rows.js';

const ann: User = { id: 'ann', name: 'Ann' };
const bo: User = { id: 'bo', name: 'Bo' };
const noon = new Date(2026, 2, 9, 12).getTime();

function message(seq: number, sender: User, minutes = seq / 10): Message {
  const createdAt = new Date(noon + minutes * 60_000).toISOString();
  return { roomId: 'r', seq, rev: seq, sender, clientMsgId: `c${seq}`, text: `m${seq}`, createdAt, deletedAt: null };
}

function note(rev: number, user: User, afterSeq: number): Note {
  return { rev, kind: 'joined', user, at: new Date(noon + 60_000).toISOString(), afterSeq };
}

function told(rows: Row[]): string {
  return rows
    .map((row) => {
      if (row.kind === 'message') return `${row.lead ? '+' : ''}${row.message.seq}`;
      return row.kind === 'notes' ? `notes ${row.notes.length}` : row.kind;
    })
    .join(' ');
}

const source = { outgoing: [], notes: [], me: ann.id };

describe('the rows of the timeline', () => {
  it('make one run of what a sender says in a row, and a new one after a pause', () => {
    const messages = [message(1, ann), message(2, ann), message(3, bo), message(4, bo, 6), message(5, bo, 6.1)];
    expect(told(rowsOf({ ...source, messages }))).toBe('day +1 2 +3 +4 5');
  });

  it('are separated where the reader’s calendar day changes', () => {
    const messages = [message(1, ann, 0), message(2, ann, 60 * 24), message(3, ann, 60 * 24 + 1)];
    expect(told(rowsOf({ ...source, messages }))).toBe('day +1 day +2 3');
  });

  it('tell who came where it happened, together when nobody spoke between', () => {
    const messages = [message(1, ann), message(2, ann), message(3, ann)];
    const notes = [note(7, bo, 1), note(8, bo, 1), note(9, bo, 3)];
    expect(told(rowsOf({ ...source, messages, notes }))).toBe('day +1 notes 2 +2 3 notes 1');
  });

  it('leave out what happened before the oldest message that is loaded', () => {
    const messages = [message(10, ann), message(11, ann)];
    const notes = [note(2, bo, 1), note(9, bo, 9), note(12, bo, 11)];
    expect(told(rowsOf({ ...source, messages, notes }))).toBe('day notes 1 +10 11 notes 1');
  });

  it('mark the first message of others that is new to the reader', () => {
    const messages = [message(1, bo), message(2, ann), message(3, bo), message(4, bo)];
    expect(told(rowsOf({ ...source, messages, unreadAfter: 1 }))).toBe('day +1 +2 unread +3 4');
    expect(told(rowsOf({ ...source, messages, unreadAfter: 4 }))).toBe('day +1 +2 +3 4');
  });

  it('show a message once when it is stored and still waits for its acknowledgement', () => {
    const sent = message(1, ann);
    const outgoing = ['c1', 'c2'].map((clientMsgId) => ({
      roomId: 'r',
      clientMsgId,
      text: 'm',
      extras: {},
      createdAt: sent.createdAt,
      state: 'sending' as const,
      sent: new Promise<never>(() => undefined),
      retry: () => undefined,
      discard: () => undefined,
    }));
    const rows = rowsOf({ ...source, messages: [sent], outgoing });
    expect(rows.map(({ key }) => key)).toEqual([expect.stringMatching(/^day /), 'own c1', 'own c2']);
  });

  it('keep their keys when older messages are loaded above', () => {
    const messages = [message(1, bo), message(2, bo), message(3, ann), message(4, bo)];
    const rows = (from: number) => rowsOf({ ...source, messages: messages.slice(from) });
    const keys = (from: number) => rows(from).map(({ key }) => key);
    expect(keys(2)).toEqual([keys(0)[0], ...keys(0).slice(3)]);
    expect(new Set(keys(0)).size).toBe(keys(0).length);
  });
});
