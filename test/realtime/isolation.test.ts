import { TcpProxy } from '../../verify/proxy/tcp-proxy.js';
import { Random } from '../../verify/random.js';
import { PlainClient } from '../client.js';
import { createDatabase } from '../environment/database.js';
import { startRedis } from '../environment/redis.js';
import { startInstance } from '../instance.js';

const proxyTo = (url: URL): Promise<TcpProxy> =>
  TcpProxy.start({ target: { host: url.hostname, port: Number(url.port) }, random: new Random(url.port) });

it('an instance that reaches neither Postgres nor Redis sends its clients elsewhere, and takes clients again when it does', async () => {
  const database = await createDatabase();
  const redis = await startRedis();
  const [toPostgres, toRedis] = [new URL(database.url), new URL(redis.url)];
  const proxies = [await proxyTo(toPostgres), await proxyTo(toRedis)] as const;
  toPostgres.port = String(proxies[0].port);
  toRedis.port = String(proxies[1].port);
  const instance = await startInstance(toPostgres.href, toRedis.href);
  const ann = await PlainClient.connect(instance.url, 'ann');
  const sentAway: unknown[] = [];
  ann.socket.on('session:reconnect', (notice) => sentAway.push(notice));
  const readiness = async () => (await fetch(`${instance.url}/health/ready`)).status;

  // Without Postgres alone they stay.
  proxies[0].set({ kind: 'blackhole' });
  while ((await readiness()) !== 503);
  proxies[0].heal();
  while ((await readiness()) !== 200);
  expect(sentAway).toEqual([]);

  for (const proxy of proxies) proxy.set({ kind: 'blackhole' });
  await new Promise((resolve) => ann.socket.once('session:reconnect', resolve));
  expect(sentAway).toEqual([{ reason: 'isolated', afterMs: 0, spreadMs: 4_000 }]);
  expect(await readiness()).toBe(503);
  await expect(PlainClient.connect(instance.url, 'ben')).rejects.toMatchObject({ error: { code: 'unavailable' } });

  for (const proxy of proxies) proxy.heal();
  let ben: PlainClient | undefined;
  while (ben === undefined) ben = await PlainClient.connect(instance.url, 'ben').catch(() => undefined);

  for (const client of [ann, ben]) client.close();
  await instance.stop();
  for (const proxy of proxies) await proxy.stop();
  await redis.stop();
  await database.drop();
});
