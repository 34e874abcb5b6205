import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Judgement } from '../checks/index.js';
import type { Node } from '../processes/cluster.js';
import { until } from '../processes/program.js';
import type { Figure } from '../report/report.js';
import { against, backlog, figureOf, least, sum, timeUntil, worst, type Row, type RunningRow } from './row.js';

/** `nofile` of F-A7, and how many connections want more than that. */
const files = 200;
const idlers = 300;

/** Connections that were lost, whether their client came back or not, of all clients that there are. */
function dropped(judgement: Judgement, { load }: RunningRow, limit: number): Figure {
  const counts = judgement.results.find(({ check }) => check === 'C14')?.counts;
  const losses = (counts?.['returns'] ?? NaN) + (counts?.['still away'] ?? NaN);
  return { name: 'clients dropped', value: (100 * losses) / load.clients.length, unit: '%', limit };
}

/** Instances that are there and yet do not get on: blocked, out of memory, out of files. */
export const appLimitRows: Row[] = [
  {
    name: 'F-A5',
    title: "an instance's event loop is blocked for 3 s",
    load: 'L2',
    seconds: 40,
    steps: async (run) => {
      await run.pause(6_000);
      for (const { instance } of run.cluster.nodes.slice(0, 2)) {
        await run.fault(
          `${instance.name} blocked`,
          async () => {
            instance.block(3_000);
            const since = performance.now();
            await until(() => welcomes(instance.port, '/health/live'), 20_000, `${instance.name} answers again`);
            run.measure('blocked', performance.now() - since);
          },
          { instance: instance.name },
        );
        run.measure('ready', await timeUntil(run, [instance], ({ ready }) => ready, 20_000));
        await run.pause(8_000);
      }
    },
    figures: (judgement, run) => [
      { name: 'blocked for', value: least(run, 'blocked'), unit: 'ms', limit: 2_900, atLeast: true },
      { name: 'ready again after', value: worst(run, 'ready'), unit: 'ms' },
      dropped(judgement, run, 5),
      { name: 'slowest answer', value: figureOf(judgement, 'C13', 'slowestMs'), unit: 'ms', limit: 5_000 },
      backlog(judgement, 5_000),
    ],
  },
  {
    name: 'F-A6',
    title: 'an instance runs out of memory (96 MB of heap), and is back after 2 s',
    load: 'L2',
    seconds: 60,
    topology: { each: { b: { nodeOptions: ['--max-old-space-size=96'] } } },
    steps: async (run) => {
      const { instance } = run.cluster.nodes[1] as Node;
      await run.pause(8_000);
      while (!run.over()) {
        await run.fault(
          `${instance.name} out of memory`,
          async () => {
            run.measure('exhausted', await instance.exhaust());
            await run.pause(2_000);
            await instance.start();
          },
          { silences: true, instance: instance.name },
        );
        await run.pause(15_000);
      }
    },
    figures: (judgement, run) => [
      {
        name: 'ran out of memory',
        value: run.measured.get('exhausted')?.length ?? 0,
        unit: '',
        limit: 1,
        atLeast: true,
      },
      { name: 'took to run out', value: worst(run, 'exhausted'), unit: 'ms' },
      { name: 'clients away p95', value: figureOf(judgement, 'C14', 'away p95'), unit: 'ms', limit: 3_000 },
      { name: 'clients away p99', value: figureOf(judgement, 'C14', 'away p99'), unit: 'ms', limit: 10_000 },
      backlog(judgement, 5_000),
    ],
  },
  {
    name: 'F-A7',
    title: `an instance may open ${files} files and ${idlers} connections that do nothing take them all`,
    load: 'L1',
    seconds: 40,
    steps: async (run) => {
      const { instance } = run.cluster.nodes[0] as Node;
      await run.pause(6_000);
      await run.fault(`${instance.name} out of files`, async () => {
        instance.limitOpenFiles(files);
        const idle = new Idlers(instance.port);
        const end = performance.now() + 12_000;
        while (performance.now() < end) {
          idle.fill(idlers);
          await run.pause(200);
          run.measure('files', instance.openFiles);
          run.measure('newcomers', (await welcomes(instance.port)) ? 0 : 1);
        }
        idle.leave();
      });
      const since = performance.now();
      await until(() => welcomes(instance.port), 20_000, 'a newcomer is let in');
      run.measure('welcome', performance.now() - since);
    },
    figures: (judgement, run) => [
      { name: 'files open', value: worst(run, 'files'), unit: '', limit: files - 2, atLeast: true },
      { name: 'newcomers turned away', value: sum(run, 'newcomers'), unit: '', limit: 5, atLeast: true },
      dropped(judgement, run, 0),
      against(judgement, 'ack', 1.5, run),
      against(judgement, 'same', 1.5, run),
      { name: 'takes newcomers again after', value: worst(run, 'welcome'), unit: 'ms', limit: 5_000 },
      backlog(judgement, 5_000),
    ],
  },
];

/** Whether a connection that was not there before is answered; `fetch` would take one that is. */
function welcomes(port: number, path = '/health/ready'): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, path, agent: false, timeout: 1_000 };
    const request = get(options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
  });
}

/** Connections that never say a word. */
class Idlers {
  private readonly sockets = new Set<Socket>();

  constructor(private readonly port: number) {}

  /** Makes as many anew as were closed. */
  fill(count: number): void {
    while (this.sockets.size < count) {
      const socket = connect(this.port, '127.0.0.1');
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.sockets.delete(socket));
    }
  }

  leave(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}
