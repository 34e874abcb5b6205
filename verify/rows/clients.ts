import { SilentClients } from '../load/silent-clients.js';
import { against, figureOf, type Row } from './row.js';

/** Faults of the way to the clients, and clients that misbehave. */
export const clientRows: Row[] = [
  {
    name: 'F-N4',
    title: 'an acknowledgement is lost: the client hears nothing for 3 s, then its connection is reset',
    load: 'L4',
    seconds: 120,
    quick: { load: 'L4', seconds: 30 },
    topology: { proxies: ['clients'] },
    steps: async (run) => {
      const proxies = run.cluster.proxies('clients');
      await run.pause(4_000);
      await run.fault(
        'acknowledgements lost',
        async () => {
          for (const proxy of proxies) {
            proxy.cutOn({
              watch: 'down',
              pattern: Buffer.from('[{"ok":true,"data":{"message":'),
              every: 500,
              resetAfterMs: 3_000,
            });
          }
          await run.pause(run.lengthMs - 12_000);
          for (const proxy of proxies) proxy.heal();
          await run.pause(3_000);
        },
        { silences: true },
      );
      run.measure(
        'cuts',
        proxies.reduce((sum, { counts }) => sum + counts.cuts, 0),
      );
    },
    figures: (judgement, { measured, load }) => [
      { name: 'acknowledgements lost', value: measured.get('cuts')?.[0] ?? NaN, unit: '', limit: 10, atLeast: true },
      { name: 'sends tried again', value: load.counts.triedAgain, unit: '' },
      { name: 'clients away p99', value: figureOf(judgement, 'C14', 'away p99'), unit: 'ms' },
    ],
  },
  {
    name: 'F-C1',
    title: '100 clients stop reading but keep their connections alive, at 5 MB/s of room traffic',
    load: 'L2',
    seconds: 120,
    quick: { load: 'L1', seconds: 45 },
    steps: async (run) => {
      const { load, cluster } = run;
      const silent = new SilentClients(load, 100);
      const crowd = await load.crowd('crowd', 60);
      await silent.connect(crowd.roomId);
      // 160 members, 4,000 characters: a message every 128 ms is 5 MB/s.
      const traffic = setInterval(() => crowd.send('x'.repeat(4_000)), 128);
      const memory = async () =>
        (await Promise.all(cluster.nodes.map(({ instance }) => instance.sample()))).map(
          (values) => values?.['rss'] ?? NaN,
        );
      await run.pause(run.quick ? 12_000 : 20_000);
      const before = await memory();
      const highest = [...before];
      await run.fault('100 clients stop reading', async () => {
        silent.silence();
        const since = performance.now();
        const length = run.quick ? 18_000 : 60_000;
        let cutAfter = NaN;
        while (performance.now() - since < length) {
          await run.pause(250);
          if (Number.isNaN(cutAfter) && silent.connected === 0) cutAfter = performance.now() - since;
          (await memory()).forEach((rss, i) => (highest[i] = Math.max(highest[i] ?? 0, rss)));
        }
        run.measure('cut', cutAfter);
      });
      before.forEach((rss, i) => run.measure('beyond', ((highest[i] ?? NaN) - rss * 1.15) / 2 ** 20));
      clearInterval(traffic);
      silent.close();
    },
    figures: (judgement, run) => [
      { name: 'all cut after', value: (run.measured.get('cut') ?? [NaN])[0] ?? NaN, unit: 'ms', limit: 15_000 },
      {
        name: 'memory beyond 1.15 × before',
        value: Math.max(...(run.measured.get('beyond') ?? [NaN])),
        unit: 'MiB',
        limit: 100,
      },
      against(judgement, 'same', 1.2, run),
      against(judgement, 'cross', 1.2, run),
    ],
  },
];
