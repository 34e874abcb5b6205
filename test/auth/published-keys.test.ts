import { jest } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Logger } from '@nestjs/common';
import { exportSPKI } from 'jose';
import { PublishedKeys } from '../../src/auth/published-keys.js';
import { readToken } from '../../src/auth/signed-token.js';
import { publicKeyAlgorithms } from '../../src/auth/verification-key.js';
import { StartError } from '../../src/start-error.js';
import { KeyServer, says, serves, signer, stalls, type Signer } from './key-server.js';

type Times = NonNullable<Parameters<typeof PublishedKeys.open>[2]>;

const brief = { every: 60_000, cooldown: 50, timeout: 300, keep: 60_000 };
const opened: PublishedKeys[] = [];
let first: Signer;
let second: Signer;
let server: KeyServer;

beforeAll(async () => {
  Logger.overrideLogger(false);
  [first, second] = [await signer('first'), await signer('second')];
});
beforeEach(async () => {
  server = await KeyServer.start(first);
});
afterEach(async () => {
  for (const keys of opened.splice(0)) keys.onApplicationShutdown();
  await server.go();
});

async function open(times: Times = {}, from = server.url): Promise<PublishedKeys> {
  const keys = await PublishedKeys.open(from, publicKeyAlgorithms, { ...brief, ...times });
  opened.push(keys);
  return keys;
}

async function accepts(keys: PublishedKeys, token: string): Promise<boolean> {
  const read = readToken(token);
  if (read === undefined) throw new Error('The test made no token');
  return (await keys.find(read)).some((key) => key.algorithm === read.algorithm && key.hasSigned(read));
}

/** What is read of the clock moves; timers do not. */
function later(ms: number): void {
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + ms);
}
afterEach(() => jest.restoreAllMocks());

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const until = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > until) throw new Error(`It did not come to hold: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const unavailable = { code: 'unavailable', extra: { retryAfterMs: expect.any(Number) as number } };

describe('keys that are published under a URL', () => {
  it('are read once, whoever comes with one that is known', async () => {
    const keys = await open();
    for (let i = 0; i < 20; i++) expect(await accepts(keys, await first.sign())).toBe(true);
    expect(server.asked).toBe(1);
  });

  it('are read again for a token of a key that is not known yet', async () => {
    const keys = await open();
    server.publish(first, second);
    later(60);
    expect(await accepts(keys, await second.sign())).toBe(true);
    expect(await accepts(keys, await first.sign())).toBe(true);
    expect(server.asked).toBe(2);
  });

  it('are read again by themselves, and one that was taken back is no longer good (S-16)', async () => {
    const keys = await open({ every: 20 });
    server.publish(second);
    await eventually(async () => accepts(keys, await second.sign()).catch(() => false));
    // What nobody publishes is refused for good, once it was looked for.
    await eventually(async () => (await accepts(keys, await first.sign()).catch(() => undefined)) === false);
  });

  it('are not asked for by every token of a key that nobody has, and those get to hear when to ask again (S-16)', async () => {
    const keys = await open({ cooldown: 60_000 });
    const strangers = await Promise.all(Array.from({ length: 50 }, (_, i) => signer(`stranger ${i}`)));
    const forged = await Promise.all(strangers.map((each) => each.sign()));
    for (const token of forged) await expect(accepts(keys, token)).rejects.toMatchObject(unavailable);
    expect(server.asked).toBe(1);
    later(60_000);
    const answers = await Promise.all(forged.map((token) => accepts(keys, token)));
    expect(answers).toEqual(forged.map(() => false));
    expect(server.asked).toBe(2);
    expect(await accepts(keys, await first.sign())).toBe(true);
  });

  it.each([
    ['says that something went wrong', says(500, 'Oops')],
    ['is not found', says(404, '')],
    [
      'redirects elsewhere',
      (response: ServerResponse) =>
        (response.req.url === '/elsewhere' ? serves([second.jwk]) : says(302, '', { location: '/elsewhere' }))(
          response,
        ),
    ],
    ['serves a page', says(200, '<html>')],
    ['serves something else', says(200, '{"keys":7}')],
    ['takes the request and says nothing', stalls()],
    ['stops in the middle', stalls('{"keys":[')],
    [
      'says far too much',
      (response: ServerResponse) =>
        says(200, JSON.stringify({ x: ' '.repeat(300 * 1024), keys: [second.jwk] }))(response),
    ],
    ['serves far too many keys', serves(Array.from({ length: 100 }, () => ({ kty: 'EC' })))],
  ])('stay good while their server %s; others are refused for the moment', async (_, behaviour) => {
    const keys = await open({ every: 20 });
    server.behave = behaviour;
    const asked = server.asked;
    await eventually(() => Promise.resolve(server.asked > asked));
    const since = performance.now();
    expect(await accepts(keys, await first.sign())).toBe(true);
    expect(performance.now() - since).toBeLessThan(100);
    await expect(accepts(keys, await second.sign())).rejects.toMatchObject(unavailable);
    server.publish(second);
    await eventually(async () => accepts(keys, await second.sign()).catch(() => false));
  });

  it('stay good while their server is gone, as long as is promised, and no longer (S-16)', async () => {
    const keys = await open({ every: 20, keep: 60_000 });
    expect(keys.state).toBe('known');
    await server.go();
    await expect(accepts(keys, await second.sign())).rejects.toMatchObject(unavailable);
    await eventually(() => Promise.resolve(keys.state === 'stale'));
    expect(await accepts(keys, await first.sign())).toBe(true);
    later(60_000);
    await eventually(async () => (await accepts(keys, await first.sign()).catch(() => 'refused')) === 'refused');
    await expect(accepts(keys, await first.sign())).rejects.toMatchObject(unavailable);
    expect(keys.state).toBe('missing');
    await server.come();
    await eventually(async () => accepts(keys, await first.sign()).catch(() => false));
    expect(keys.state).toBe('known');
  });

  it('need not be there at the start: until they are, nobody is taken and nobody refused for good', async () => {
    await server.go();
    const keys = await open({ every: 20 });
    await expect(accepts(keys, await first.sign())).rejects.toMatchObject(unavailable);
    await server.come();
    await eventually(async () => accepts(keys, await first.sign()).catch(() => false));
  });

  it('do not let the start wait for a server that stalls', async () => {
    server.behave = stalls();
    const since = performance.now();
    await open({ timeout: 100 });
    expect(performance.now() - since).toBeLessThan(2_000);
  });

  it('are all taken back by an empty set, and then nobody can say who is who', async () => {
    const keys = await open({ every: 20 });
    server.publish();
    await eventually(async () => (await accepts(keys, await first.sign()).catch(() => undefined)) === undefined);
    await expect(accepts(keys, await first.sign())).rejects.toMatchObject(unavailable);
  });

  it('are none where they are secret, for encryption, for another algorithm, or cannot be read', async () => {
    const [{ jwk }, rsa] = [first, await signer('rsa', 'RS256')];
    const useless = [
      { kty: 'oct', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA', kid: 'first' },
      { ...jwk, use: 'enc' },
      { ...jwk, key_ops: ['sign'] },
      { ...jwk, alg: 'RS256' },
      { ...jwk, crv: 'P-384' },
      { ...jwk, x: 7 },
      { ...rsa.jwk, alg: 'HS256' },
      { kty: 'toString' },
      null,
      'first',
    ];
    server.behave = serves(useless as object[]);
    const keys = await open();
    await expect(accepts(keys, await first.sign())).rejects.toMatchObject(unavailable);
    server.behave = serves([...(useless as object[]), jwk]);
    later(60);
    expect(await accepts(keys, await first.sign())).toBe(true);
  });
});

describe('keys in a file', () => {
  let dir: string;
  const at = async (text: string): Promise<URL> => {
    await writeFile(join(dir, 'keys'), text);
    return pathToFileURL(join(dir, 'keys'));
  };
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'parley-keys-'));
  });
  afterAll(() => rm(dir, { recursive: true }));

  it('are PEM, one or several, JWK, or JWKS', async () => {
    const [one, two] = [await signer(undefined, 'EdDSA'), await signer(undefined, 'RS256')];
    const pem = `# Of 2026\n${await exportSPKI(one.publicKey)}\n${await exportSPKI(two.publicKey)}`;
    for (const text of [pem, JSON.stringify(one.jwk), JSON.stringify({ keys: [one.jwk, two.jwk] })]) {
      const keys = await open({}, await at(text));
      expect(await accepts(keys, await one.sign({}, { kid: 'any' }))).toBe(true);
      later(60);
      expect(await accepts(keys, await first.sign())).toBe(false);
      jest.restoreAllMocks();
    }
  });

  it('are read again when the file changes', async () => {
    const keys = await open({ every: 20 }, await at(await exportSPKI(first.publicKey)));
    await at(await exportSPKI(second.publicKey));
    await eventually(async () => accepts(keys, await second.sign()));
    expect(await accepts(keys, await first.sign())).toBe(false);
  });

  it.each([
    ['nothing', '', 'is neither PEM nor JSON'],
    ['words', 'my key', 'is neither PEM nor JSON'],
    ['no JSON', '{"kty"', 'is no JSON'],
    ['no key', '{"keys":[]}', 'has no key'],
    ['a private key', '-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----', 'has a private key'],
    ['a secret', '{"kty":"oct","k":"AAAA"}', 'has a secret key'],
    ['a broken key', '-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----', 'cannot be read'],
    ['too much', ' '.repeat(300 * 1024), 'is larger than'],
  ])('stop the start where the file has %s, and say so', async (_, text, reason) => {
    const start = open({}, await at(text));
    await expect(start).rejects.toThrow(StartError);
    await expect(start).rejects.toThrow(reason);
    await expect(start).rejects.toThrow('give the public key of your app');
  });

  it('stop the start where there is no file', async () => {
    await expect(open({}, pathToFileURL(join(dir, 'none')))).rejects.toThrow('cannot be read (ENOENT)');
  });
});
