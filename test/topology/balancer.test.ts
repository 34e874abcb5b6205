import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../start/processes.js';
import { startFake, type FakeAnswer, type FakeInstance } from './fake-instance.js';
import { startBalancer, type Balancer } from './haproxy.js';

const session = '/socket.io/?EIO=4&transport=polling&sid=a-session';

describe('the balancer', () => {
  let fakes: FakeInstance[];
  let balancer: Balancer;

  const get = async (path: string, init: RequestInit = {}): Promise<FakeAnswer & { cookie: string }> => {
    const response = await fetch(balancer.url + path, init);
    if (response.status !== 200) throw new Error(`HTTP ${response.status}`);
    const [cookie = ''] = response.headers.getSetCookie();
    return { ...((await response.json()) as FakeAnswer), cookie: cookie.split(';')[0] ?? '' };
  };
  const status = async (name: string) => (await balancer.backends()).find((backend) => backend.name === name)?.status;

  beforeEach(async () => {
    fakes = await Promise.all(['parley1', 'parley2', 'parley3'].map(startFake));
    balancer = await startBalancer(fakes.map(({ address }) => address));
  });
  afterEach(async () => {
    await balancer.stop();
    await Promise.all(fakes.map((fake) => fake.stop()));
  });

  it('spreads clients over the instances, and brings each back to its own', async () => {
    const clients = await Promise.all(Array.from({ length: 12 }, () => get('/socket.io/?EIO=4&transport=polling')));
    expect(new Set(clients.map(({ instance }) => instance))).toEqual(new Set(['parley1', 'parley2', 'parley3']));
    for (const { instance, cookie } of clients) {
      const again = await Promise.all(Array.from({ length: 3 }, () => get(session, { headers: { cookie } })));
      expect(again.map((answer) => answer.instance)).toEqual([instance, instance, instance]);
      expect(again.every((answer) => answer.headers.cookie === undefined)).toBe(true);
    }
  });

  it('tells the instances who connects and how, whatever the client claims (S-11)', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' };
    const answer = await get('/', { headers });
    expect(answer.headers['x-forwarded-for']).toBe('127.0.0.1');
    expect(answer.headers['x-forwarded-proto']).toBe('http');
  });

  it('gives an instance that is not ready nothing new, while its sessions go on', async () => {
    const { instance, cookie } = await get('/socket.io/?EIO=4&transport=polling');
    const own = fakes[Number(instance.slice(-1)) - 1];
    if (own === undefined) throw new Error(`Who is ${instance}?`);
    own.ready = false;
    await eventually(async () => (await status(instance)) === 'DOWN', 'the balancer sees it');
    const newcomers = await Promise.all(Array.from({ length: 9 }, () => get('/socket.io/?EIO=4&transport=polling')));
    expect(newcomers.map((newcomer) => newcomer.instance)).not.toContain(instance);
    expect((await get(session, { headers: { cookie } })).instance).toBe(instance);
    const moved = await get('/socket.io/?EIO=4&transport=polling', { headers: { cookie } });
    expect(moved.instance).not.toBe(instance);
    expect(moved.cookie).not.toBe('');
    own.ready = true;
    await eventually(async () => (await status(instance)) === 'UP', 'the balancer sees it');
  });

  it('passes over an instance that is gone before its checks tell', async () => {
    const [gone] = fakes;
    await gone?.stop();
    const answers = await Promise.all(Array.from({ length: 12 }, () => get('/v1/rooms')));
    expect(new Set(answers.map(({ instance }) => instance))).toEqual(new Set(['parley2', 'parley3']));
  });

  it('asks another instance only what may be asked twice', async () => {
    for (const fake of fakes.slice(0, 2)) fake.broken = true;
    for (let i = 0; i < 3; i += 1) expect((await get('/v1/rooms')).instance).toBe('parley3');
    for (const fake of fakes) fake.broken = true;
    fakes.forEach((fake) => fake.heard.splice(0));
    expect(await postOnNewConnection(`${balancer.url}/v1/rooms?secret=4711`)).toBe(502);
    expect(fakes.flatMap((fake) => fake.heard)).toEqual(['POST /v1/rooms?secret=4711']);
    await eventually(() => balancer.output().includes('POST /v1/rooms 502'), 'the failure is logged');
    expect(balancer.output()).not.toContain('4711');
  });

  it('says itself whether there is anyone to serve, and not what each instance says', async () => {
    expect((await fetch(`${balancer.url}/balancer/health`)).status).toBe(200);
    expect((await fetch(`${balancer.url}/health/ready`)).status).toBe(404);
    expect(fakes.flatMap((fake) => fake.heard)).toEqual([]);
    for (const fake of fakes) fake.ready = false;
    const nobody = async () => (await fetch(`${balancer.url}/balancer/health`)).status === 503;
    await eventually(nobody, 'the balancer says that nobody is ready');
  });

  it('ends TLS where it is told to', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'parley-tls-'));
    const file = (name: string) => join(dir, name);
    const certificate = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'];
    execFileSync('openssl', [...certificate, '-keyout', file('key'), '-out', file('cert')], { stdio: 'ignore' });
    const pem = (await readFile(file('key'), 'utf8')) + (await readFile(file('cert'), 'utf8'));
    await writeFile(file('both.pem'), pem);
    const secure = await startBalancer(
      fakes.map(({ address }) => address),
      `ssl crt ${file('both.pem')}`,
    );
    try {
      const answer = await new Promise<FakeAnswer>((resolve, reject) => {
        httpsRequest(secure.url, { rejectUnauthorized: false }, (response) => {
          response.setEncoding('utf8').on('data', (body: string) => resolve(JSON.parse(body) as FakeAnswer));
        })
          .on('error', reject)
          .end();
      });
      expect(answer.headers['x-forwarded-proto']).toBe('https');
    } finally {
      await secure.stop();
      await rm(dir, { recursive: true });
    }
  });
});

/** The HTTP status. On a connection that was used before, HAProxy would hang up instead and leave the retry to the client. */
function postOnNewConnection(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { method: 'POST', agent: false }, (response) => {
      resolve(response.resume().statusCode);
    })
      .on('error', reject)
      .end('{}');
  });
}
