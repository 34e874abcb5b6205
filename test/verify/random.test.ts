import { Random } from '../../verify/random.js';

describe('seeded randomness', () => {
  it('repeats with the seed, differs without, and forks without moving the parent', () => {
    const draw = (random: Random) => Array.from({ length: 20 }, () => random.uint32());
    expect(draw(new Random(7))).toEqual(draw(new Random(7)));
    expect(draw(new Random(7))).not.toEqual(draw(new Random(8)));
    const parent = new Random(7);
    parent.fork('child').uint32();
    expect(draw(parent)).toEqual(draw(new Random(7)));
  });

  it('spreads evenly', () => {
    const random = new Random('even');
    const counts = Array.from({ length: 10 }, () => 0);
    for (let i = 0; i < 100_000; i++) counts[random.int(10)] = (counts[random.int(10)] ?? 0) + 1;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });
});
