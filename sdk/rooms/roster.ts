import type { Member } from '../../src/protocol/index.js';

/** The members of one room as far as they were seen, and how many there are: each change of a member tells that number. */
export class Roster {
  readonly members = new Map<string, Member>();
  count = 0;

  reset(self: Member, count: number): void {
    this.members.clear();
    this.members.set(self.user.id, self);
    this.count = count;
  }

  /** Of two copies the one with the higher `rev` stays, whatever way they came. */
  put(member: Member): void {
    const known = this.members.get(member.user.id);
    if (!known || known.rev < member.rev) this.members.set(member.user.id, member);
  }
}
