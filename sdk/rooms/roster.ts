import type { Member } from '../../src/protocol/index.js';

/** Clocks of the instances and the database may differ by this much, in milliseconds. */
const clockSkewMs = 5_000;

/**
 * The members of one room as far as they were seen, and how many there are. A change of somebody not seen before does
 * not say whether they were counted already; when they joined, compared with when the count was taken, does.
 */
export class Roster {
  readonly members = new Map<string, Member>();
  count = 0;
  private countedAt = 0;

  /** `at` is the server's time in milliseconds. */
  reset(self: Member, count: number, at: number): void {
    this.members.clear();
    this.members.set(self.user.id, self);
    this.count = count;
    this.countedAt = at;
  }

  /** `cursor` is the rev up to which the count is right. */
  put(member: Member, cursor: number): void {
    const known = this.members.get(member.user.id);
    if (known && known.rev >= member.rev) return;
    this.members.set(member.user.id, member);
    if (known) this.count += Number(isPresent(member)) - Number(isPresent(known));
    else if (member.rev > cursor) this.count += this.unseen(member);
  }

  private unseen(member: Member): number {
    const joinedAt = Date.parse(member.joinedAt);
    if (isPresent(member)) return joinedAt < this.countedAt - clockSkewMs ? 0 : 1;
    return joinedAt > this.countedAt + clockSkewMs ? 0 : -1;
  }
}

function isPresent(member: Member): boolean {
  return member.leftAt === null;
}
