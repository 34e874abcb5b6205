import type { Message, Outgoing, User } from '../../../sdk/index.js';
import { dayKey } from '../time.js';

/** Something that happened in a room beside talk, seen while the page was open. */
export interface Note {
  readonly rev: number;
  readonly kind: 'joined' | 'left' | 'renamed' | 'topic';
  /** Who joined or left. */
  readonly user?: User;
  /** The new name or topic. */
  readonly text?: string;
  readonly at: string;
  /** It happened after the message of this seq. */
  readonly afterSeq: number;
}

/** What the timeline shows, from top to bottom. `lead` is the first message of a run of one sender: it carries the name. */
export type Row =
  | { readonly kind: 'day'; readonly key: string; readonly at: Date }
  | { readonly kind: 'unread'; readonly key: string }
  | { readonly kind: 'notes'; readonly key: string; readonly notes: readonly Note[] }
  | { readonly kind: 'message'; readonly key: string; readonly message: Message; readonly lead: boolean }
  | { readonly kind: 'outgoing'; readonly key: string; readonly outgoing: Outgoing; readonly lead: boolean };

export interface TimelineSource {
  readonly messages: readonly Message[];
  readonly outgoing: readonly Outgoing[];
  readonly notes: readonly Note[];
  readonly me: string;
  /** Shows where something was said that only its sender sees. */
  readonly governs?: boolean;
  /** Others' messages after this seq are new to the reader. */
  readonly unreadAfter?: number;
}

/** Somebody said something that only he sees: it was never anything but a tombstone here. */
export const isShadowed = ({ createdAt, deletedAt }: Message): boolean => deletedAt === createdAt;

/** A run of one sender's messages is broken by a pause as long as this. */
const runMs = 5 * 60 * 1000;

/** A message keeps its key whatever is loaded around it: its element stays, and the scroll position can be held by it. */
export function rowsOf({ messages, outgoing, notes, me, governs = false, unreadAfter }: TimelineSource): Row[] {
  const rows: Row[] = [];
  let day: string | undefined;
  let last: { sender: string; at: number } | undefined;
  let unreadShown = unreadAfter === undefined;
  let nextNote = notes.findIndex((note) => note.afterSeq >= (messages[0]?.seq ?? 0) - 1);
  if (nextNote < 0) nextNote = notes.length;

  const enterDay = (at: Date) => {
    if (dayKey(at) === day) return;
    day = dayKey(at);
    last = undefined;
    rows.push({ kind: 'day', key: `day ${day}`, at });
  };
  const takeNotesBefore = (seq: number) => {
    for (let note = notes[nextNote]; note && note.afterSeq < seq; note = notes[++nextNote]) {
      enterDay(new Date(note.at));
      const row = rows.at(-1);
      if (row?.kind === 'notes') rows[rows.length - 1] = { ...row, notes: [...row.notes, note] };
      else rows.push({ kind: 'notes', key: `note ${note.rev}`, notes: [note] });
      last = undefined;
    }
  };
  const leads = (sender: string, at: Date) => {
    const lead = last?.sender !== sender || at.getTime() - last.at > runMs;
    last = { sender, at: at.getTime() };
    return lead;
  };

  for (const message of messages) {
    if (isShadowed(message) && !governs) continue;
    const at = new Date(message.createdAt);
    const mine = message.sender.id === me;
    takeNotesBefore(message.seq);
    enterDay(at);
    if (!unreadShown && !mine && message.seq > (unreadAfter ?? 0)) {
      unreadShown = true;
      last = undefined;
      rows.push({ kind: 'unread', key: 'unread' });
    }
    const key = mine ? `own ${message.clientMsgId}` : `seq ${message.seq}`;
    rows.push({ kind: 'message', key, message, lead: leads(message.sender.id, at) });
  }
  takeNotesBefore(Infinity);
  const stored = new Set(rows.map((row) => row.key));
  for (const pending of outgoing) {
    if (stored.has(`own ${pending.clientMsgId}`)) continue;
    const at = new Date(pending.createdAt);
    enterDay(at);
    rows.push({ kind: 'outgoing', key: `own ${pending.clientMsgId}`, outgoing: pending, lead: leads(me, at) });
  }
  return rows;
}
