import { Mutations } from '../../verify/fuzz/mutations.js';
import { frame } from '../../verify/load/raw-connection.js';
import { Random } from '../../verify/random.js';

const samples = [JSON.stringify(['message:send', { roomId: 'r', clientMsgId: 'm', text: 'Hello' }])];
const some = (seed: number) => {
  const mutations = new Mutations(new Random(seed), samples);
  return Array.from({ length: 2_000 }, (_, i) => (i % 10 === 9 ? mutations.rough() : mutations.gentle()));
};

describe('mutated packets', () => {
  it('are the same of the same seed, and others of another', () => {
    expect(some(1)).toEqual(some(1));
    expect(some(1)).not.toEqual(some(2));
  });

  it('are of every level, and hardly one is like another', () => {
    const made = some(1);
    expect(new Set(made.map(({ level }) => level))).toEqual(new Set(['engine', 'parser', 'event']));
    const events = made.filter(({ level }) => level === 'event').map(({ bytes }) => bytes.toString('latin1'));
    expect(new Set(events).size).toBeGreaterThan(events.length * 0.9);
  });

  it('that are gentle leave whole JSON to be read', () => {
    const mutations = new Mutations(new Random(3), samples);
    for (let i = 0; i < 2_000; i++) {
      const { level, bytes } = mutations.gentle();
      // Those in fragments begin without the bit of a last frame.
      if (level !== 'event' || ((bytes[0] ?? 0) & 0x80) === 0) continue;
      const text = bytes.toString().slice(bytes.toString().indexOf('42'));
      expect(() => JSON.parse(text.replace(/^42\d*/, '')) as unknown).not.toThrow();
    }
  });
});

describe('a frame', () => {
  it.each([0, 125, 126, 65_535, 65_536])('of %d bytes says its length', (length) => {
    const bytes = frame(Buffer.alloc(length, 1));
    const header = length < 126 ? 6 : length < 65_536 ? 8 : 14;
    expect(bytes.length).toBe(header + length);
    const short = (bytes[1] ?? 0) & 0x7f;
    const said = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    expect(said).toBe(length);
  });
});
