/**
 * How far this browser has read each room, as the seq of the newest message seen. Survives a reload; other browsers of
 * the same person do not know of it.
 */
export class ReadMarks {
  readonly #key: string;
  readonly #marks: Map<string, number>;

  constructor(userId: string) {
    this.#key = `parley.read.${userId}`;
    this.#marks = new Map(Object.entries(this.#load()));
  }

  get(roomId: string): number | undefined {
    return this.#marks.get(roomId);
  }

  /** Only ever moves forward; tells whether it moved. */
  move(roomId: string, seq: number): boolean {
    const before = this.#marks.get(roomId);
    if (before !== undefined && before >= seq) return false;
    this.#marks.set(roomId, seq);
    try {
      localStorage.setItem(this.#key, JSON.stringify(Object.fromEntries(this.#marks)));
    } catch {
      // Without storage the marks last as long as the page.
    }
    return true;
  }

  #load(): Record<string, number> {
    try {
      return JSON.parse(localStorage.getItem(this.#key) ?? '{}') as Record<string, number>;
    } catch {
      return {};
    }
  }
}
