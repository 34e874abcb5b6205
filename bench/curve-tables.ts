import type { CurveName, Point } from './curves.js';
import type { Results } from './results.js';
import { table, whole } from './tables.js';

const titles: Record<CurveName, string> = {
  members: '**Members a room**: 500 connections in rooms of so many (one room from 500 on)',
  rooms: '**Rooms**: 200 users in 20 rooms of 10, and in others that are silent',
  rows: '**Messages stored**: sends to 50 rooms of 10, the largest that are stored; pages of history anywhere',
  instances: '**Instances**, all on one processor: 50 rooms of 10, their members on all of them',
};

/** A table for each curve, under its plot. */
export function curveTables({ curves }: Pick<Results, 'curves'>): string[] {
  return (Object.keys(titles) as CurveName[]).flatMap((name) => {
    const points = curves[name];
    if (points === undefined) return [];
    const columns = name === 'rows' ? rowColumns : loadColumns;
    return [
      titles[name],
      '',
      `![${titles[name].replaceAll('*', '')}](${name}.svg)`,
      '',
      ...table(
        [name, '', ...columns.map(([title]) => title)],
        points.map((point) => [whole(point.x), point.server, ...columns.map(([, of]) => of(point))]),
      ),
    ];
  });
}

type Column = [title: string, of: (point: Point) => string];

const common: Column[] = [
  ['deliveries/s', ({ full }) => whole(full.deliveriesPerSecond)],
  ['server µs a delivery', ({ full }) => full.microsPerDelivery.toFixed(1)],
  ['server µs a send', ({ full }) => whole((full.serverCpu / full.sendsPerSecond) * 1e6)],
  ['Postgres µs a send', ({ full }) => whole((full.postgresCpu / full.sendsPerSecond) * 1e6)],
  ['generator', ({ full }) => full.generatorCpu.toFixed(2)],
];

const loadColumns: Column[] = [
  ...common,
  ['light: ack p50 / p99 ms', ({ light }) => (light === undefined ? '–' : both(light.ackP50, light.ackP99))],
  ['delivery p50 / p99 ms', ({ light }) => (light === undefined ? '–' : both(light.deliveryP50, light.deliveryP99))],
  ['lost, doubled', ({ full, light }) => `${full.lost + (light?.lost ?? 0)}, ${full.doubled + (light?.doubled ?? 0)}`],
];

const rowColumns: Column[] = [
  ...common,
  [
    'history inside Postgres, p50 / p99 ms',
    ({ reading }) => both(reading?.historyInside.p50, reading?.historyInside.p99),
  ],
  ['as a client sees it', ({ reading }) => both(reading?.history.p50, reading?.history.p99)],
];

function both(p50 = NaN, p99 = NaN): string {
  const shown = (ms: number): string => (ms < 1 ? ms.toFixed(3) : ms.toFixed(1));
  return `${shown(p50)} / ${shown(p99)}`;
}
