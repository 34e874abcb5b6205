import { check, measuredCosts } from '../../bench/costs.js';
import type { Point } from '../../bench/curves.js';
import type { Figures } from '../../bench/measure.js';
import { noResults, type Results } from '../../bench/results.js';
import { figuresOf } from './figures.js';

const made = { flush: 300, send: 50, frame: 9, publish: 80, receive: 40, commit: 250, row: 30 };

/** What a server of exactly these costs would have been measured to take. */
function run(sends: number, members: number, commits: number, instances?: number): Figures {
  const frames = commits * members;
  const bus = instances === undefined ? 0 : commits * (made.publish + made.receive * (instances - 1));
  return figuresOf({
    sendsPerSecond: sends,
    framesPerSecond: frames,
    bytesPerSecond: frames * 480,
    commitsPerSecond: commits,
    serverCpu: (made.flush * commits + made.send * sends + made.frame * frames + bus) / 1e6,
    postgresCpu: (made.commit * commits + made.row * sends) / 1e6,
    publishesPerSecond: instances === undefined ? 0 : commits,
    redisCpu: instances === undefined ? 0 : (commits * (1 + instances) * 7) / 1e6,
    redisBytesPerSecond: instances === undefined ? 0 : commits * instances * 600,
    ackP50: 4,
  });
}

const results: Results = {
  ...noResults(),
  connecting: {
    Parley: [
      {
        connectsPerSecond: 900,
        microsPerConnect: 700,
        heapKibPerConnection: 12,
        kibPerConnection: 17,
        idleMicrosPerSecond: 2,
      },
    ],
  },
  curves: {
    members: [2, 10, 100, 1_000].map((x): Point => {
      const full = run(4_000 - x, x, 100 + x / 10);
      return { x, server: 'Parley', full, light: run(200, x, 180 - x / 20) };
    }),
    instances: ['classic', 'sharded'].flatMap((server) =>
      [1, 2, 3, 4].map((x): Point => ({ x, server, full: run(3_000, 10, 90 * x, x), light: run(200, 10, 190, x) })),
    ),
  },
};

describe('the costs that the model goes by', () => {
  it('are found again in what a server of just these costs would have been measured to take', () => {
    const costs = measuredCosts(results);
    expect(costs?.server.flush).toBeCloseTo(made.flush, 3);
    expect(costs?.server.send).toBeCloseTo(made.send, 3);
    expect(costs?.server.frame).toBeCloseTo(made.frame, 3);
    expect(costs?.postgres.commit).toBeCloseTo(made.commit, 3);
    expect(costs?.postgres.row).toBeCloseTo(made.row, 3);
    expect(costs?.classic.publish).toBeCloseTo(made.publish, 3);
    expect(costs?.sharded.receive).toBeCloseTo(made.receive, 3);
    expect(costs?.sharded.redis).toBeCloseTo(7, 3);
    expect(costs?.sharded.bytes).toBeCloseTo(600, 3);
    expect(costs).toMatchObject({ deliveryBytes: 480, flushSeconds: 0.004 });
  });

  it('foretell four instances from up to three', () => {
    const costs = measuredCosts(results);
    if (costs === undefined) throw new Error('Something was not measured');
    const checked = check(results, costs);
    expect(checked).toHaveLength(16);
    for (const { measured, modelled } of checked) expect(modelled / measured).toBeCloseTo(1, 6);
  });

  it('are taken from up to three instances, so that four are something to hold them against', () => {
    const busier = (from: number): Results => ({
      ...results,
      curves: {
        ...results.curves,
        instances: (results.curves.instances ?? []).map((point) =>
          point.x < from ? point : { ...point, full: { ...point.full, serverCpu: point.full.serverCpu * 2 } },
        ),
      },
    });
    expect(measuredCosts(busier(4))).toEqual(measuredCosts(results));
    expect(measuredCosts(busier(3))).not.toEqual(measuredCosts(results));
  });

  it('are none where something was not measured', () => {
    expect(measuredCosts({ ...results, connecting: {} })).toBeUndefined();
    expect(measuredCosts({ ...results, curves: { ...results.curves, members: undefined } })).toBeUndefined();
    expect(measuredCosts({ ...results, curves: { ...results.curves, instances: undefined } })).toBeUndefined();
  });
});
