import { at, grid, legend, linear, logarithmic, mark, milliseconds, short, svg } from '../verify/report/svg.js';
import type { CurveName, Point } from './curves.js';

const width = 720;
const left = 76;
const right = 24;
const panelHeight = 130;
const panelGap = 44;
const firstTop = 84;

interface Panel {
  label: string;
  shown: (value: number) => string;
  of: (point: Point) => number | undefined;
  dashed?: (point: Point) => number | undefined;
}

interface Plot {
  title: string;
  /** The median of a latency is dashed. */
  panels: Panel[];
}

const micros = (value: number): string => `${short(value)} µs`;

const perDelivery: Panel = {
  label: 'server, µs a delivery, as fast as it answers',
  shown: micros,
  of: ({ full }) => full.microsPerDelivery,
};
const lightLatency: Panel = {
  label: 'delivery p99 (dashed: p50) at a light load',
  shown: milliseconds,
  of: ({ light }) => light?.deliveryP99,
  dashed: ({ light }) => light?.deliveryP50,
};

const plots: Record<CurveName, Plot> = {
  members: { title: 'Members a room', panels: [perDelivery, lightLatency] },
  rooms: { title: 'Rooms, of which 20 are spoken in', panels: [perDelivery, lightLatency] },
  rows: {
    title: 'Messages stored',
    panels: [
      {
        label: 'a page of history inside Postgres, p99 (dashed: p50)',
        shown: milliseconds,
        of: ({ reading }) => reading?.historyInside.p99,
        dashed: ({ reading }) => reading?.historyInside.p50,
      },
      {
        label: 'Postgres, µs a send, as fast as the server answers',
        shown: micros,
        of: ({ full }) => (full.postgresCpu / full.sendsPerSecond) * 1e6,
      },
    ],
  },
  instances: { title: 'Instances, on one processor', panels: [perDelivery, lightLatency] },
};

/** A whole SVG file: a panel for each thing that was measured, a line for each server. */
export function plotOf(name: CurveName, points: readonly Point[]): string {
  const { title, panels } = plots[name];
  const servers = [...new Set(points.map(({ server }) => server))];
  const classes = (server: string): string => (servers.indexOf(server) === 0 ? 'first' : 'second');
  const height = firstTop + panels.length * (panelHeight + panelGap);
  const places = points.map(({ x }) => x);
  const x =
    Math.max(...places) / Math.min(...places) > 10
      ? logarithmic(places, left, width - right)
      : Object.assign(linear(Math.min(...places), Math.max(...places), left + 20, width - right - 20), {
          ticks: [...new Set(places)],
        });
  const drawn = panels.map(({ label, shown, of, dashed }, i) => {
    const top = firstTop + i * (panelHeight + panelGap);
    const values = points.flatMap((point) => [of(point), dashed?.(point)]).filter((value) => value !== undefined);
    const y = logarithmic(values, top + panelHeight, top);
    const line = (server: string, value: Panel['of'], style: string): string => {
      const own = points.flatMap((point) => {
        const of = point.server === server ? value(point) : undefined;
        return of === undefined ? [] : [[at(x(point.x)), at(y(of))] as const];
      });
      const dots = own.map(([cx, cy]) => `<circle class="dot ${style}" cx="${cx}" cy="${cy}" r="3"/>`);
      return `<polyline class="line ${style}" points="${own.join(' ')}"/>${style.includes('dashed') ? '' : dots.join('')}`;
    };
    return [
      `<text class="quiet" x="${left}" y="${top - 8}">${label}</text>`,
      ...y.ticks.map((tick) => grid(left, width - right, y(tick), shown(tick))),
      ...servers.map((server) => line(server, of, classes(server))),
      ...(dashed === undefined ? [] : servers.map((server) => line(server, dashed, `${classes(server)} dashed`))),
      ...x.ticks.map((tick) => mark(x(tick), top + panelHeight, short(tick))),
    ].join('');
  });
  const lines =
    servers.length > 1
      ? [
          legend(
            left,
            servers.map((server) => [classes(server), server]),
          ),
        ]
      : [];
  return svg({ width, height, title, label: `${title}: cost and latency`, left }, [...lines, ...drawn]);
}
