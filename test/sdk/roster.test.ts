import { Roster } from '../../sdk/rooms/roster.js';
import { me, member, time, userNumber } from './samples.js';

function rosterOf(count: number): Roster {
  const roster = new Roster();
  roster.reset(member({ user: me }), count);
  return roster;
}

test('is not taken back by an older copy', () => {
  const roster = rosterOf(3);
  const left = member({ user: userNumber(1), rev: 12, leftAt: time });
  roster.put(left);
  roster.put(member({ user: userNumber(1), rev: 5 }));
  expect(roster.members.get(userNumber(1).id)).toEqual(left);
});

test('takes in listed members without counting them', () => {
  const roster = rosterOf(3);
  roster.put(member({ user: userNumber(1), rev: 5 }));
  expect(roster.count).toBe(3);
  expect([...roster.members.keys()]).toEqual([me.id, userNumber(1).id]);
});
