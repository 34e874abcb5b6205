import { Churn } from '../load/churn.js';
import { JournalledClient } from '../load/journalled-client.js';
import { SilentClients } from '../load/silent-clients.js';
import { against, type Row } from './row.js';

/** Clients that misbehave, and clients that come and go. */
export const clientRows: Row[] = [
  {
    name: 'F-C1',
    title: '100 clients stop reading but keep their connections alive, at 5 MB/s of room traffic',
    load: 'L2',
    seconds: 75,
    quick: { load: 'L1', seconds: 40 },
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
      await run.pause(run.quick ? 12_000 : 18_000);
      const before = await memory();
      const highest = [...before];
      await run.fault('100 clients stop reading', async () => {
        silent.silence();
        const since = performance.now();
        const length = run.quick ? 18_000 : 40_000;
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
  {
    name: 'F-C5',
    title: 'users join and leave 200 times a second while others send',
    load: 'L2',
    seconds: 60,
    steps: async (run) => {
      const churn = new Churn(run.load, run.random.fork('churn'));
      await churn.connect(60);
      await run.pause(8_000);
      await run.fault('joining and leaving', async () => {
        const since = performance.now();
        const length = run.lengthMs - 20_000;
        let due = since;
        while (performance.now() - since < length) {
          for (; due <= performance.now(); due += 5) churn.step();
          await run.pause(5);
        }
        const seconds = (performance.now() - since) / 1_000;
        await churn.settled();
        run.measure('moves', (churn.counts.joined + churn.counts.left) / seconds);
        run.measure('refused', churn.counts.refused);
      });
      await run.pause(2_000);
      churn.close();
    },
    figures: (judgement, { measured }) => [
      {
        name: 'joined or left a second',
        value: measured.get('moves')?.[0] ?? NaN,
        unit: '',
        limit: 190,
        atLeast: true,
      },
      { name: 'refused', value: measured.get('refused')?.[0] ?? NaN, unit: '', limit: 0 },
      { name: 'acknowledged p99 during', value: judgement.quantileMs('ack', 'during', 0.99), unit: 'ms' },
      { name: 'other instances p99 during', value: judgement.quantileMs('cross', 'during', 0.99), unit: 'ms' },
    ],
  },
  {
    name: 'F-C6',
    title: 'a client process is killed (SIGKILL) again and again, and goes on with the outbox it keeps on disk',
    load: 'L1',
    seconds: 45,
    steps: async (run) => {
      const journal = await JournalledClient.prepare(run);
      await run.pause(3_000);
      const since = performance.now();
      await run.fault(
        'killed and started again',
        async () => {
          while (performance.now() - since < run.lengthMs - 14_000) {
            await journal.start();
            await run.pause(run.random.between(20, 700));
            await journal.kill();
          }
          await journal.start();
          await journal.emptied(15_000);
        },
        { silences: true },
      );
      await journal.kill();
      const { sent, stored, killed, left } = await journal.account();
      run.measure('kills', killed);
      run.measure('sent', sent);
      run.measure('left', left);
      run.measure('wrong', Math.abs(stored - sent));
    },
    figures: (_, { measured }) => [
      { name: 'kills', value: measured.get('kills')?.[0] ?? NaN, unit: '', limit: 8, atLeast: true },
      { name: 'messages on disk', value: measured.get('sent')?.[0] ?? NaN, unit: '', limit: 100, atLeast: true },
      {
        name: 'waited on disk when it was killed',
        value: measured.get('left')?.[0] ?? NaN,
        unit: '',
        limit: 20,
        atLeast: true,
      },
      { name: 'missing or twice in the database', value: measured.get('wrong')?.[0] ?? NaN, unit: '', limit: 0 },
    ],
  },
];
