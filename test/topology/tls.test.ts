import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createClient } from 'redis';
import { readConfig, type Config } from '../../src/config.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { migrate } from '../../src/database/migrate.js';
import { oncePostgresAnswers } from '../../src/database/patience.js';
import { RedisBus } from '../../src/realtime/redis-bus.js';
import { PlainClient } from '../client.js';
import { freePort, startRedis, type PrivateRedis } from '../environment/redis.js';
import { jwtSecret, startInstance } from '../instance.js';
import { eventually } from '../start/processes.js';
import { makeCertificates, type Certificates } from './certificates.js';

type RedisSettings = NonNullable<Config['redis']>;

describe('TLS to Postgres and Redis (S-51)', () => {
  let dir: string;
  let ours: Certificates;
  let others: Certificates;
  let postgres: EmbeddedPostgres;
  let redis: PrivateRedis;
  let redisUrl: string;

  const databaseUrl = (query: string, server = postgres.url) => `${server}?${query}`;
  const trusted = () => databaseUrl(`sslmode=verify-full&sslrootcert=${ours.authority}`);
  const redisAt = (change: Partial<RedisSettings> = {}): RedisSettings => ({
    urls: [redisUrl],
    adapter: 'sharded',
    prefix: 'parley',
    required: true,
    ...change,
  });

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'parley-tls-'));
    ours = await makeCertificates(dir, 'ours');
    others = await makeCertificates(dir, 'others');
    postgres = await startEmbeddedPostgres({ dir: join(dir, 'postgres') });
    await turnOnTls(postgres.url, ours);
    const port = await freePort();
    const certificate = ['--tls-cert-file', ours.certificate, '--tls-key-file', ours.key];
    const cluster = ['--cluster-enabled', 'yes', '--tls-cluster', 'yes', '--cluster-port', String(await freePort())];
    redis = await startRedis([
      ...['--tls-port', String(port), ...certificate, '--tls-ca-cert-file', ours.authority],
      ...['--tls-auth-clients', 'no', '--dir', dir, ...cluster],
    ]);
    redisUrl = `rediss://127.0.0.1:${port}`;
    await asked(redis.url, ['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
  }, 60_000);
  afterAll(async () => {
    await redis.stop();
    await postgres.stop();
    await rm(dir, { recursive: true });
  });

  it.each(['classic', 'sharded'] as const)(
    'goes all ways by TLS where the authority is right, with the %s adapter (S-51)',
    async (adapter) => {
      const ca = await readFile(ours.authority, 'utf8');
      const instances = await Promise.all(
        [0, 1].map(() => startInstance(trusted(), redisUrl, { redis: redisAt({ ca, adapter }) })),
      );
      const clients = await Promise.all(instances.map(({ url }, i) => PlainClient.connect(url, `user${i}`)));
      const [ann, ben] = clients as [PlainClient, PlainClient];
      const { room } = await ann.ask('room:create', { name: 'Safe' });
      await ben.ask('room:join', { roomId: room.id });
      await ann.ask('message:send', { roomId: room.id, clientMsgId: '1', text: 'hello' });
      await ben.until(() => ben.textsOf(room.id).includes('hello'));
      expect(instances.map(({ app }) => app.get(RedisBus).healthy)).toEqual([true, true]);

      const { rows } = await queried(
        postgres.url,
        `select ssl, count(*)::int as count from pg_stat_ssl join pg_stat_activity using (pid)
         where application_name = 'parley' group by ssl`,
      );
      expect(rows).toEqual([{ ssl: true, count: expect.any(Number) as number }]);
      const list = String(await asked(redis.url, ['CLIENT', 'LIST'])).split('\n');
      const theirs = list.filter((line) => / sub=[1-9]| psub=[1-9]| ssub=[1-9]|cmd=s?publish/.test(line));
      expect(theirs.length).toBeGreaterThanOrEqual(4);
      const { port } = new URL(redisUrl);
      expect(theirs.filter((line) => !line.includes(`laddr=127.0.0.1:${port}`))).toEqual([]);
      clients.forEach((client) => client.close());
      await Promise.all(instances.map((instance) => instance.stop()));
    },
  );

  it('does not start on a Postgres of another authority, of another name, or without TLS, and says what to do (S-51)', async () => {
    const refused = async (url: string, sentence: RegExp) =>
      expect(await failed(oncePostgresAnswers(() => migrate({ url, poolSize: 4 })))).toMatchObject({
        name: 'StartError',
        message: expect.stringMatching(sentence) as string,
      });
    const notHim = (why: string) =>
      new RegExp(
        `^Postgres is not who DATABASE_URL asks for \\(.*${why}.*\\): name the certificate of its authority in sslrootcert`,
      );
    const wrong = `sslmode=verify-full&sslrootcert=${others.authority}`;
    await refused(databaseUrl(wrong), notHim('self-signed certificate|unable to verify'));
    await refused(databaseUrl('sslmode=verify-full'), notHim('self-signed certificate|unable to verify'));
    await refused(trusted().replace('@127.0.0.1:', '@localhost:'), notHim('altnames'));
    const plain = `sslmode=verify-full&sslrootcert=${ours.authority}`;
    await refused(databaseUrl(plain, process.env['TEST_POSTGRES_URL']), notHim('does not support SSL'));
    await refused(
      databaseUrl(`sslmode=verify-full&sslrootcert=${join(dir, 'none.pem')}`),
      /^A file that DATABASE_URL names cannot be read \(.*none\.pem'\)/,
    );
  });

  it('does not start on a Redis of another authority, or without TLS, where Redis is required (S-51)', async () => {
    const [right, wrong] = await Promise.all([ours, others].map(({ authority }) => readFile(authority, 'utf8')));
    const plain = (process.env['TEST_REDIS_URL'] ?? '').replace('redis:', 'rediss:');
    const cases: Partial<RedisSettings>[] = [
      { ca: wrong },
      { ca: wrong, adapter: 'classic' },
      {},
      { ca: right, urls: [plain] },
      { ca: right, urls: [plain], adapter: 'classic' },
    ];
    const failures = await Promise.all(
      cases.map((change) => failed(startInstance(trusted(), redisUrl, { redis: redisAt(change) }))),
    );
    for (const [i, failure] of failures.entries())
      expect([i, failure]).toMatchObject([
        i,
        {
          name: 'StartError',
          message: expect.stringMatching(
            /^Redis does not work at REDIS_URL \(.+\): start it or correct the address, name the certificate of its authority in REDIS_CA/,
          ) as string,
        },
      ]);
  });

  it('takes a certificate for REDIS_CA, and only together with TLS (S-51)', async () => {
    const read = (redisAuthority: string, url = redisUrl) =>
      readConfig({ DATABASE_URL: trusted(), JWT_SECRET: jwtSecret, REDIS_URL: url, REDIS_CA: redisAuthority }, () =>
        Promise.reject(new Error('Not embedded')),
      );
    expect((await read(ours.authority)).redis?.ca).toBe(await readFile(ours.authority, 'utf8'));
    await expect(read(ours.key)).rejects.toThrow(/^The file of REDIS_CA has no certificate to be read/);
    await expect(read(join(dir, 'none.pem'))).rejects.toThrow(/^The file of REDIS_CA has no certificate to be read/);
    await expect(read(ours.authority, redis.url)).rejects.toThrow(/^REDIS_CA is set, but REDIS_URL asks for no TLS/);
  });
});

/** Puts the certificate where Postgres can read it, as whoever that runs as, and lets it take TLS besides plain connections. */
async function turnOnTls(url: string, { certificate, key }: Certificates): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const [name, path] of [
      ['server.crt', certificate],
      ['server.key', key],
    ] as const) {
      const lines = (await readFile(path, 'utf8')).trim().split('\n');
      const values = lines.map((line) => client.escapeLiteral(line)).join(',');
      await client.query(`copy (select unnest(array[${values}])) to program 'umask 077; cat > ${name}'`);
    }
    await client.query('alter system set ssl = on');
    await client.query('select pg_reload_conf()');
    const isOn = async () => (await client.query<{ ssl: string }>('show ssl')).rows[0]?.ssl === 'on';
    await eventually(isOn, 'Postgres speaks TLS');
  } finally {
    await client.end();
  }
}

/** What a start failed with. */
function failed(start: Promise<unknown>): Promise<unknown> {
  return start.then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function queried(url: string, sql: string, values: unknown[] = []): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client.query(sql, values).finally(() => client.end());
}

async function asked(url: string, command: string[]): Promise<unknown> {
  const client = createClient({ url });
  client.on('error', () => undefined);
  await client.connect();
  return client.sendCommand(command).finally(() => client.destroy());
}
