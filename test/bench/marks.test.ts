import { FrameReader, idsIn, markOf } from '../../bench/load/marks.js';
import { Histogram } from '../../bench/load/histogram.js';

const frame = (...ids: number[]): Buffer =>
  Buffer.from(`42["room:changes",{"mail":"a@b","changes":[${ids.map((id) => `"${markOf(id)}...."`).join(',')}]}]`);

describe('marks in frames', () => {
  it('are found however many there are, and nothing else is', () => {
    expect(idsIn(frame())).toEqual([]);
    expect(idsIn(frame(1))).toEqual([1]);
    expect(idsIn(frame(0, 35, 36, 1_000_000, 36 ** 8 - 1))).toEqual([0, 35, 36, 1_000_000, 36 ** 8 - 1]);
    expect(idsIn(Buffer.from('@'))).toEqual([]);
    expect(idsIn(Buffer.from(`@${markOf(7)}@`))).toEqual([7]);
    expect(idsIn(Buffer.from(`${markOf(7)}00000008@`))).toEqual([7]);
  });

  it('are those of the frame, also of one that is as long as another and was written over', () => {
    const reader = new FrameReader();
    const received = frame(1, 2);
    expect(reader.idsOf(received)).toEqual([1, 2]);
    expect(reader.idsOf(frame(1, 2))).toBe(reader.idsOf(frame(1, 2)));
    frame(1, 3).copy(received);
    expect(reader.idsOf(received)).toEqual([1, 3]);
    expect(reader.idsOf(frame(1, 2))).toEqual([1, 2]);
  });

  it('are forgotten in time', () => {
    const reader = new FrameReader();
    const first = reader.idsOf(frame(1));
    for (let id = 2; id < 1_000; id++) expect(reader.idsOf(frame(id))).toEqual([id]);
    expect(reader.idsOf(frame(1))).toEqual([1]);
    expect(reader.idsOf(frame(1))).not.toBe(first);
  });
});

describe('a histogram', () => {
  it('tells quantiles to about three in a hundred', () => {
    const histogram = new Histogram();
    expect(histogram.quantile(0.5)).toBeNaN();
    for (let ms = 1; ms <= 1_000; ms++) histogram.add(ms);
    expect(histogram.quantile(0.5)).toBeGreaterThan(485);
    expect(histogram.quantile(0.5)).toBeLessThan(515);
    expect(histogram.quantile(0.99)).toBeGreaterThan(960);
    expect(histogram.quantile(0.99)).toBeLessThan(1_020);
  });

  it('holds what is very short and very long', () => {
    const histogram = new Histogram();
    histogram.add(0.004);
    expect(histogram.quantile(1)).toBeCloseTo(0.004, 3);
    histogram.add(1_000_000);
    expect(histogram.quantile(1)).toBeGreaterThan(960_000);
    expect(histogram.quantile(1)).toBeLessThan(1_040_000);
  });
});
