import { BatchedRead } from '../../src/database/batched-read.js';

/** A read that answers when it is told to, and remembers what it was asked. */
function controlled() {
  const asked: (readonly number[])[] = [];
  const answers: ((fails?: Error) => void)[] = [];
  const read = (keys: readonly number[]): Promise<number[]> => {
    asked.push(keys);
    return new Promise((resolve, reject) =>
      answers.push((error) => (error === undefined ? resolve(keys.map((key) => key * 10)) : reject(error))),
    );
  };
  return { asked, answers, read };
}

describe('a batched read', () => {
  it('asks at once while little is under way, and then together for all that came meanwhile', async () => {
    const { asked, answers, read } = controlled();
    const reads = new BatchedRead(read);
    const got = [1, 2, 3, 4, 3].map((key) => reads.get(key));
    expect(asked).toEqual([[1], [2]]);
    answers[0]?.();
    expect(await got[0]).toBe(10);
    await new Promise(setImmediate);
    expect(asked).toEqual([[1], [2], [3, 4, 3]]);
    answers[1]?.();
    answers[2]?.();
    expect(await Promise.all(got)).toEqual([10, 20, 30, 40, 30]);
  });

  it('keeps a query within its weight, and lets the heaviest go alone', async () => {
    const { asked, answers, read } = controlled();
    const reads = new BatchedRead(read, (key) => key, 10);
    const got = [1, 1, 4, 6, 50, 5].map((key) => reads.get(key));
    for (let i = 0; i < 5; i++) {
      answers[i]?.();
      await new Promise(setImmediate);
    }
    expect(asked).toEqual([[1], [1], [4, 6], [50], [5]]);
    expect(await Promise.all(got)).toEqual([10, 10, 40, 60, 500, 50]);
  });

  it('fails those that were asked together, and goes on', async () => {
    const { answers, read } = controlled();
    const reads = new BatchedRead(read);
    const first = reads.get(1);
    const others = [reads.get(2), reads.get(3), reads.get(4)];
    answers[0]?.(new Error('gone'));
    await expect(first).rejects.toThrow('gone');
    await new Promise(setImmediate);
    answers[1]?.();
    answers[2]?.(new Error('gone too'));
    const ends = await Promise.allSettled(others);
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  });
});
