import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { createClient } from 'redis';
import { io } from 'socket.io-client';
import { PlainClient } from '../client.js';
import { createDatabase } from '../environment/database.js';
import { accounts, adminKey, jwtSecret, startInstance, testToken, type Instance } from '../instance.js';
import { eventually } from '../start/processes.js';
import { AccountDesk } from './account-desk.js';
import { Rest } from './rest.js';

describe('what Redis and Postgres are told (S-53)', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  const instances: Instance[] = [];
  const clients: PlainClient[] = [];
  const monitor = createClient({ url: process.env['TEST_REDIS_URL'] ?? '' });
  const commands: string[] = [];

  beforeAll(async () => {
    database = await createDatabase();
    // Each statement with its parameters, and those of a statement that fails.
    const admin = new pg.Client({ connectionString: process.env['TEST_POSTGRES_URL'] ?? '' });
    await admin.connect();
    const name = new URL(database.url).pathname.slice(1);
    for (const setting of ["log_statement = 'all'", 'log_parameter_max_length_on_error = -1'])
      await admin.query(`alter database ${name} set ${setting}`);
    await admin.end();
    monitor.on('error', () => undefined);
    await monitor.connect();
    await monitor.monitor((command) => void commands.push(command));
    for (let i = 0; i < 2; i += 1)
      instances.push(
        await startInstance(database.url, process.env['TEST_REDIS_URL'], {
          accounts,
          trustProxy: 1,
          logLevel: 'error',
        }),
      );
  });
  afterAll(async () => {
    monitor.destroy();
    clients.forEach((client) => client.close());
    await Promise.all(instances.map((instance) => instance.stop()));
    await database.drop();
  });

  it('has no password, token, key, cookie or secret in it, whether let in or refused (S-53)', async () => {
    const [one = '', two = ''] = instances.map(({ url }) => url);
    const secrets = new Set([adminKey, jwtSecret, ...accounts.secrets]);
    const enter = async (url: string, token: string) => {
      secrets.add(token);
      const client = await PlainClient.connect(url, '', { token });
      clients.push(client);
      return client;
    };
    const bearer = (token: string) => new Rest(one, token);

    const desk = new AccountDesk(one);
    const made = await desk.register('ann', 'the-first-password-of-ann');
    const loggedIn = await desk.logIn('ann', 'the-first-password-of-ann');
    await desk.refused('POST', '/v1/sessions', { handle: 'ann', password: 'a-wrong-password-of-ann' });
    await desk.refused('POST', '/v1/sessions/refresh', { refreshToken: 'a-refresh-token-that-nobody-was-given' });
    const fresh = await desk.refresh(loggedIn.refreshToken);
    const changed = { password: 'the-first-password-of-ann', newPassword: 'the-second-password-of-ann' };
    secrets.add(changed.newPassword);
    const answer = await bearer(fresh.token).send('POST', '/v1/accounts/password', changed);
    expect(answer.status).toBeLessThan(300);
    await desk.refused('POST', '/v1/sessions/refresh', { refreshToken: made.refreshToken });

    const key = await bearer(adminKey).send('POST', '/admin/v1/keys', {
      name: 'Robot',
      scopes: ['chat:read', 'chat:write'],
    });
    const { token: robotToken } = JSON.parse(key.text) as { token: string };
    const guest = await new Rest(one).send('POST', '/v1/guests', { name: 'Guest' });
    const { token: guestToken } = JSON.parse(guest.text) as { token: string };
    const ben = await enter(two, await testToken('ben'));
    const robot = await enter(one, robotToken);
    await enter(one, guestToken);
    const { room } = await ben.ask('room:create', { name: 'Room' });
    await robot.ask('room:join', { roomId: room.id });
    const text = `said in ${room.id}`;
    const next = await testToken('ben', { expiresIn: '2h' });
    secrets.add(next);
    await ben.ask('auth:refresh', { token: next });

    const cookie = 'session=a-cookie-that-is-nobodys-business';
    const forged = (await testToken('eve')).slice(0, -8) + 'forgedxx';
    for (const secret of [cookie, forged]) secrets.add(secret);
    for (const token of [forged, await testToken('eve')]) {
      secrets.add(token);
      const socket = io(two, {
        auth: { token },
        query: { token },
        extraHeaders: { cookie, authorization: `Bearer ${token}` },
        transports: ['websocket'],
        reconnection: false,
        forceNew: true,
      });
      await new Promise((resolve) => socket.once('connect_error', resolve).once('session:ready', resolve));
      socket.close();
    }
    await fetch(`${one}/v1/rooms?token=${forged}`, { headers: { cookie, authorization: `Bearer ${forged}` } });

    await ben.ask('message:send', { roomId: room.id, clientMsgId: '1', text });
    await robot.until(() => robot.textsOf(room.id).includes(text));
    for (const secret of desk.secrets) secrets.add(secret);
    expect(secrets.size).toBeGreaterThan(20);

    const log = () => readFile(join(process.env['TMPDIR'] ?? '', 'postgres', 'postgres.log'), 'utf8');
    await eventually(async () => (await log()).includes(text), 'Postgres has written what it was asked');
    await eventually(() => commands.some((command) => command.includes(room.id)), 'Redis has told what it was asked');
    const logged = await log();
    expect(logged).toContain('argon2id');
    const told = commands.join('\n');
    const found = [...secrets].filter((secret) =>
      parts(secret).some((part) => logged.includes(part) || told.includes(part)),
    );
    expect(found).toEqual([]);
  });
});

/** A secret, and of a token its signature alone. */
function parts(secret: string): string[] {
  const signature = secret.split('.')[2] ?? '';
  return signature.length >= 20 ? [secret, signature] : [secret];
}
