import type { Change } from '../protocol/index.js';

export interface ChangeRange {
  roomId: string;
  /** Exclusive. */
  after: number;
  /** Inclusive. */
  upTo: number;
}

export interface ChangeSlice {
  /** In rev order. */
  changes: Change[];
  /** The rev that the slice reaches: that of its last change where `limit` cut it, otherwise `upTo` of the range, but never past what is committed. */
  upTo: number;
}

/** A user's membership of a room, and how far the room was when it was looked at. */
export interface Standing {
  /** The rev of the room's newest committed change. */
  head: number;
  /** The rev of the membership's latest change. */
  memberRev: number;
  /** A seq: messages up to it are not for this member. */
  visibleAfter: number;
}

/** Memberships that began lately, and the moment up to which that was looked at, by the database's clock (ISO 8601). */
export interface Joins {
  joined: { userId: string; roomId: string }[];
  lookedAt: string;
}

/** What delivery needs to know of the database, and all of it. */
export abstract class ChangeLog {
  /** The rooms that the user is a member of, or those of `roomIds` where given, all seen at one moment. */
  abstract standings(userId: string, roomIds?: readonly string[]): Promise<Map<string, Standing>>;

  /** Of these rooms, those whose newest committed change is past the given rev, with its rev. */
  abstract ahead(revs: ReadonlyMap<string, number>): Promise<Map<string, number>>;

  /**
   * Who became a member since an earlier look, as far as he still is one; tells some of them again, since a joining is dated
   * before it is committed. Without an earlier look: who became one in the last seconds.
   */
  abstract joins(since?: string): Promise<Joins>;

  /**
   * The things whose latest change lies in the range, in their present state. What was changed again past `upTo` is not
   * in the slice: it comes with that later change.
   */
  read(range: ChangeRange, limit: number): Promise<ChangeSlice> {
    return this.readMany([range], limit).then(([slice]) => slice ?? { changes: [], upTo: range.after });
  }

  /** The same for several rooms at once; a slice a range, in their order. `limit` counts for each. */
  abstract readMany(ranges: readonly ChangeRange[], limit: number): Promise<ChangeSlice[]>;
}
