import type { Figures } from '../../bench/measure.js';

/** Of a run in which nothing stands out but what is given. */
export const figuresOf = (changes: Partial<Figures>): Figures => ({
  sendsPerSecond: 100,
  deliveriesPerSecond: 1_000,
  framesPerSecond: 1_000,
  bytesPerSecond: 500_000,
  ackP50: 1,
  ackP99: 2,
  deliveryP50: 3,
  deliveryP99: 40,
  lost: 0,
  doubled: 0,
  refused: 0,
  unanswered: 0,
  cut: 0,
  behindMs: 0,
  generatorCpu: 0.5,
  serverCpu: 1,
  postgresCpu: 0.1,
  redisCpu: 0,
  microsPerDelivery: 10,
  commitsPerSecond: 50,
  publishesPerSecond: 0,
  redisBytesPerSecond: 0,
  ...changes,
});
