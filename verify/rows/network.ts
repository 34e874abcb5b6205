import { SlowClients } from '../load/slow-clients.js';
import type { PlainClient } from '../load/plain-client.js';
import { against, figureOf, inTurn, least, sum, worst, type Row, type RunningRow } from './row.js';

/** What Engine.IO's `pingInterval` and `pingTimeout` come to by default, in ms. */
const noticedWithin = 45_000;

/** How long until each of these clients has given its connection up, in ms; NaN where one did not. */
async function timeUntilGivenUp(run: RunningRow, clients: PlainClient[], patienceMs: number): Promise<number> {
  const before = new Map(clients.map((client) => [client, client.connection]));
  const since = performance.now();
  while (clients.some((client) => client.connection === before.get(client))) {
    if (performance.now() - since > patienceMs) return NaN;
    await run.pause(50);
  }
  return performance.now() - since;
}

/** Faults of the way between the clients and the instances. */
export const networkRows: Row[] = [
  {
    name: 'F-N3',
    title: 'the connections of all clients become black holes (down, up, both), then a load balancer flaps',
    load: 'L2',
    seconds: 100,
    topology: { proxies: ['clients'] },
    steps: async (run) => {
      const [down, up, both] = run.cluster.proxies('clients');
      if (down === undefined || up === undefined || both === undefined) throw new Error('Three instances are needed');
      await run.pause(6_000);
      await run.fault(
        'black holes',
        async () => {
          const noticed = timeUntilGivenUp(run, run.load.clients, noticedWithin + 10_000);
          // Connections that come later pass, as a mobile's do that has found another network.
          down.set({ down: { kind: 'blackhole' } }, { only: 'existing' });
          up.set({ up: { kind: 'blackhole' } }, { only: 'existing' });
          both.set({ kind: 'blackhole' }, { only: 'existing' });
          await run.pause(12_000);
          for (const { traffic } of [down, up, both])
            run.measure('swallowed', traffic.up.dropped + traffic.down.dropped);
          run.measure('noticed', await noticed);
        },
        { silences: true },
      );
      await run.pause(4_000);
      const next = inTurn(run.cluster);
      await run.fault(
        'the balancer flaps',
        async () => {
          for (let i = 0; i < 6; i++) {
            const { clients } = next();
            clients?.refuse(true);
            run.measure('reset', clients?.reset() ?? 0);
            await run.pause(1_000);
            clients?.refuse(false);
            await run.pause(1_500);
          }
        },
        { silences: true },
      );
    },
    figures: (judgement, run) => [
      {
        name: 'bytes swallowed on the way of the instance with the fewest',
        value: least(run, 'swallowed'),
        unit: '',
        limit: 10_000,
        atLeast: true,
      },
      { name: 'dead connections given up after', value: worst(run, 'noticed'), unit: 'ms', limit: noticedWithin },
      {
        name: 'connections that the balancer reset',
        value: sum(run, 'reset'),
        unit: '',
        limit: 300,
        atLeast: true,
      },
      { name: 'clients away p99', value: figureOf(judgement, 'C14', 'away p99'), unit: 'ms' },
      { name: 'sends tried again', value: run.load.counts.triedAgain, unit: '' },
    ],
  },
  {
    name: 'F-N4',
    title: 'an acknowledgement is lost: the client hears nothing for 3 s, then its connection is reset',
    load: 'L4',
    seconds: 120,
    quick: { load: 'L4', seconds: 22 },
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
    name: 'F-N5',
    title: 'everyone is 200 ± 200 ms away, and one connection in a hundred gets 1 kB/s',
    load: 'L2',
    seconds: 75,
    topology: { proxies: ['clients'] },
    steps: async (run) => {
      for (const proxy of run.cluster.proxies('clients')) proxy.set({ kind: 'delay', ms: 100, jitterMs: 100 });
      const slow = await SlowClients.connect(run, 6);
      const crowd = await run.load.crowd('crowd', 40);
      await slow.join(crowd.roomId);
      // 4,000 characters sixteen times a second: 64 kB/s for each member, of whom some will take 1 kB/s.
      const traffic = setInterval(() => crowd.send('x'.repeat(4_000)), 62);
      await run.pause(18_000);
      await run.fault('1 kB/s', async () => {
        run.measure('cut', await slow.throttle(1_000, 25_000));
        run.measure('slow', slow.count);
      });
      await run.pause(5_000);
      clearInterval(traffic);
      await slow.close();
    },
    figures: (judgement, run) => [
      { name: 'throttled connections', value: worst(run, 'slow'), unit: '', limit: 6, atLeast: true },
      { name: 'all of them cut after', value: worst(run, 'cut'), unit: 'ms', limit: 15_000 },
      against(judgement, 'ack', 1.2, run),
      against(judgement, 'same', 1.2, run),
      against(judgement, 'cross', 1.2, run),
    ],
  },
];
