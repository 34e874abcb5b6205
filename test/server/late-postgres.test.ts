import { oncePostgresAnswers } from '../../src/database/patience.js';
import { migrate } from '../../src/database/migrate.js';
import { StartError } from '../../src/start-error.js';
import { freePort } from '../../verify/processes/program.js';
import { TcpProxy } from '../../verify/proxy/tcp-proxy.js';
import { Random } from '../../verify/random.js';
import { createDatabase } from '../environment/database.js';
import { startInstance } from '../instance.js';
import { Cluster } from './cluster.js';

describe('a start without Postgres', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database.drop());

  /** The database by another way: what of its URL is not as it was. */
  const by = (changed: Partial<Pick<URL, 'host' | 'password' | 'username' | 'pathname'>>) =>
    Object.assign(new URL(database.url), changed).href;
  const refusal = (url: string) =>
    oncePostgresAnswers(() => migrate({ url, poolSize: 2 })).then(
      () => undefined,
      (error: unknown) => error,
    );

  it('waits for it and serves when it comes', async () => {
    const { hostname, port } = new URL(database.url);
    const own = await createDatabase();
    const proxy = await TcpProxy.start({ target: { host: hostname, port: Number(port) }, random: new Random('late') });
    try {
      proxy.refuse(true);
      const start = startInstance(Object.assign(new URL(own.url), { host: `127.0.0.1:${proxy.port}` }).href);
      while (proxy.counts.connections < 3) await Promise.race([start, new Promise(setImmediate)]);
      proxy.refuse(false);
      const cluster = await Cluster.of([await start], own);
      const client = await cluster.connect('ann');
      expect((await client.ask('room:create', { name: 'Late' })).room.name).toBe('Late');
      await cluster.stop();
    } finally {
      await proxy.stop();
    }
  });

  it('gives up after its patience, saying why', async () => {
    const url = by({ host: `127.0.0.1:${await freePort()}` });
    let tries = 0;
    const start = oncePostgresAnswers(() => {
      tries += 1;
      return migrate({ url, poolSize: 2 });
    }, 1_200);
    const error: unknown = await start.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(StartError);
    expect((error as StartError).message).toMatch(/^Postgres did not answer at DATABASE_URL for 1 s \(.*ECONNREFUSED/);
    expect(tries).toBeGreaterThan(1);
  });

  it.each([
    ['the password is wrong', () => by({ password: 'not-the-password' })],
    ['there is no such role', () => by({ username: 'nobody_of_that_name' })],
    ['there is no such database', () => by({ pathname: 'none_of_that_name' })],
  ])('stops at once when %s', async (_, url) => {
    const began = performance.now();
    const error = await refusal(url());
    expect(error).toBeInstanceOf(StartError);
    expect((error as StartError).message).toMatch(
      /^Postgres refuses what DATABASE_URL asks for \(.+\): correct its user/,
    );
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
