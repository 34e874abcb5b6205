import type { Connecting } from './connections.js';
import type { Figures } from './measure.js';
import type { Times } from './reading.js';
import { median, type Results } from './results.js';
import { contenders } from './servers/contenders.js';
import { workloads } from './workloads.js';

/** From this on a processor is full. */
const FULL = 0.95;
const base = contenders[0]?.name ?? '';

/** W1 to W3: a table for each workload, a line for each server. */
export function loadTables({ loads }: Pick<Results, 'loads'>): string[] {
  const tables = workloads.flatMap(({ name, title }) => {
    const byServer = loads[name];
    if (byServer === undefined) return [];
    return [
      `**${name}**: ${title}`,
      '',
      ...table(
        [
          '',
          'deliveries/s',
          'ratio',
          'from – to',
          'ack p50 / p99 ms',
          'delivery p50 / p99 ms',
          'server µs a delivery',
          'server',
          'Postgres',
          'generator',
          'lost, doubled, refused, unanswered, cut',
        ],
        inOrder(byServer).map(([server, own]) => [server, ...loadCells(own, byServer[base] ?? [])]),
      ),
      ...churnTable(byServer),
    ];
  });
  const flagged = tables.some((line) => line.includes(' \\* |'));
  return flagged ? [...tables, ...explanation] : tables;
}

const explanation = [
  '\\* The second processor, which the generator shares with Postgres and Redis, was full (0.95 and more): the figure is as much ' +
    'theirs as the server’s, which may do more.',
  '',
];

/** Ratios are those of one round each, of which the median stands. */
function loadCells(own: readonly Figures[], first: readonly Figures[]): string[] {
  const middle = (of: (figures: Figures) => number): number => median(own.map(of));
  const total = (of: (figures: Figures) => number): number => own.reduce((sum, figures) => sum + of(figures), 0);
  const mark = middle(besideServers) >= FULL ? ' \\*' : '';
  return [
    `${whole(middle(({ deliveriesPerSecond }) => deliveriesPerSecond))}${mark}`,
    ...ratios(own, first, ({ deliveriesPerSecond }) => deliveriesPerSecond),
    `${ms(middle(({ ackP50 }) => ackP50))} / ${ms(middle(({ ackP99 }) => ackP99))}`,
    `${ms(middle(({ deliveryP50 }) => deliveryP50))} / ${ms(middle(({ deliveryP99 }) => deliveryP99))}`,
    middle(({ microsPerDelivery }) => microsPerDelivery).toFixed(1),
    ...[middle(({ serverCpu }) => serverCpu), middle(({ postgresCpu }) => postgresCpu)].map((cpu) => cpu.toFixed(2)),
    middle(({ generatorCpu }) => generatorCpu).toFixed(2),
    [
      total(({ lost }) => lost),
      total(({ doubled }) => doubled),
      total(({ refused }) => refused),
      total(({ unanswered }) => unanswered),
      total(({ cut }) => cut),
    ].join(', '),
  ];
}

/** How busy the processor is that the servers are not on. */
function besideServers({ generatorCpu, postgresCpu, redisCpu }: Figures): number {
  return generatorCpu + postgresCpu + redisCpu;
}

function churnTable(byServer: Record<string, Figures[]>): string[] {
  const rows = inOrder(byServer).flatMap(([server, own]) => {
    const churned = own.flatMap((figures) => figures.churned ?? []);
    if (churned.length === 0) return [];
    const middle = (of: (each: (typeof churned)[number]) => number): number => median(churned.map(of));
    return [
      [
        server,
        middle(({ perSecond }) => perSecond).toFixed(0),
        `${ms(middle(({ p50 }) => p50))} / ${ms(middle(({ p99 }) => p99))}`,
        String(churned.reduce((sum, { failed }) => sum + failed, 0)),
      ],
    ];
  });
  return rows.length === 0
    ? []
    : table(['those who come and go', 'requests/s', 'answered p50 / p99 ms', 'failed'], rows);
}

/** W4. */
export function connectingTable({ connecting }: Pick<Results, 'connecting'>): string[] {
  if (Object.keys(connecting).length === 0) return [];
  return [
    '**W4**: 5,000 connections come, and are there and silent',
    '',
    ...table(
      [
        '',
        'connects/s',
        'ratio',
        'from – to',
        'server µs a connect',
        'KiB a connection, heap',
        'process',
        'server µs a silent connection and second',
      ],
      inOrder(connecting).map(([server, own]) => {
        const middle = (of: (each: Connecting) => number): number => median(own.map(of));
        return [
          server,
          whole(middle(({ connectsPerSecond }) => connectsPerSecond)),
          ...ratios(own, connecting[base] ?? [], ({ connectsPerSecond }) => connectsPerSecond),
          middle(({ microsPerConnect }) => microsPerConnect).toFixed(0),
          middle(({ heapKibPerConnection }) => heapKibPerConnection).toFixed(1),
          middle(({ kibPerConnection }) => kibPerConnection).toFixed(1),
          middle(({ idleMicrosPerSecond }) => idleMicrosPerSecond).toFixed(1),
        ];
      }),
    ),
  ];
}

/** W5. */
export function readingTable({ reading }: Pick<Results, 'reading'>): string[] {
  if (reading === undefined) return [];
  const { messages, fillSeconds, sends } = reading;
  const both = ({ p50, p99 }: Times): string => `${fine(p50)} / ${fine(p99)}`;
  const row = (name: string, of: 'history' | 'currentSync' | 'firstSync'): string[] => [
    name,
    both(reading[of]),
    both(reading[`${of}Inside`]),
  ];
  return [
    `**W5**: ${whole(messages)} messages in 2,000 rooms, most of them in few; stored in ${fillSeconds.toFixed(0)} s`,
    '',
    ...table(
      ['', 'as a client sees it, p50 / p99 ms', 'all its statements inside Postgres, p50 / p99 ms'],
      [
        row('a page of 50 before any message of any room', 'history'),
        row('what is unread in 200 rooms, with nothing missed (`rooms:sync`)', 'currentSync'),
        row('200 rooms of which nothing is known (`rooms:sync`)', 'firstSync'),
      ],
    ),
    `Sending there, to 50 rooms of 10 as fast as it answers: ${whole(sends.sendsPerSecond)} sends/s, of which each takes ` +
      `${((sends.postgresCpu / sends.sendsPerSecond) * 1e6).toFixed(0)} µs of Postgres.`,
    '',
  ];
}

/** The median of the ratios of each round, and the least and the most of them. */
function ratios<T>(own: readonly T[], first: readonly T[], of: (each: T) => number): string[] {
  const each = own.flatMap((figures, round) => {
    const compared = first[round];
    return compared === undefined ? [] : [of(figures) / of(compared)];
  });
  if (each.length === 0) return ['–', '–'];
  return [median(each).toFixed(2), `${Math.min(...each).toFixed(2)} – ${Math.max(...each).toFixed(2)}`];
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows];
  return [...lines.map((cells) => `| ${cells.join(' | ')} |`), ''];
}

function inOrder<T>(byServer: Record<string, T>): [string, T][] {
  const places = new Map(contenders.map(({ name }, place) => [name, place]));
  const placeOf = (name: string): number => places.get(name) ?? contenders.length;
  return Object.entries(byServer).sort(([a], [b]) => placeOf(a) - placeOf(b));
}

export const whole = (value: number): string => Math.round(value).toLocaleString('en');

function ms(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

function fine(value: number): string {
  return value < 1 ? value.toFixed(3) : ms(value);
}
