import { createSecretKey } from 'node:crypto';
import { exportSPKI, SignJWT, UnsecuredJWT } from 'jose';
import { z } from 'zod';
import { Parley } from '../../sdk/index.js';
import { GuestSession } from '../../src/protocol/index.js';
import { KeyServer, signer, type Signer } from '../auth/key-server.js';
import { Cluster } from './cluster.js';
import { Rest } from './rest.js';

const appTokens = { issuer: undefined, audience: undefined, claims: { subject: 'sub', name: 'name' } };
const now = () => Math.floor(Date.now() / 1000);

describe('the handshake of an app with public keys', () => {
  let keys: KeyServer;
  let app: Signer;
  let open: Cluster;
  beforeAll(async () => {
    app = await signer('app');
    keys = await KeyServer.start(app);
    open = await Cluster.start(1, { app: { ...appTokens, trust: { keys: keys.url, algorithms: ['ES256'] } } });
  });
  afterAll(async () => {
    await open.stop();
    await keys.go();
  });

  it('takes a token of one of them', async () => {
    const token = await app.sign({ name: 'Ann' });
    const ann = await open.connect('', 0, { token });
    expect(
      await new Rest(open.instance(0).url, token).ok('GET', '/v1/rooms', z.object({ items: z.array(z.unknown()) })),
    ).toEqual({ items: [] });
    expect(ann.session.tokenExpiresAt).toMatch(/Z$/);
  });

  it.each<[string, () => string | Promise<string>]>([
    ['of another key under its name', async () => (await signer('app')).sign()],
    [
      'that brings its own key along',
      async () => {
        const eve = await signer('app');
        return eve.sign({}, { jwk: eve.jwk });
      },
    ],
    ['of another algorithm', async () => (await signer('app', 'RS256')).sign()],
    ['of no algorithm', () => new UnsecuredJWT({ sub: 'ann', exp: now() + 60 }).encode()],
    [
      'that is signed with the public key as a secret',
      async () =>
        new SignJWT({ sub: 'ann', exp: now() + 60 })
          .setProtectedHeader({ alg: 'HS256', kid: 'app' })
          .sign(createSecretKey(Buffer.from(await exportSPKI(app.publicKey)))),
    ],
  ])('refuses a token %s', async (_, token) => {
    const refused = await open.connect('', 0, { token: await token() }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ error: { code: 'unauthenticated', retryable: false } });
  });

  it('lets guests in by a secret of their own', async () => {
    const guest = await new Rest(open.instance(0).url).ok('POST', '/v1/guests', GuestSession, { name: 'Zoë' });
    expect((await open.connect('', 0, { token: guest.token })).session.userId).toBe(guest.user.id);
  });

  it('asks a client to come again while the keys cannot be had, and lets it in when they can', async () => {
    await keys.go();
    const late = await Cluster.start(1, { app: { ...appTokens, trust: { keys: keys.url, algorithms: ['ES256'] } } });
    try {
      const token = await app.sign();
      const refused = await late.connect('', 0, { token }).catch((error: unknown) => error);
      expect(refused).toMatchObject({
        error: { code: 'unavailable', retryable: true, retryAfterMs: expect.any(Number) as number },
      });
      expect((await new Rest(late.instance(0).url, token).refused('GET', '/v1/rooms')).status).toBe(503);
      const ready = await new Rest(late.instance(0).url).send('GET', '/health/ready');
      expect([ready.status, JSON.parse(ready.text)]).toEqual([200, expect.objectContaining({ keys: 'missing' })]);
      await keys.come();
      const client = new Parley({ url: late.instance(0).url, token });
      await client.ready();
      client.close();
    } finally {
      await late.stop();
    }
  });
});

describe('a way in that is closed', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start(1);
  });
  afterAll(() => cluster.stop());

  it('is closed to the guests of before', async () => {
    const guest = await new Rest(cluster.instance(0).url).ok('POST', '/v1/guests', GuestSession, { name: 'Zoë' });
    const closed = await Cluster.beside(cluster, 1, { guests: undefined });
    try {
      const refused = await closed.connect('', 0, { token: guest.token }).catch((error: unknown) => error);
      expect(refused).toMatchObject({ error: { code: 'unauthenticated' } });
      await closed.connect('ann');
    } finally {
      await closed.stop();
    }
  });

  it('is closed to the app where there are guests alone', async () => {
    const guestsOnly = await Cluster.start(1, { app: undefined });
    try {
      const refused = await guestsOnly.connect('ann').catch((error: unknown) => error);
      expect(refused).toMatchObject({ error: { code: 'unauthenticated' } });
      const rest = new Rest(guestsOnly.instance(0).url);
      const { token } = await rest.ok('POST', '/v1/guests', GuestSession, { name: 'Zoë' });
      await guestsOnly.connect('', 0, { token });
    } finally {
      await guestsOnly.stop();
    }
  });
});
