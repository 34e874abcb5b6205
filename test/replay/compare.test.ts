import { compare, isClean, none } from '../../verify/replay/compare.js';

const said = ['hello', 'there', 'you', 'two'].map((text, i) => ({ id: i + 1, room: 'r', user: 'u', text }));
const found = (...ids: number[]) => ids.map((id) => ({ clientMsgId: String(id), text: said[id - 1]?.text ?? 'who?' }));

describe('comparing a copy of a room with what was said in it', () => {
  it('finds nothing wrong with an exact copy', () => {
    expect(compare(said, found(1, 2, 3, 4))).toEqual(none);
    expect(isClean(none)).toBe(true);
  });

  it.each([
    ['what is missing', found(1, 3, 4), { lost: 1 }],
    ['what stands twice', found(1, 2, 2, 3, 4), { doubled: 1 }],
    ['what came too late', found(1, 3, 2, 4), { outOfOrder: 1 }],
    ['what nobody said', found(1, 2, 3, 4, 9), { foreign: 1 }],
    ['another text', [...found(1, 2, 3), { clientMsgId: '4', text: 'too' }], { altered: 1 }],
  ])('counts %s', (_, copy, wrong) => {
    expect(compare(said, copy)).toEqual({ ...none, ...wrong });
    expect(isClean(compare(said, copy))).toBe(false);
  });
});
