import { uuidv7 } from 'uuidv7';
import { fuzz, type FuzzCounts } from '../fuzz/fuzzer.js';
import type { Figure } from '../report/report.js';
import { figureOf, worst, type Row } from './row.js';

const titles: Partial<Record<keyof FuzzCounts, string>> = {
  engine: 'of them of Engine.IO and WebSocket',
  parser: 'of Socket.IO',
  event: 'of requests',
  ended: 'connections that Parley ended',
  refused: 'connections that were not taken',
};
const names: (keyof FuzzCounts)[] = ['engine', 'parser', 'event', 'ended', 'refused'];

export const fuzzRows: Row[] = [
  {
    name: 'F-C4',
    title:
      'a million mutated packets, of frames, of Socket.IO and of requests; the rates of a connection raised for them',
    load: 'L1',
    seconds: 420,
    // Otherwise what would be measured is how fast Parley cuts those who flood: F-C3 does.
    topology: {
      environment: {
        REQUESTS_PER_SECOND: '1000000',
        INBOUND_BYTES_PER_SECOND: '1000000000',
        CONNECTS_PER_SECOND: '5000',
      },
    },
    steps: async (run) => {
      const { load, cluster, random } = run;
      const packets = run.lengthMs < 100_000 ? 50_000 : 1_000_000;
      const { options } = await load.client('fuzz', 'ufuzz');
      const memory = async () =>
        Promise.all(cluster.nodes.map(async ({ instance }) => (await instance.sample())?.['rss'] ?? NaN));
      await run.pause(5_000);
      const before = await memory();
      const since = performance.now();
      /** What each instance held at most in the first half, when garbage grows to what the load makes of it, and in the second. */
      const highest: [number[], number[]] = [[], []];
      const watch = setInterval(() => {
        const half = highest[performance.now() - since < run.lengthMs / 2 ? 0 : 1];
        void memory().then((now) => now.forEach((rss, i) => (half[i] = Math.max(half[i] ?? 0, rss))));
      }, 1_000);
      await run.fault('mutated packets', async () => {
        const counts = await fuzz(
          {
            urls: cluster.nodes.map(({ url }) => url),
            token: options.token,
            roomId: uuidv7(),
            random: random.fork('fuzz'),
            connections: 12,
          },
          packets,
          () => performance.now() - since > run.lengthMs - 12_000,
        );
        run.measure('packets', counts.packets);
        for (const name of [...names, 'answered', 'mute'] as const) run.measure(name, counts[name]);
      });
      clearInterval(watch);
      run.measure('seconds', (performance.now() - since) / 1_000);
      const [first, second] = highest;
      before.forEach((rss, i) => {
        const most = Math.max(first[i] ?? NaN, second[i] ?? NaN);
        run.measure('beyond', (most - rss * 1.15) / 2 ** 20);
      });
      first.forEach((rss, i) => run.measure('grown', ((second[i] ?? NaN) - rss) / 2 ** 20));
    },
    figures: (judgement, run) => [
      {
        name: 'packets',
        value: worst(run, 'packets'),
        unit: '',
        limit: run.lengthMs < 100_000 ? 50_000 : 1_000_000,
        atLeast: true,
      },
      ...names.map((name): Figure => ({ name: titles[name] ?? name, value: worst(run, name), unit: '' })),
      {
        name: 'frames that came back',
        value: worst(run, 'answered'),
        unit: '',
        limit: (worst(run, 'packets') * 2) / 3,
        atLeast: true,
      },
      { name: 'connections that fell silent', value: worst(run, 'mute'), unit: '', limit: 0 },
      { name: 'took', value: worst(run, 'seconds') * 1_000, unit: 'ms' },
      {
        name: 'memory beyond 1.15 × before',
        value: worst(run, 'beyond'),
        unit: 'MiB',
        limit: 100,
      },
      {
        name: 'most memory in the second half, beyond that of the first',
        value: worst(run, 'grown'),
        unit: 'MiB',
        limit: 32,
      },
      { name: 'slowest answer to the load', value: figureOf(judgement, 'C13', 'slowestMs'), unit: 'ms', limit: 5_000 },
      { name: 'refused sends of the load', value: run.load.counts.refused, unit: '', limit: 0 },
    ],
  },
];
