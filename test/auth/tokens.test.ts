import { createHmac, createPublicKey, createSecretKey, generateKeyPairSync, sign as signWith } from 'node:crypto';
import fc from 'fast-check';
import { exportSPKI, jwtVerify, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { AppKeys, SharedKeys } from '../../src/auth/app-keys.js';
import { readPublicKeys } from '../../src/auth/public-keys.js';
import { readToken, tokenContent, type SignedToken } from '../../src/auth/signed-token.js';
import { AccountTokens } from '../../src/auth/account-tokens.js';
import { TokensService } from '../../src/auth/tokens.service.js';
import { publicKeyAlgorithms, type PublicKey } from '../../src/auth/verification-key.js';
import { readConfig, type AppTokens } from '../../src/config.js';
import { signer, type Algorithm, type Signer } from './key-server.js';

const secret = 'a-secret-of-this-file-alone-0123456789-abcdefghij';
const oldSecret = 'an-old-secret-of-this-file-alone-0123456789-klmnop';
const now = () => Math.floor(Date.now() / 1000);
const shared = (claims: JWTPayload, header: object = {}, key = secret) =>
  new SignJWT({ sub: 'ann', exp: now() + 60, ...claims })
    .setProtectedHeader({ alg: 'HS256', ...header })
    .sign(createSecretKey(Buffer.from(key)));

/** As an app would sign something that no library makes for it. */
const handmade = (header: object, claims: unknown): string => {
  const content = tokenContent(header, claims as object);
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
};

class TheseKeys extends AppKeys {
  readonly state = 'known';
  constructor(private readonly keys: readonly PublicKey[]) {
    super();
  }

  find(_: SignedToken): Promise<readonly PublicKey[]> {
    return Promise.resolve(this.keys);
  }
}

async function tokens(app: Partial<AppTokens> = {}, keys?: AppKeys): Promise<TokensService> {
  const config = await readConfig({ DATABASE_URL: 'postgres://u@h/d', JWT_SECRET: secret, GUESTS: 'on' }, () =>
    Promise.reject(new Error('Not embedded')),
  );
  if (config.app === undefined) throw new Error('The test set a secret');
  // Checking needs no users.
  return new TokensService(
    { ...config, app: { ...config.app, ...app } },
    keys ?? new SharedKeys([secret, oldSecret]),
    undefined as never,
    undefined as never,
    new AccountTokens(config),
    undefined as never,
  );
}

describe('a token of the app', () => {
  it('is taken by its secret, and by the one before (S-16)', async () => {
    const service = await tokens();
    const exp = now() + 60;
    expect(await service.check(await shared({ exp, name: 'Ann' }))).toEqual({
      kind: 'app',
      subject: 'ann',
      name: 'Ann',
      role: 'user',
      expiresAt: exp * 1000,
    });
    expect((await service.check(await shared({}, {}, oldSecret))).subject).toBe('ann');
    await expect(service.check(await shared({}, {}, 'x'.repeat(48)))).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  });

  it.each<[string, string, Record<string, unknown>, object?]>([
    ['that has just expired', 'token_expired', { exp: now() - 1 }],
    ['that never expires', 'unauthenticated', { exp: undefined }],
    ['that expires in words', 'unauthenticated', { exp: '2099' }],
    ['that is good for ten years', 'unauthenticated', { exp: now() + 10 * 366 * 24 * 3600 }],
    ['of the far past that is good for ten years', 'unauthenticated', { iat: 0, exp: now() + 60 }],
    ['of tomorrow', 'unauthenticated', { nbf: now() + 90, exp: now() + 120 }],
    ['that was made tomorrow', 'unauthenticated', { iat: now() + 90, exp: now() + 120 }],
    ['that is good from a word on', 'unauthenticated', { nbf: 'now' }],
    ['of nobody', 'unauthenticated', { sub: undefined }],
    ['of no name', 'unauthenticated', { sub: '' }],
    ['of a number', 'unauthenticated', { sub: 7 }],
    ['of a very long name', 'unauthenticated', { sub: 'x'.repeat(201) }],
    ['of something that cannot be stored', 'unauthenticated', { sub: 'a\0b' }],
    ['that is a logout', 'unauthenticated', {}, { typ: 'logout+jwt' }],
    ['whose kind is no word', 'unauthenticated', {}, { typ: ['JWT'] }],
    ['that asks for more than we know', 'unauthenticated', {}, { crit: ['exp'], exp: 1 }],
    ['that names its key in no word', 'unauthenticated', {}, { kid: { id: 'first' } }],
  ])('is refused %s: %s', async (_, code, claims, header = {}) => {
    const token = handmade({ alg: 'HS256', ...header }, { sub: 'ann', exp: now() + 60, ...claims });
    await expect((await tokens()).check(token)).rejects.toMatchObject({ code });
  });

  it('is taken where the clock that made it is a little ahead', async () => {
    const token = await shared({ iat: now() + 20, nbf: now() + 20 });
    expect((await (await tokens()).check(token)).subject).toBe('ann');
  });

  it.each(['JWT', 'jwt', 'at+jwt', 'application/at+jwt'])('is taken when it says that it is a %s', async (typ) => {
    expect((await (await tokens()).check(await shared({}, { typ }))).subject).toBe('ann');
  });

  it.each([null, 7, 'text', [], [{ x: 'ann' }]])('is refused when its claims are %j (S-13)', async (claims) => {
    await expect((await tokens()).check(handmade({ alg: 'HS256' }, claims))).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  });

  it('is for its issuer and its audience, where they are set (S-15)', async () => {
    const service = await tokens({ issuer: 'https://id.example', audience: 'chat' });
    const iss = 'https://id.example';
    for (const aud of ['chat', ['web', 'chat']])
      expect((await service.check(await shared({ iss, aud }))).kind).toBe('app');
    for (const wrong of [
      { iss },
      { aud: 'chat' },
      { iss, aud: 'cha' },
      { iss, aud: [] },
      { iss: `${iss}/`, aud: 'chat' },
    ])
      await expect(service.check(await shared(wrong))).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('says who someone is where it is told to', async () => {
    const service = await tokens({ claims: { subject: 'user_id', name: 'https://app.example/nick' } });
    const token = await shared({ user_id: 'u7', 'https://app.example/nick': 'Seven', name: 'Nobody' });
    expect(await service.check(token)).toMatchObject({ subject: 'u7', name: 'Seven' });
    const refused = service.check(await shared({ name: 'Ann' }));
    await expect(refused).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(refused).rejects.toThrow('user_id');
  });
});

describe('the role in a token', () => {
  const claims = { subject: 'sub', name: 'name', role: 'roles' };

  it.each<[unknown, string]>([
    ['admin', 'admin'],
    ['auditor', 'auditor'],
    [['chat', 'auditor', 'admin'], 'admin'],
    [['auditor'], 'auditor'],
    [undefined, 'user'],
    ['Admin', 'user'],
    ['admin auditor', 'user'],
    [[['admin']], 'user'],
    [{ admin: true }, 'user'],
    [true, 'user'],
  ])('%j makes its user a service’s %s', async (roles, role) => {
    expect((await (await tokens({ claims })).check(await shared({ roles }))).role).toBe(role);
  });

  it('is looked for where that is set alone, and never in a guest’s', async () => {
    expect(
      (await (await tokens()).check(await shared({ roles: 'admin', role: 'admin', undefined: 'admin' }))).role,
    ).toBe('user');
    const forged = await shared({ iss: 'parley:guest', sub: 'g', roles: 'admin' });
    expect((await (await tokens({ claims })).check(forged)).role).toBe('user');
  });
});

describe('a guest’s token', () => {
  it('is taken by the guests’ secret alone (S-15)', async () => {
    const service = await tokens({}, new SharedKeys(['y'.repeat(48)]));
    const { token, expiresAt } = service.signGuest({ id: 'g', name: 'Zoë' });
    expect(await service.check(token)).toEqual({
      kind: 'guest',
      subject: 'g',
      name: 'Zoë',
      role: 'user',
      issuedAt: expect.any(Number) as number,
      expiresAt: +expiresAt,
    });
    expect((await jwtVerify(token, createSecretKey(Buffer.from(secret)))).payload.iss).toBe('parley:guest');
    const forged = await shared({ iss: 'parley:guest' }, {}, 'y'.repeat(48));
    await expect(service.check(forged)).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});

describe.each<Algorithm>(['RS256', 'ES256', 'EdDSA'])('a token of a public key for %s', (algorithm) => {
  let app: Signer;
  let service: TokensService;
  beforeAll(async () => {
    app = await signer('app', algorithm);
    const { keys } = readPublicKeys(JSON.stringify({ keys: [app.jwk] }), publicKeyAlgorithms);
    service = await tokens({}, new TheseKeys(keys));
  });

  it('is taken', async () => {
    expect((await service.check(await app.sign({ name: 'Ann' }))).name).toBe('Ann');
  });

  it('is refused when it is signed with the public key as if that were a secret (S-13)', async () => {
    const pem = await exportSPKI(app.publicKey);
    const { n = '', x = '' } = app.jwk;
    const der = createPublicKey(pem).export({ type: 'spki', format: 'der' });
    for (const known of [pem, pem.trim(), JSON.stringify(app.jwk), n as string, x as string, der]) {
      const content = tokenContent({ alg: 'HS256', kid: 'app' }, { sub: 'eve', exp: now() + 60 });
      const forged = `${content}.${createHmac('sha256', known).update(content).digest('base64url')}`;
      await expect(service.check(forged)).rejects.toMatchObject({ code: 'unauthenticated' });
    }
  });

  it('is refused when it says another algorithm, or none (S-13)', async () => {
    const [, body = '', signature = ''] = (await app.sign()).split('.');
    for (const alg of ['none', 'HS256', 'RS512', 'PS256', 'ES384', 'ES256K', algorithm.toLowerCase()]) {
      const head = Buffer.from(JSON.stringify({ alg, kid: 'app' })).toString('base64url');
      const agreed = app.signAs(tokenContent({ alg, kid: 'app' }, { sub: 'eve', exp: now() + 60 }));
      for (const token of [agreed, `${head}.${body}.${signature}`, `${head}.${body}.`])
        await expect(service.check(token)).rejects.toMatchObject({ code: 'unauthenticated' });
    }
    await expect(service.check(new UnsecuredJWT({ sub: 'eve', exp: now() + 60 }).encode())).rejects.toThrow();
  });

  it('is refused when it brings its own key along (S-13)', async () => {
    const eve = await signer('app', algorithm);
    for (const header of [
      { jwk: eve.jwk },
      { jku: 'http://127.0.0.1:1/' },
      { x5u: 'http://127.0.0.1:1/' },
      { x5c: ['AA=='] },
    ])
      await expect(service.check(await eve.sign({}, header))).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});

it('takes no short RSA key, and none of another curve', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey;
  const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey;
  for (const key of [rsa, p384, pss]) {
    const pem = key.export({ type: 'spki', format: 'pem' }).toString();
    expect(readPublicKeys(pem, publicKeyAlgorithms).keys).toEqual([]);
  }
});

it('takes an ECDSA signature as JWTs write it, and not as certificates do', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const service = await tokens({}, new TheseKeys(readPublicKeys(pem, publicKeyAlgorithms).keys));
  const content = tokenContent({ alg: 'ES256' }, { sub: 'ann', exp: now() + 60 });
  const der = signWith('sha256', Buffer.from(content), privateKey).toString('base64url');
  await expect(service.check(`${content}.${der}`)).rejects.toMatchObject({ code: 'unauthenticated' });
});

it('takes what jose takes of what jose made, and nothing that jose refuses of what became of it (S-13)', async () => {
  const service = await tokens();
  const key = createSecretKey(Buffer.from(secret));
  const anything = fc.record({
    sub: fc.string({ minLength: 1, maxLength: 50, unit: 'grapheme' }),
    name: fc.string(),
    x: fc.jsonValue(),
  });
  const change = fc.record({
    at: fc.nat(),
    to: fc.constantFrom(...'AZaz09-_.=+/ \0é'),
    how: fc.constantFrom('replace', 'insert', 'remove', 'none'),
  });
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(anything, change, async (claims, { at, to, how }) => {
      fc.pre(!claims.sub.includes('\0'));
      const token = await shared(claims);
      const i = at % token.length;
      const changed =
        how === 'none'
          ? token
          : token.slice(0, i) + (how === 'remove' ? '' : to) + token.slice(how === 'insert' ? i : i + 1);
      const ours = await service.check(changed).then(
        ({ subject }) => subject,
        () => undefined,
      );
      const theirs = await jwtVerify(changed, key, { algorithms: ['HS256'] }).then(
        ({ payload }) => payload.sub,
        () => undefined,
      );
      if (ours !== undefined) taken += 1;
      if (how === 'none') expect(ours).toBe(claims.sub);
      if (ours !== undefined) expect(ours).toBe(theirs);
    }),
    { numRuns: 400 },
  );
  expect(taken).toBeGreaterThan(50);
});

it('looks at no token that is too long (S-08)', () => {
  expect(readToken(`${'a'.repeat(5_000)}.${'b'.repeat(5_000)}.c`)).toBeUndefined();
  const since = performance.now();
  for (const odd of ['.'.repeat(8_192), 'a.'.repeat(4_096), 'a'.repeat(8_192)]) expect(readToken(odd)).toBeUndefined();
  expect(performance.now() - since).toBeLessThan(50);
});
