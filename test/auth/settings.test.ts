import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig, readDatabase, type Config } from '../../src/config.js';
import { StartError } from '../../src/start-error.js';

const secret = 'a-secret-of-this-file-alone-0123456789-abcdefghij';
const other = 'another-secret-of-this-file-0123456789-abcdefghij';
const own = 'what-embedded-mode-made-by-itself-0123456789-abcd';

const read = (settings: Record<string, string>): Promise<Config> =>
  readConfig(settings, () => Promise.resolve({ databaseUrl: 'postgres://u@h/d', jwtSecret: own, adminKey: own }));
const clustered = (settings: Record<string, string>) => read({ DATABASE_URL: 'postgres://u@h/d', ...settings });
const pem = '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----';

describe('the settings of who comes in', () => {
  it.each<[string, Record<string, string>]>([
    ['JWT_SECRET is not set, nor is JWT_KEYS', {}],
    ['JWT_SECRET is not set, nor is JWT_KEYS', { GUEST_SECRET: secret }],
    ['take the other one out', { JWT_SECRET: secret, JWT_KEYS: 'https://id.example/jwks.json' }],
    ['set GUEST_SECRET', { JWT_KEYS: 'https://id.example/jwks.json', GUESTS: 'on' }],
    ['set GUEST_SECRET', { GUESTS: 'on' }],
    ['set ACCOUNT_SECRET', { JWT_KEYS: 'https://id.example/jwks.json', ACCOUNTS: 'on' }],
    ['ACCOUNT_SECRET is wrong', { JWT_SECRET: secret, ACCOUNT_SECRET: 'short' }],
    ['TRUST_PROXY is wrong', { JWT_SECRET: secret, TRUST_PROXY: 'all' }],
    ['JWT_OLD_SECRET is set without JWT_SECRET', { JWT_OLD_SECRET: secret, JWT_KEYS: 'keys.pem' }],
    ['BUS_HMAC_OLD_KEY is set without BUS_HMAC_KEY', { JWT_SECRET: secret, BUS_HMAC_OLD_KEY: secret }],
    ['BUS_HMAC_KEY is wrong: it has to be random', { JWT_SECRET: secret, BUS_HMAC_KEY: 'a'.repeat(48) }],
    ['JWT_ALGORITHMS is for the public keys', { JWT_SECRET: secret, JWT_ALGORITHMS: 'RS256' }],
    ['JWT_SECRET is wrong: it has to be at least 32 bytes', { JWT_SECRET: 'changeme' }],
    ['JWT_SECRET is wrong: it has to be random', { JWT_SECRET: 'a'.repeat(48) }],
    ['JWT_SECRET is wrong: it has to be no public key', { JWT_SECRET: pem }],
    ['JWT_OLD_SECRET is wrong', { JWT_SECRET: secret, JWT_OLD_SECRET: 'short' }],
    ['GUEST_SECRET is wrong', { JWT_SECRET: secret, GUEST_SECRET: 'short' }],
    ['JWT_KEYS is wrong: it has to be a file, or start with https://', { JWT_KEYS: 'http://id.example/jwks.json' }],
    ['JWT_KEYS is wrong', { JWT_KEYS: 'http://localhost.evil.example/' }],
    ['JWT_KEYS is wrong', { JWT_KEYS: 'https://' }],
    ['JWT_KEYS is wrong', { JWT_KEYS: 'ftp://id.example/keys' }],
    ['JWT_ALGORITHMS is wrong: it takes RS256, ES256, EdDSA', { JWT_KEYS: 'k', JWT_ALGORITHMS: 'RS256,none' }],
    ['JWT_ALGORITHMS is wrong: it takes RS256, ES256, EdDSA', { JWT_KEYS: 'k', JWT_ALGORITHMS: 'HS256' }],
    ['GUESTS is wrong', { JWT_SECRET: secret, GUESTS: 'yes' }],
    ['TRUST_PROXY is wrong: it has to be a list of addresses', { JWT_SECRET: secret, TRUST_PROXY: 'all' }],
    ['TRUST_PROXY is wrong: it has to be a list of addresses', { JWT_SECRET: secret, TRUST_PROXY: '10.0.0.0/33' }],
    ['TRUST_PROXY is wrong: it has to be a list of addresses', { JWT_SECRET: secret, TRUST_PROXY: '11' }],
    ['LIMITS is wrong: it has to be a list such as', { JWT_SECRET: secret, LIMITS: 'guests=20' }],
    ['LIMITS is wrong: it has to be a list such as', { JWT_SECRET: secret, LIMITS: 'coffees=1/60' }],
    ['LIMITS is wrong: it has to be a list such as', { JWT_SECRET: secret, LIMITS: 'guests=0/60' }],
  ])('stop the start: %s (S-14)', async (sentence, settings) => {
    const start = clustered(settings);
    await expect(start).rejects.toThrow(StartError);
    await expect(start).rejects.toThrow(sentence);
    for (const value of [settings['JWT_SECRET'], settings['GUEST_SECRET']])
      if (value !== undefined) await expect(start).rejects.not.toThrow(value);
  });

  it('stand in files as well, without the end of the line (S-51)', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'parley-settings-'));
    const file = async (name: string, content: string) => {
      await writeFile(join(dir, name), content);
      return join(dir, name);
    };
    try {
      const JWT_SECRET_FILE = await file('jwt', `${secret}\n`);
      const DATABASE_URL_FILE = await file('database', 'postgres://u@h/d\n');
      const config = await read({ JWT_SECRET_FILE, DATABASE_URL_FILE, JWT_OLD_SECRET_FILE: '' });
      expect([config.app?.trust, config.database.url]).toEqual([{ secrets: [secret] }, 'postgres://u@h/d']);
      expect(readDatabase({ DATABASE_URL_FILE }).url).toBe('postgres://u@h/d');
      const wrong: [string, Record<string, string>][] = [
        ['JWT_SECRET and JWT_SECRET_FILE are both set', { JWT_SECRET: secret, JWT_SECRET_FILE }],
        ['JWT_SECRET_FILE names a file that cannot be read', { JWT_SECRET_FILE: join(dir, 'none') }],
        ['JWT_SECRET_FILE names a file with nothing in it', { JWT_SECRET_FILE: await file('empty', '\n') }],
        ['JWT_SECRET_FILE names a file of more than', { JWT_SECRET_FILE: await file('big', 'x'.repeat(70_000)) }],
        ['JWT_SECRET is wrong: it has to be at least 32 bytes', { JWT_SECRET_FILE: await file('weak', 'changeme') }],
      ];
      for (const [sentence, settings] of wrong) {
        await expect(clustered(settings)).rejects.toThrow(StartError);
        await expect(clustered(settings)).rejects.toThrow(sentence);
      }
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it.each<[string, Record<string, string>]>([
    ['set both or none', { PRE_SEND_HOOK_URL: 'https://app.example/hook' }],
    ['set both or none', { PRE_SEND_HOOK_SECRET: secret }],
    ['PRE_SEND_HOOK_SECRET is wrong', { PRE_SEND_HOOK_URL: 'https://app.example/hook', PRE_SEND_HOOK_SECRET: 'short' }],
    ['PRE_SEND_HOOK_URL is wrong: it has to start with https://', { PRE_SEND_HOOK_URL: 'ftp://app.example' }],
    ['PRE_SEND_HOOK_URL is wrong: it has to be without a user', { PRE_SEND_HOOK_URL: 'https://a:b@app.example' }],
    ['PRE_SEND_HOOK_TIMEOUT_MS is wrong', { PRE_SEND_HOOK_TIMEOUT_MS: '49' }],
    ['PRE_SEND_HOOK_FAIL is wrong: it takes open or closed', { PRE_SEND_HOOK_FAIL: 'ajar' }],
  ])('of the pre-send hook stop the start: %s', async (sentence, settings) => {
    await expect(read(settings)).rejects.toThrow(sentence);
  });

  it('of the pre-send hook have defaults', async () => {
    const url = 'http://localhost:4000/hook';
    const { preSendHook } = await read({ PRE_SEND_HOOK_URL: url, PRE_SEND_HOOK_SECRET: secret });
    expect(preSendHook).toEqual({ url, secret, timeoutMs: 300, fail: 'open' });
    expect((await read({})).preSendHook).toBeUndefined();
  });

  it('open each way in by itself', async () => {
    const app = { issuer: undefined, audience: undefined, claims: { subject: 'sub', name: 'name' } };
    const byKeys = {
      ...app,
      trust: { keys: new URL('https://id.example/k'), algorithms: ['RS256', 'ES256', 'EdDSA'] },
    };
    const ways: [Promise<Config>, Pick<Config, 'app' | 'guests'>][] = [
      [clustered({ JWT_SECRET: secret }), { app: { ...app, trust: { secrets: [secret] } }, guests: undefined }],
      [clustered({ JWT_KEYS: 'https://id.example/k' }), { app: byKeys as Config['app'], guests: undefined }],
      [clustered({ GUESTS: 'on', GUEST_SECRET: other }), { app: undefined, guests: { secrets: [other] } }],
      [
        clustered({ JWT_KEYS: 'https://id.example/k', GUESTS: 'on', GUEST_SECRET: other }),
        { app: byKeys as Config['app'], guests: { secrets: [other] } },
      ],
      [
        clustered({ JWT_SECRET: secret, JWT_OLD_SECRET: other, GUESTS: 'on' }),
        { app: { ...app, trust: { secrets: [secret, other] } }, guests: { secrets: [secret, other] } },
      ],
      [read({}), { app: { ...app, trust: { secrets: [own] } }, guests: { secrets: [own] } }],
      [read({ GUESTS: 'off' }), { app: { ...app, trust: { secrets: [own] } }, guests: undefined }],
      [read({ JWT_KEYS: 'https://id.example/k' }), { app: byKeys as Config['app'], guests: { secrets: [own] } }],
    ];
    for (const [config, expected] of ways) expect(await config).toMatchObject(expected);
  });

  it('say whether there are accounts, which embedded mode alone has by itself', async () => {
    const ways: [Promise<Config>, Config['accounts']][] = [
      [clustered({ JWT_SECRET: secret }), undefined],
      [clustered({ JWT_SECRET: secret, ACCOUNT_SECRET: other }), undefined],
      [clustered({ JWT_SECRET: secret, ACCOUNTS: 'on' }), { secrets: [secret] }],
      [clustered({ JWT_SECRET: secret, JWT_OLD_SECRET: other, ACCOUNTS: 'on' }), { secrets: [secret, other] }],
      [clustered({ ACCOUNTS: 'on', ACCOUNT_SECRET: other }), { secrets: [other] }],
      [read({}), { secrets: [own] }],
      [read({ ACCOUNTS: 'off' }), undefined],
    ];
    for (const [config, expected] of ways) expect((await config).accounts).toEqual(expected);
  });
});
