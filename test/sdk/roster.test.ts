import { Roster } from '../../sdk/rooms/roster.js';
import { me, member, time, userNumber } from './samples.js';

const countedAt = Date.parse(time) + 3_600_000;
const later = new Date(countedAt + 60_000).toISOString();

function rosterOf(count: number): Roster {
  const roster = new Roster();
  roster.reset(member({ user: me }), count, countedAt);
  return roster;
}

test('counts who joins and who leaves, once each', () => {
  const roster = rosterOf(3);
  const joined = member({ user: userNumber(1), rev: 11, joinedAt: later });
  roster.put(joined, 10);
  roster.put(joined, 11);
  expect(roster.count).toBe(4);
  roster.put(member({ user: userNumber(1), rev: 12, joinedAt: later, leftAt: later }), 11);
  roster.put(member({ user: userNumber(2), rev: 13, leftAt: later }), 12);
  expect(roster.count).toBe(2);
});

test('does not count somebody again who was a member before and only changed', () => {
  const roster = rosterOf(3);
  roster.put(member({ user: userNumber(1), rev: 11, role: 'owner' }), 10);
  expect(roster.count).toBe(3);
});

test('does not count somebody who joined and left between two looks', () => {
  const roster = rosterOf(3);
  roster.put(member({ user: userNumber(1), rev: 12, joinedAt: later, leftAt: later }), 10);
  expect(roster.count).toBe(3);
});

test('is not taken back by an older copy', () => {
  const roster = rosterOf(3);
  const left = member({ user: userNumber(1), rev: 12, leftAt: later });
  roster.put(left, 10);
  roster.put(member({ user: userNumber(1), rev: 5 }), 12);
  expect(roster.count).toBe(2);
  expect(roster.members.get(userNumber(1).id)).toEqual(left);
});

test('takes in a listed member without counting, unless the list is ahead of the changes', () => {
  const roster = rosterOf(3);
  roster.put(member({ user: userNumber(1), rev: 5 }), 10);
  expect(roster.count).toBe(3);
  const ahead = member({ user: userNumber(2), rev: 12, joinedAt: later });
  roster.put(ahead, 10);
  roster.put(ahead, 11);
  expect(roster.count).toBe(4);
  expect([...roster.members.keys()]).toEqual([me.id, userNumber(1).id, userNumber(2).id]);
});
