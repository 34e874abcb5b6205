import { leaveOverRest } from '../load/leave-over-rest.js';
import type { PlainClient } from '../load/plain-client.js';
import type { Node } from '../processes/cluster.js';
import { until } from '../processes/program.js';
import { against, backlog, figureOf, sum, timeUntil, worst, type Row, type RunningRow } from './row.js';

/** Clients that leave their room while their instance is stopped; with so many every instance has some. */
const leavers = 6;

/** An instance that comes back from the dead and does not know that it was. */
export const stoppedRows: Row[] = [
  {
    name: 'F-A3',
    title: 'an instance is stopped (SIGSTOP) for 5, 30 and 90 s, and goes on as if nothing had been',
    load: 'L2',
    seconds: 160,
    steps: async (run) => {
      const end = performance.now() + run.lengthMs;
      const all = await guests(run);
      const staying = new Set(all);
      await run.pause(6_000);
      for (const [i, seconds] of [5, 30, 90].entries()) {
        const { instance } = run.cluster.nodes[i % run.cluster.nodes.length] as Node;
        // A shorter run has only the shorter stops.
        if (performance.now() + seconds * 1_000 > end - 5_000) break;
        await run.fault(
          `${instance.name} stopped ${seconds} s`,
          async () => {
            instance.signal('SIGSTOP');
            const since = performance.now();
            await run.pause(1_000);
            const other = run.cluster.nodes[(i + 1) % run.cluster.nodes.length] as Node;
            for (const client of [...staying].filter((each) => each.instance === instance.name)) {
              staying.delete(client);
              await leaveOverRest(client, other.instance.url, run.load.rooms[0] ?? '');
              run.measure('left', 1);
            }
            await run.pause(seconds * 1_000 - (performance.now() - since));
            run.measure('answered', (await instance.health()) === undefined ? 0 : 1);
            instance.signal('SIGCONT');
          },
          { silences: true, instance: instance.name },
        );
        run.measure('stops', 1);
        run.measure('ready', await timeUntil(run, [instance], ({ ready }) => ready, 20_000));
        await run.pause(5_000);
      }
      for (const client of all) client.close();
    },
    figures: (judgement, run) => [
      { name: 'stops', value: run.measured.get('stops')?.length ?? 0, unit: '', limit: 1, atLeast: true },
      { name: 'left a room unseen by it', value: sum(run, 'left'), unit: '', limit: 1, atLeast: true },
      { name: 'answers while it was stopped', value: worst(run, 'answered'), unit: '', limit: 0 },
      against(judgement, 'ack', 1.5, run, 'beside'),
      against(judgement, 'same', 1.5, run, 'beside'),
      against(judgement, 'cross', 1.5, run, 'beside'),
      { name: 'ready again after', value: worst(run, 'ready'), unit: 'ms', limit: 5_000 },
      { name: 'clients away p99', value: figureOf(judgement, 'C14', 'away p99'), unit: 'ms' },
      backlog(judgement, 5_000),
    ],
  },
];

async function guests({ load }: RunningRow): Promise<PlainClient[]> {
  const clients = await Promise.all(Array.from({ length: leavers }, (_, i) => load.client(`z${i}`, `uz${i}`)));
  for (const client of clients) client.connect();
  await until(() => clients.every(({ live }) => live), 20_000, 'those who are to leave are connected');
  for (const client of clients) await client.join(load.rooms[0] ?? '');
  return clients;
}
