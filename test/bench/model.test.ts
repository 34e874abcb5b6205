import fc from 'fast-check';
import { costsOf } from '../../bench/least-squares.js';
import {
  fullest,
  mostConnections,
  spread,
  utilisation,
  type Costs,
  type Deployment,
  type Usage,
} from '../../bench/model.js';

const costs: Costs = {
  server: { flush: 200, send: 60, frame: 12, connect: 500, silentSecond: 2, kibPerConnection: 18 },
  postgres: { commit: 300, row: 30 },
  classic: { idle: 5_000, publish: 60, receive: 50, redis: 10, bytes: 600 },
  sharded: { idle: 5_000, publish: 50, receive: 40, redis: 10, bytes: 600 },
  deliveryBytes: 500,
  flushSeconds: 0.003,
};
const deployments: fc.Arbitrary<Deployment> = fc.record({
  instances: fc.integer({ min: 1, max: 200 }),
  adapter: fc.constantFrom('classic', 'sharded'),
  gibPerInstance: fc.constant(4),
  gbitPerInstance: fc.constant(10),
  redisShards: fc.integer({ min: 1, max: 20 }),
  partitions: fc.integer({ min: 1, max: 20 }),
  processorsPerPartition: fc.integer({ min: 1, max: 64 }),
});
const usages: fc.Arbitrary<Usage> = fc.record({
  connections: fc.integer({ min: 1_000, max: 10_000_000 }),
  sends: fc.double({ min: 1e-4, max: 1, noNaN: true }),
  online: fc.integer({ min: 2, max: 1_000 }),
  connects: fc.double({ min: 0, max: 0.01, noNaN: true }),
});
const parts = Object.keys(
  utilisation(costs, fc.sample(deployments, 1)[0] as Deployment, fc.sample(usages, 1)[0] as Usage),
);
const values = (deployment: Deployment, usage: Usage): number[] =>
  Object.values(utilisation(costs, deployment, usage)) as number[];

describe('the model of a deployment', () => {
  it('uses every part more when there are more users, or when they send more', () => {
    fc.assert(
      fc.property(deployments, usages, fc.double({ min: 1.01, max: 10, noNaN: true }), (deployment, usage, more) => {
        const before = values(deployment, usage);
        const users = values(deployment, { ...usage, connections: usage.connections * more });
        const sends = values(deployment, { ...usage, sends: usage.sends * more });
        parts.forEach((_, i) => {
          expect(users[i]).toBeGreaterThanOrEqual(before[i] ?? NaN);
          expect(sends[i]).toBeGreaterThanOrEqual((before[i] ?? NaN) * (1 - 1e-12));
        });
      }),
    );
  });

  it('halves what a shard of Redis does when there are twice as many, on the sharded bus and there alone', () => {
    fc.assert(
      fc.property(deployments, usages, (deployment, usage) => {
        const part = 'Redis: processor of a shard';
        const doubled = { ...deployment, redisShards: deployment.redisShards * 2 };
        const factor = deployment.adapter === 'sharded' ? 0.5 : 1;
        const before = utilisation(costs, deployment, usage)[part];
        expect(utilisation(costs, doubled, usage)[part]).toBeCloseTo(before * factor, 9);
      }),
    );
  });

  it('publishes nothing where there is one instance', () => {
    fc.assert(
      fc.property(deployments, usages, (deployment, usage) => {
        const alone = { ...deployment, instances: 1 };
        expect(utilisation(costs, alone, usage)['Redis: processor of a shard']).toBe(0);
      }),
    );
  });

  it('has a processor of an instance do exactly what its costs add up to', () => {
    const deployment: Deployment = {
      instances: 2,
      adapter: 'classic',
      gibPerInstance: 4,
      gbitPerInstance: 10,
      redisShards: 1,
      partitions: 1,
      processorsPerPartition: 1,
    };
    const usage = { connections: 2_000, sends: 0.1, online: 10, connects: 0 };
    // Each instance: 100 sends in 100 / 1.3 flushes, 1,000 frames, 1,000 connections.
    const flushes = 100 / 1.3;
    const micros = 200 * flushes + 60 * 100 + 12 * 1_000 + 5_000 + 60 * flushes + 50 * flushes + 2 * 1_000;
    expect(utilisation(costs, deployment, usage)['instance: processor']).toBeCloseTo(micros / 1e6, 9);
  });

  it('bears what it says it bears, and hardly more', () => {
    fc.assert(
      fc.property(deployments, usages, (deployment, usage) => {
        const most = mostConnections(costs, deployment, usage, 0.7);
        const [, share] = fullest(utilisation(costs, deployment, { ...usage, connections: most }));
        const [, beyond] = fullest(
          utilisation(costs, deployment, { ...usage, connections: Math.max(most, 1_000) * 1.02 }),
        );
        expect(most === 0 || most === 1_000 || share <= 0.7).toBe(true);
        expect(beyond).toBeGreaterThan(0.7);
      }),
      { numRuns: 20 },
    );
  });

  it('spreads a room over as many instances as chance does, and never over less than one', () => {
    expect(spread(1, 100)).toBeCloseTo(1, 9);
    expect(spread(2, 2)).toBeCloseTo(1.5, 9);
    expect(spread(100_000, 100)).toBeCloseTo(100, 6);
    expect(spread(0, 5)).toBe(1);
  });
});

describe('costs out of observations', () => {
  it('are those that made them', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 3, maxLength: 3 }), (made) => {
        const amounts = [
          [1, 10, 100],
          [5, 10, 10],
          [2, 50, 30],
          [9, 1, 80],
          [1, 1, 1],
        ];
        const observations = amounts.map((each) => ({
          amounts: each,
          total: each.reduce((sum, amount, i) => sum + amount * (made[i] ?? 0), 0),
        }));
        costsOf(observations).forEach((cost, i) => expect(cost).toBeCloseTo(made[i] ?? NaN, 4));
      }),
    );
  });

  it('are not known where something was not measured', () => {
    const observations = [
      { amounts: [1, 1], total: 10 },
      { amounts: [1, 2], total: NaN },
    ];
    expect(costsOf(observations)).toEqual([NaN, NaN]);
  });

  it('are never less than nothing', () => {
    const observations = [
      { amounts: [1, 1], total: 10 },
      { amounts: [1, 2], total: 9 },
      { amounts: [1, 3], total: 8 },
    ];
    const [fixed = NaN, each] = costsOf(observations);
    expect(each).toBe(0);
    expect(fixed).toBeGreaterThan(8);
    expect(fixed).toBeLessThan(10);
  });
});
