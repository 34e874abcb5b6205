import type { Judgement } from '../checks/index.js';
import type { Figure } from '../report/report.js';
import { against, backlog, timeUntil, worst, type RunningRow } from './row.js';

const instancesOf = ({ cluster }: RunningRow) => cluster.nodes.map(({ instance }) => instance);

/** Until every bus says so, in ms. */
export const timeUntilDegraded = (run: RunningRow): Promise<number> =>
  timeUntil(run, instancesOf(run), ({ bus }) => bus === 'degraded', 10_000);
export const timeUntilHealthy = (run: RunningRow): Promise<number> =>
  timeUntil(run, instancesOf(run), ({ bus }) => bus === 'healthy', 20_000);

export const noticed = (run: RunningRow): Figure => ({
  name: 'noticed after',
  value: worst(run, 'degraded'),
  unit: 'ms',
  limit: 3_000,
});

export const healthyAgain = (run: RunningRow): Figure => ({
  name: 'bus healthy again after',
  value: worst(run, 'healthy'),
  unit: 'ms',
  limit: 5_000,
});

export function whileRedisIsAway(judgement: Judgement, run: RunningRow): Figure[] {
  return [
    against(judgement, 'ack', 2, run),
    against(judgement, 'same', 2, run),
    {
      name: 'other instances p99 during',
      value: judgement.quantileMs('cross', 'during', 0.99),
      unit: 'ms',
      limit: 2_000,
    },
    backlog(judgement, 5_000),
  ];
}
