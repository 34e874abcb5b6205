import type { Judgement } from '../checks/index.js';
import type { Figure } from '../report/report.js';
import { figureOf, timeUntil, worst, type RunningRow } from './row.js';

/** Until every instance is, in ms. */
export const timeUntilReady = (run: RunningRow): Promise<number> =>
  timeUntil(
    run,
    run.cluster.nodes.map(({ instance }) => instance),
    ({ ready }) => ready,
    30_000,
  );

export const answersInTime = (judgement: Judgement): Figure => ({
  name: 'slowest answer',
  value: figureOf(judgement, 'C13', 'slowestMs'),
  unit: 'ms',
  limit: 5_000,
});

export const readyAgain = (run: RunningRow): Figure => ({
  name: 'ready again after',
  value: worst(run, 'healthy'),
  unit: 'ms',
  limit: 10_000,
});

export const refusedForGood = ({ load }: RunningRow): Figure => ({
  name: 'sends refused for good',
  value: load.counts.refused,
  unit: '',
  limit: 0,
});

/** Answers that said so, of all requests. */
export function refusals({ results }: Judgement, code: string): number {
  return results.find(({ check }) => check === 'C13')?.counts[`refused: ${code}`] ?? 0;
}
