import fc from 'fast-check';
import { Backoff, longestWait } from '../../sdk/backoff.js';

const policy = { baseMs: 500, capMs: 30_000, random: () => 0 };

/** Small, fast and the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

test('doubles the longest wait up to the cap', () => {
  expect([0, 1, 2, 5, 6, 60, 5_000].map((attempt) => longestWait(policy, attempt))).toEqual([
    500, 1_000, 2_000, 16_000, 30_000, 30_000, 30_000,
  ]);
});

test('waits a random part of the longest wait, never longer, and never less than the server asked for', () => {
  const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.array(draw, { minLength: 1, maxLength: 20 }), fc.nat(60_000), (draws, retryAfterMs) => {
      const left = [...draws];
      const backoff = new Backoff({ ...policy, random: () => left.shift() ?? 0 });
      draws.forEach((random, attempt) => {
        expect(backoff.next(retryAfterMs)).toBe(retryAfterMs + random * longestWait(policy, attempt));
      });
    }),
  );
});

test('spreads a crowd evenly over the whole cap in a long outage', () => {
  const crowd = 5_000;
  const random = seeded(1);
  const tenths = new Array<number>(10).fill(0);
  for (let client = 0; client < crowd; client++) {
    const backoff = new Backoff({ ...policy, random });
    for (let attempt = 0; attempt < 12; attempt++) backoff.next();
    const tenth = Math.floor((backoff.next() / policy.capMs) * 10);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  // 500 each; the chance of one of them leaving these bounds by itself is below one in 10,000.
  for (const count of tenths) expect(Math.abs(count - 500)).toBeLessThan(100);
});

test('starts anew after a reset', () => {
  const backoff = new Backoff({ ...policy, random: () => 0.5 });
  expect([backoff.next(), backoff.next()]).toEqual([250, 500]);
  backoff.reset();
  expect(backoff.next()).toBe(250);
});
