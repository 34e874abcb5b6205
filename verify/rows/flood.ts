import { flood, packetsOf, type Flooded } from '../load/flood.js';
import { against, figureOf, sum, worst, type Row, type RunningRow } from './row.js';

const flooders = 10;
/** A hundred times what one connection may ask in a second by default. */
const perSecond = 50_000;

async function floods(run: RunningRow, name: string, connects: boolean, packet: (n: number) => string): Promise<void> {
  const { load, cluster } = run;
  const tokens = await Promise.all(
    Array.from({ length: flooders }, async (_, i) => (await load.client(`f${i}`, `uf${i}`)).options.token),
  );
  const urls = cluster.nodes.map(({ url }) => url);
  const note = ({ packets, cuts, slowestCutMs }: Flooded) => {
    run.measure('packets', packets);
    run.measure('cuts', cuts);
    run.measure('slowest cut', slowestCutMs);
  };
  const packets = packetsOf(packet);
  await run.fault(name, async () => {
    const lengthMs = run.quick ? 4_000 : 10_000;
    // Others come and go while it lasts.
    const returning = connects ? [] : load.clients.slice(0, 20);
    for (const client of returning) client.drop();
    note(await flood({ urls, tokens, packets, connects, perSecond }, lengthMs));
  });
  await run.pause(3_000);
}

export const floodRows: Row[] = [
  {
    name: 'F-C3',
    title: 'ten connections flood: requests at 100 × the limit, unknown events, CONNECT packets',
    load: 'L2',
    seconds: 60,
    steps: async (run) => {
      const [roomId] = run.load.rooms;
      await run.pause(10_000);
      await floods(run, 'requests', true, (n) => `42${n}${JSON.stringify(['room:sync', { roomId, after: 0 }])}`);
      await floods(run, 'unknown events', true, (n) => `42${n}["no:such:thing",{"n":${n}}]`);
      await floods(run, 'CONNECT', false, (n) => `40{"token":"no-token-${n}"}`);
    },
    figures: (judgement, run) => [
      { name: 'packets', value: sum(run, 'packets'), unit: '', limit: 100_000, atLeast: true },
      { name: 'flooders cut', value: sum(run, 'cuts'), unit: '', limit: 3 * flooders, atLeast: true },
      { name: 'slowest cut', value: worst(run, 'slowest cut'), unit: 'ms', limit: 2_000 },
      against(judgement, 'ack', 2, run),
      against(judgement, 'same', 2, run),
      against(judgement, 'cross', 2, run),
      { name: 'clients that came back meanwhile p99', value: figureOf(judgement, 'C14', 'away p99'), unit: 'ms' },
    ],
  },
];
