import fc from 'fast-check';
import { judge, judgeOne } from '../../verify/checks/index.js';
import { changedBugs } from './bugs/changed-bugs.js';
import { conductBugs } from './bugs/conduct-bugs.js';
import { seenBugs } from './bugs/seen-bugs.js';
import { storedBugs } from './bugs/stored-bugs.js';
import { Model, steps } from './model.js';

describe('the checks', () => {
  it('pass every history of a correct system', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (played) => {
        const { results } = await judge(Model.play(played));
        expect(results.filter(({ ok }) => !ok)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it.each([...storedBugs, ...seenBugs, ...changedBugs, ...conductBugs])(
    'catch a system that $bug: $caughtBy',
    ({ caughtBy, saying, seed }) => {
      let seeded = 0;
      fc.assert(
        fc.property(steps, fc.nat(), (played, place) => {
          const history = seed(structuredClone(Model.play(played)), (from) => from[place % Math.max(1, from.length)]);
          if (history === undefined) return;
          seeded += 1;
          const { ok, violations } = judgeOne(caughtBy, history);
          expect(ok).toBe(false);
          expect(violations.map(({ what }) => what).join('; ')).toMatch(saying);
        }),
        { numRuns: 60 },
      );
      expect(seeded).toBeGreaterThan(5);
    },
  );
});
