import type { Figures } from './measure.js';
import type { Contender } from './servers/contenders.js';
import type { Workload } from './workloads.js';

export interface Results {
  /** The first is what the others are measured by. */
  contenders: Contender[];
  workloads: Workload[];
  /** By `workload contender`: a row a round. */
  figures: Map<string, Figures[]>;
}

/** A table for each workload, in Markdown. */
export function tables({ contenders, workloads, figures }: Results): string {
  return workloads
    .map((workload) => {
      const of = ({ name }: Contender): Figures[] => figures.get(`${workload.name} ${name}`) ?? [];
      const base = contenders[0] === undefined ? [] : of(contenders[0]);
      const rows = contenders.map((contender) => `| ${contender.name} | ${cells(of(contender), base).join(' | ')} |`);
      return [
        `**${workload.name}**: ${workload.title}`,
        '',
        `| | deliveries/s | ratio | from – to | ack p50 / p99 ms | delivery p50 / p99 ms | server µs a delivery | server | Postgres | generator | lost, doubled, refused |`,
        `|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|`,
        ...rows,
        '',
      ].join('\n');
    })
    .join('\n');
}

/** Ratios are those of one round each, of which the median stands. */
function cells(own: readonly Figures[], base: readonly Figures[]): string[] {
  const middle = (of: (figures: Figures) => number): number => median(own.map(of));
  const ratios = own.map(
    ({ deliveriesPerSecond }, round) => deliveriesPerSecond / (base[round]?.deliveriesPerSecond ?? NaN),
  );
  const total = (of: (figures: Figures) => number): number => own.reduce((sum, figures) => sum + of(figures), 0);
  return [
    Math.round(middle(({ deliveriesPerSecond }) => deliveriesPerSecond)).toLocaleString('en'),
    median(ratios).toFixed(2),
    `${Math.min(...ratios).toFixed(2)} – ${Math.max(...ratios).toFixed(2)}`,
    `${ms(middle(({ ackP50 }) => ackP50))} / ${ms(middle(({ ackP99 }) => ackP99))}`,
    `${ms(middle(({ deliveryP50 }) => deliveryP50))} / ${ms(middle(({ deliveryP99 }) => deliveryP99))}`,
    middle(({ microsPerDelivery }) => microsPerDelivery).toFixed(1),
    middle(({ serverCpu }) => serverCpu).toFixed(2),
    middle(({ postgresCpu }) => postgresCpu).toFixed(2),
    middle(({ generatorCpu }) => generatorCpu).toFixed(2),
    `${total(({ lost }) => lost)}, ${total(({ doubled }) => doubled)}, ${total(({ refused }) => refused)}`,
  ];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

function ms(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}
