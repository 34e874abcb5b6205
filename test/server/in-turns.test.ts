import type { Request, Response } from 'express';
import { inTurns } from '../../src/rest/in-turns.js';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('requests over REST', () => {
  it('begin one in each turn of the event loop, in their order, without those that have gone (S-44)', async () => {
    const take = inTurns();
    const begun: number[] = [];
    const come = (n: number, response = { destroyed: false }) => {
      take({} as Request, response as Response, () => void begun.push(n));
      return response;
    };
    come(1);
    come(2);
    const gone = come(3);
    come(4);
    expect(begun).toEqual([]);
    await turn();
    expect(begun).toEqual([1]);
    gone.destroyed = true;
    await turn();
    expect(begun).toEqual([1, 2]);
    await turn();
    await turn();
    expect(begun).toEqual([1, 2, 4]);
    await turn();
    come(5);
    await turn();
    expect(begun).toEqual([1, 2, 4, 5]);
  });
});
