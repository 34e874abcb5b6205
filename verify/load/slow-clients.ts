import { until } from '../processes/program.js';
import { TcpProxy } from '../proxy/tcp-proxy.js';
import type { RunningRow } from '../rows/row.js';
import { heldByServer } from './kernel.js';
import { PlainClient } from './plain-client.js';

/** Clients behind proxies of their own, whose connections can be made slow alone. */
export class SlowClients {
  private constructor(
    private readonly run: RunningRow,
    private readonly proxies: TcpProxy[],
    private readonly clients: PlainClient[],
  ) {}

  static async connect(run: RunningRow, count: number): Promise<SlowClients> {
    const { cluster, load, random } = run;
    const proxies: TcpProxy[] = [];
    const clients: PlainClient[] = [];
    for (const { instance } of cluster.nodes) {
      const target = { host: '127.0.0.1', port: instance.port };
      proxies.push(await TcpProxy.start({ target, random: random.fork(`slow ${instance.name}`) }));
    }
    for (let i = 0; i < count; i++) {
      const { instance } = cluster.nodes[i % cluster.nodes.length] ?? {};
      const url = `http://127.0.0.1:${proxies[i % proxies.length]?.port ?? 0}`;
      const { options } = await load.client(`w${i}`, `uw${i}`);
      const client = new PlainClient({ ...options, place: () => ({ instance: instance?.name ?? '', url }) });
      clients.push(client);
      client.connect();
    }
    const slow = new SlowClients(run, proxies, clients);
    await until(() => clients.every(({ live }) => live), 20_000, 'the slow clients are connected');
    return slow;
  }

  get count(): number {
    return this.clients.length;
  }

  async join(roomId: string): Promise<void> {
    for (const client of this.clients) {
      if (!(await client.join(roomId))) throw new Error(`${client.name} could not join`);
    }
  }

  /** How long the server took to cut all of these connections, in ms; NaN where it did not. What comes after them is not slow. */
  async throttle(bytesPerSecond: number, patienceMs: number): Promise<number> {
    const ports = new Set(this.proxies.flatMap((proxy) => proxy.ports));
    const servers = new Set(this.run.cluster.nodes.map(({ instance }) => instance.port));
    const before = heldByServer(ports, servers);
    if (before < this.clients.length) this.run.notes.push(`Only ${before} slow connections were open.`);
    const since = performance.now();
    for (const proxy of this.proxies) {
      proxy.set({ down: { kind: 'throttle', bytesPerSecond } }, { only: 'existing' });
    }
    const areCut = () => heldByServer(ports, servers) === 0;
    await until(areCut, patienceMs, 'the slow connections are cut').catch(() => undefined);
    const took = areCut() ? performance.now() - since : NaN;
    // The client itself hears of its end only after all that the proxy holds for it.
    for (const client of this.clients) client.drop();
    return took;
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.close();
    for (const proxy of this.proxies) await proxy.stop();
  }
}
