import { may, type RoomState, type SendExtras } from '../../../sdk/index.js';

export interface Candidate {
  /** Undefined for the whole room. */
  userId?: string;
  /** What is written behind the `@`. */
  name: string;
}

const shown = 6;

/** What is begun with an `@` right before the cursor. */
export function begunAt(text: string, cursor: number): { from: number; begun: string } | undefined {
  const match = /(?:^|\s)@([^@\n]{0,40})$/.exec(text.slice(0, cursor));
  return match ? { from: cursor - (match[1] ?? '').length - 1, begun: (match[1] ?? '').toLowerCase() } : undefined;
}

/** Members whose name begins so, in any of its words; those who govern may call the whole room. */
export function candidates({ members, member }: RoomState, begun: string): Candidate[] {
  const people = [...members.values()]
    .filter(({ leftAt, user }) => leftAt === null && user.id !== member.user.id)
    .map(({ user }): Candidate => ({ userId: user.id, name: user.name }))
    .sort((one, other) => one.name.localeCompare(other.name));
  const all = may(member.role, 'message:mentionRoom') ? [...people, { name: 'room' }] : people;
  return all.filter(({ name }) => ` ${name.toLowerCase()}`.includes(` ${begun}`)).slice(0, shown);
}

/** Who of those that were picked is still named in the text. */
export function mentionsIn(text: string, picked: readonly Candidate[]): SendExtras['mentions'] {
  const named = picked.filter(({ name }) => text.includes(`@${name}`));
  if (named.length === 0) return undefined;
  const users = [...new Set(named.flatMap(({ userId }) => userId ?? []))];
  return { users, room: named.some(({ userId }) => userId === undefined) };
}
