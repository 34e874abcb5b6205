/** Marks in message texts, by which a frame tells what it delivers, however many messages it carries and in whatever shape. */

const MARK = 0x40;
const DIGITS = 8;
const LENGTH = DIGITS + 2;
/** Frames that are remembered: what every member of a room is sent is the same, byte for byte. */
const REMEMBERED = 512;

/** `@` and eight digits and `@`; nothing else that a server sends has an `@`. Ids are from 0 to 36^8. */
export function markOf(id: number): string {
  return `@${id.toString(36).padStart(DIGITS, '0')}@`;
}

/** The ids of all marks in the frame, in their order. */
export function idsIn(frame: Buffer): number[] {
  const ids: number[] = [];
  for (let at = nextMark(frame, 0); at >= 0; at = nextMark(frame, at + LENGTH)) ids.push(idAt(frame, at + 1));
  return ids;
}

/** The same, at the price of a comparison for a frame that was seen a moment ago. */
export class FrameReader {
  private readonly byFirst = new Map<number, Seen>();
  private readonly inTurn: number[] = [];

  idsOf(frame: Buffer): readonly number[] {
    const at = nextMark(frame, 0);
    if (at < 0) return [];
    const first = idAt(frame, at + 1);
    const known = this.byFirst.get(first);
    if (known?.bytes.equals(frame) === true) return known.ids;
    const ids = idsIn(frame);
    this.byFirst.set(first, { bytes: Buffer.from(frame), ids });
    if (known === undefined) this.inTurn.push(first);
    if (this.inTurn.length > REMEMBERED) this.byFirst.delete(this.inTurn.shift() ?? 0);
    return ids;
  }
}

interface Seen {
  bytes: Buffer;
  ids: number[];
}

/** Where the next one begins, or -1. */
function nextMark(frame: Buffer, from: number): number {
  let at = frame.indexOf(MARK, from);
  while (at >= 0 && frame[at + LENGTH - 1] !== MARK) at = frame.indexOf(MARK, at + 1);
  return at;
}

function idAt(frame: Buffer, from: number): number {
  let id = 0;
  for (let i = from; i < from + DIGITS; i++) {
    const byte = frame[i] ?? 0;
    id = id * 36 + (byte < 0x3a ? byte - 0x30 : byte - 0x57);
  }
  return id;
}
