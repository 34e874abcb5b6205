import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { readConfig, readMigration } from '../../src/config.js';
import { settingNames } from './settings.js';
import { HAPROXY_CONFIG, haproxyProgram } from './haproxy.js';

interface Service {
  image: string;
  user?: string;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  restart?: string;
  ports?: string[];
  volumes?: string[];
  networks: string[];
  depends_on?: string[] | Record<string, { condition: string }>;
  command?: string[];
  environment: Record<string, string>;
  healthcheck?: { test: string[] };
  deploy?: { resources: { limits: { memory?: string; pids?: number } } };
}

/** Every key of a service that the file uses, by the Compose Specification; another one is a slip of the pen. */
const serviceKeys = new Set(
  `build cap_drop command depends_on deploy environment healthcheck image logging networks ports read_only restart
   security_opt shm_size stop_grace_period tmpfs ulimits user volumes`.split(/\s+/),
);

const source = readFileSync('docker-compose.yml', 'utf8');
const compose = parse(source, { merge: true }) as {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean } | null>;
  volumes: Record<string, unknown>;
};
const services = Object.entries(compose.services);
const service = (name: string): Service => {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`No service ${name}`);
  return found;
};

/** `${NAME:?…}`, `${NAME?…}`, `${NAME:-default}`: what the file takes from the environment. */
const variables = [...source.matchAll(/(?<!\$)\$\{(\w+)(:?[?-])?([^}]*)\}/g)].map(
  ([, name = '', operator = '', rest = '']) => ({ name, required: operator.endsWith('?'), fallback: rest }),
);
const interpolate = (value: string, given: Record<string, string>): string =>
  value.replaceAll(/\$\{(\w+)(?:(:?[?-])([^}]*))?\}/g, (_, name: string, operator: string, rest: string) => {
    const found = given[name];
    if (found !== undefined && (found !== '' || operator === '?')) return found;
    if (operator.endsWith('?')) throw new Error(`${name} ${rest}`);
    return rest;
  });

describe('docker-compose.yml', () => {
  it('uses keys, targets, networks, volumes and files that exist', () => {
    expect(services.length).toBeGreaterThan(5);
    for (const [name, { depends_on = {}, networks, volumes = [], ...rest }] of services) {
      expect(Object.keys(rest).filter((key) => !serviceKeys.has(key))).toEqual([]);
      expect(networks.filter((network) => !(network in compose.networks))).toEqual([]);
      const targets = Array.isArray(depends_on)
        ? depends_on.map((target) => [target, { condition: 'service_started' }] as const)
        : Object.entries(depends_on);
      for (const [target, { condition }] of targets) {
        expect(target).not.toBe(name);
        const reachable = condition === 'service_healthy' ? service(target).healthcheck : service(target);
        expect(reachable).toBeDefined();
        // What ends is waited for until it has; what goes on is not.
        expect(condition === 'service_completed_successfully').toBe(target === 'migrate');
      }
      for (const volume of volumes) {
        const [from = ''] = volume.split(':');
        if (from.startsWith('./')) expect(existsSync(from)).toBe(true);
        else expect(compose.volumes).toHaveProperty(from);
      }
    }
  });

  it('publishes one port, that of the balancer, and keeps Postgres and Redis out of reach (S-51)', () => {
    expect(services.filter(([, { ports }]) => ports !== undefined).map(([name]) => name)).toEqual(['balancer']);
    expect(service('balancer').ports).toHaveLength(1);
    for (const name of ['postgres', 'redis']) expect(service(name).networks).toEqual(['data']);
    expect(compose.networks['data']?.internal).toBe(true);
    expect(service('balancer').networks).not.toContain('data');
  });

  it('restarts, checks and bounds every service, and runs none with rights that it does not need (S-57)', () => {
    for (const [name, { restart, healthcheck, deploy, read_only, cap_drop, security_opt, user }] of services) {
      expect({ name, restart, read_only, cap_drop, security_opt }).toEqual({
        name,
        restart: name === 'migrate' ? 'on-failure' : 'unless-stopped',
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
      if (name !== 'migrate') expect(healthcheck?.test.every((part) => typeof part === 'string')).toBe(true);
      const { memory, pids } = deploy?.resources.limits ?? {};
      expect([name, typeof memory, typeof pids]).toEqual([name, 'string', 'number']);
      // The images of Parley and HAProxy name a user themselves.
      if (name === 'postgres' || name === 'redis') expect(user).toBeDefined();
    }
    expect(readFileSync('Dockerfile', 'utf8')).toMatch(/^USER node$/m);
  });

  it('has a default for no secret (S-14, S-51)', () => {
    const secrets = variables.filter(({ name }) => /PASSWORD|SECRET|KEY/.test(name));
    expect(new Set(secrets.map(({ name }) => name)).size).toBe(12);
    // An empty one of these gives nothing away: without an admin key there is no admin REST, without keys no token is good.
    const optional = [
      'ADMIN_KEY',
      'JWT_KEYS',
      'JWT_OLD_SECRET',
      'GUEST_SECRET',
      'ACCOUNT_SECRET',
      'BUS_HMAC_KEY',
      'BUS_HMAC_OLD_KEY',
    ];
    for (const { name, required, fallback } of secrets)
      expect(required || (optional.includes(name) && fallback === '')).toBe(true);
    for (const [, { environment }] of services) {
      for (const [name, value] of Object.entries(environment))
        if (/PASSWORD|SECRET|KEY|AUTH$|_URL$/.test(name)) expect(value).toMatch(/\$\{\w+/);
    }
  });

  it('sets settings that Parley has, to values that it takes', async () => {
    const env = madeEnv();
    for (const name of ['parley1', 'parley2', 'parley3']) {
      const { environment } = service(name);
      expect(Object.keys(environment).filter((key) => !settingNames.includes(key))).toEqual([]);
      const given = Object.fromEntries(
        Object.entries(environment).map(([key, value]) => [key, interpolate(value, env.values)]),
      );
      const config = await readConfig(given, () => Promise.reject(new Error('Not embedded')));
      expect(config.adminKey).toBe(env.values['ADMIN_KEY']);
      expect(new URL(config.database.url)).toMatchObject({ username: 'parley', hostname: 'postgres' });
      expect(new URL(config.redis?.urls[0] ?? '')).toMatchObject({ username: 'parley', hostname: 'redis' });
      expect(config.host).toBe('0.0.0.0');
      expect(() => interpolate(environment['DATABASE_URL'] ?? '', {})).toThrow('run deploy/make-env.sh');
    }
  });

  it('serves as who may change nothing but rows, once the schema was made by its owner (S-51)', () => {
    const { values } = madeEnv();
    const { command, environment } = service('migrate');
    const [program, file = ''] = command ?? [];
    expect([program, existsSync(file.replace(/^dist(.*)js$/, 'src$1ts'))]).toEqual(['node', true]);
    const { owning, serving } = readMigration(
      Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, interpolate(value, values)])),
    );
    expect(new URL(owning.url)).toMatchObject({ username: 'parley_owner', pathname: '/parley' });
    expect(new URL(serving).password).not.toBe(new URL(owning.url).password);
    for (const name of ['parley1', 'parley2', 'parley3']) {
      expect(service(name).depends_on).toMatchObject({ migrate: { condition: 'service_completed_successfully' } });
      expect(service(name).environment['DATABASE_URL']).toBe(environment['DATABASE_URL']);
      expect(JSON.stringify(service(name).environment)).not.toContain('OWNER');
    }
  });

  it('makes the two roles that the documents tell of, which are tried by themselves (S-51)', () => {
    const [, told = ''] =
      /<!-- roles -->\s*```sql\n([\s\S]*?)```/.exec(readFileSync('docs/operations.md', 'utf8')) ?? [];
    const [, made = ''] =
      /<<'END'\n([\s\S]*?)END\n/.exec(readFileSync('deploy/postgres/create-database.sh', 'utf8')) ?? [];
    const statements = (text: string) => text.split('\n').filter((line) => line.endsWith(';'));
    expect(statements(made).map((line) => line.replace(/:'(owner|serving)_password'/, "'PASSWORD'"))).toEqual(
      statements(told).map((line) => line.replace('OWNER_PASSWORD', 'PASSWORD')),
    );
    for (const [, name] of made.matchAll(/\\getenv \w+ (\w+)/g))
      expect(service('postgres').environment).toHaveProperty(name ?? '');
    expect([...made.matchAll(/\\getenv (\w+)/g)].every(([, name]) => made.includes(`:'${name}'`))).toBe(true);
  });

  it('takes public keys in place of the secret, and neither for nothing', async () => {
    const given = (change: Record<string, string>) =>
      Object.fromEntries(
        Object.entries(service('parley1').environment).map(([key, value]) => [
          key,
          interpolate(value, { ...madeEnv().values, GUESTS: 'off', ...change }),
        ]),
      );
    const read = (change: Record<string, string>) =>
      readConfig(given(change), () => Promise.reject(new Error('Not embedded')));
    const { app } = await read({ JWT_SECRET: '', JWT_KEYS: 'https://app.example/jwks.json', JWT_ALGORITHMS: 'ES256' });
    expect(app?.trust).toMatchObject({ keys: { host: 'app.example' }, algorithms: ['ES256'] });
    await expect(read({ JWT_SECRET: '' })).rejects.toThrow('JWT_SECRET is not set');
  });

  it('gives the balancer what its configuration asks for, with the instances in it', () => {
    const { environment } = service('balancer');
    const asked = [...readFileSync(HAPROXY_CONFIG, 'utf8').matchAll(/"\$\{(\w+)(\[\*\])?\}"/g)].map(([, name]) => name);
    expect(new Set(Object.keys(environment))).toEqual(new Set(asked));
    const instances = Object.keys(compose.services).filter((name) => name.startsWith('parley'));
    const addresses = instances.map((name) => `${name}:${service(name).environment['PORT']}`);
    expect(asked.filter((name) => name?.startsWith('PARLEY_')).map((name) => environment[name ?? ''])).toEqual(
      addresses,
    );
    // Nobody here knows the names of the containers.
    const here = Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [name, value.replace(/^parley\d:/, '127.0.0.1:')]),
    );
    const check = spawnSync(haproxyProgram(), ['-c', '-f', HAPROXY_CONFIG], {
      env: { PATH: process.env['PATH'], ...here, BALANCER_MAXCONN: '1000' },
      encoding: 'utf8',
    });
    expect(`${check.status} ${check.stderr}`).toMatch(/^0/);
    expect(check.stderr).not.toMatch(/WARNING|ALERT/);
  });

  it('finds every secret in the .env that make-env.sh writes: random, for its owner alone, never overwritten (S-51)', () => {
    const first = madeEnv();
    for (const { name, required } of variables) if (required) expect(first.values).toHaveProperty(name);
    const secrets = Object.values(first.values).filter((value) => /^[0-9a-f]{64}$/.test(value));
    expect(new Set(secrets).size).toBe(7);
    expect(first.mode).toBe(0o600);
    expect(first.again).toMatchObject({ status: 1, changed: false });
    expect(madeEnv().values['JWT_SECRET']).not.toBe(first.values['JWT_SECRET']);
    expect(readFileSync('.gitignore', 'utf8').split('\n')).toContain('.env');
  });
});

/** Runs deploy/make-env.sh on a copy of its own. */
function madeEnv() {
  const dir = mkdtempSync(join(tmpdir(), 'parley-env-'));
  try {
    cpSync('deploy', join(dir, 'deploy'), { recursive: true });
    const script = join(dir, 'deploy', 'make-env.sh');
    execFileSync(script, { stdio: 'pipe' });
    const file = join(dir, '.env');
    const text = readFileSync(file, 'utf8');
    const { status } = spawnSync(script, { stdio: 'ignore' });
    const values = Object.fromEntries(
      text
        .split('\n')
        .filter((line) => /^\w+=/.test(line))
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    const again = { status, changed: readFileSync(file, 'utf8') !== text };
    return { values, mode: statSync(file).mode & 0o777, again };
  } finally {
    rmSync(dir, { recursive: true });
  }
}
