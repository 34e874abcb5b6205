import { createHash } from 'node:crypto';
import { hash } from '@node-rs/argon2';
import { AdminUser } from '../../src/admin/admin-users.schemas.js';
import { AccessService } from '../../src/auth/access.service.js';
import { AccountSweep } from '../../src/accounts/account-sweep.js';
import {
  GuestSession,
  limits,
  SessionList,
  SessionsEnded,
  WaysIn,
  type ErrorBody,
  type LoggedIn,
} from '../../src/protocol/index.js';
import type { PlainClient } from '../client.js';
import { accounts, adminKey, startInstance, type Instance } from '../instance.js';
import { AccountDesk, collectOutput } from './account-desk.js';
import { Cluster } from './cluster.js';
import { Rest } from './rest.js';

const password = 'correct horse battery';

let cluster: Cluster;
/** On the same database, without Redis. */
let apart: Instance;
let desk: AccountDesk;
let admin: Rest;
let output: ReturnType<typeof collectOutput>;
beforeAll(async () => {
  output = collectOutput();
  const settings = { accounts, trustProxy: 1, logLevel: 'debug' } as const;
  cluster = await Cluster.start(2, settings);
  apart = await startInstance(cluster.databaseUrl, undefined, settings);
  cluster.instances.push(apart);
  desk = new AccountDesk(cluster.instance(0).url);
  admin = new Rest(cluster.instance(0).url, adminKey);
  // So that what the bus brings is not taken for what was found by looking.
  for (const i of [0, 1])
    clearTimeout(cluster.instance(i).app.get<unknown, { timer: NodeJS.Timeout }>(AccessService).timer);
});
afterEach(() => cluster.hangUp());
afterAll(async () => {
  await cluster.stop();
  output.stop();
});

const as = ({ token }: { token: string }, instance = 0) => new Rest(cluster.instance(instance).url, token);
const rooms = (session: { token: string }, instance = 0) => as(session, instance).send('GET', '/v1/rooms');
const sessionsOf = async (session: { token: string }) =>
  (await as(session).ok('GET', '/v1/sessions', SessionList)).items;
const connected = ({ token }: { token: string }, ...instances: number[]) =>
  Promise.all(instances.map((instance) => cluster.connect('', instance, { token })));

/** The last word on each connection, which has to come in time. */
async function closings(clients: PlainClient[], act: () => Promise<unknown>): Promise<ErrorBody[]> {
  const since = performance.now();
  const closed = clients.map(
    ({ socket }) =>
      new Promise<{ error: ErrorBody; afterMs: number }>((resolve) =>
        socket.on('session:closed', ({ error }) => resolve({ error, afterMs: performance.now() - since })),
      ),
  );
  await act();
  const words = await Promise.all(closed);
  for (const [i, { afterMs }] of words.entries()) expect(afterMs).toBeLessThan(i < 2 ? 2_000 : 10_000);
  return words.map(({ error }) => error);
}

describe('an account', () => {
  it('lets in by socket and REST, and is the same however its handle is typed', async () => {
    const ann = await desk.register('Ann.Lee', password, { name: 'Ann Lee', deviceName: 'Laptop' });
    expect(ann).toMatchObject({ handle: 'ann.lee', user: { name: 'Ann Lee' } });
    expect(Date.parse(ann.expiresAt) - Date.now()).toBeLessThanOrEqual(15 * 60_000);
    const socket = await cluster.connect('', 1, { token: ann.token });
    expect(socket.session.userId).toBe(ann.user.id);
    expect((await rooms(ann, 2)).status).toBe(200);
    const again = await desk.logIn(' ＡＮＮ.lee', password, { deviceName: 'Phone' });
    expect(again.user).toEqual(ann.user);
    expect(again.sessionId).not.toBe(ann.sessionId);
    for (const handle of ['ANN.lee', 'annlee', 'ann-lee'])
      expect((await desk.refused('POST', '/v1/accounts', { handle, password, name: 'Eve' })).code).toBe('conflict');
    await desk.register('alice', password);
    for (const handle of ['a1ice', 'al.ice'])
      expect((await desk.refused('POST', '/v1/accounts', { handle, password, name: 'Eve' })).code).toBe('conflict');
    const user = await admin.ok('GET', `/admin/v1/users/${ann.user.id}`, AdminUser);
    expect(user).toMatchObject({ kind: 'account', subject: null });
  });

  it('is registered once by two who want it at the same time', async () => {
    const answers = await Promise.all(
      [0, 1].map((i) =>
        new AccountDesk(cluster.instance(i).url).send('POST', '/v1/accounts', { handle: 'only', password, name: 'O' }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409]);
  });

  it('is kept as a hash of its password, and one of its refresh token (S-45)', async () => {
    const { user, refreshToken } = await desk.register('kept', password);
    const [account] = await cluster.query<{ password: string }>('select * from accounts where user_id = $1', [user.id]);
    const [, memory, time, lanes] = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$/.exec(account?.password ?? '') ?? [];
    expect(Number(memory)).toBeGreaterThanOrEqual(19_456);
    expect(Number(time)).toBeGreaterThanOrEqual(2);
    expect(lanes).toBe('1');
    const [session] = await cluster.query<{ token: Buffer }>('select * from account_sessions where user_id = $1', [
      user.id,
    ]);
    expect(session?.token).toEqual(createHash('sha256').update(refreshToken).digest());
    expect(JSON.stringify([account, session])).not.toContain(password);
  });

  it('takes passwords of 8 to 128 characters, none that everybody guesses, and the whole of each (S-45)', async () => {
    const refused = (handle: string, chosen: string) =>
      desk.refused('POST', '/v1/accounts', { handle, password: chosen, name: 'Someone' });
    for (const chosen of ['seven77', 'x'.repeat(129), '12345678', 'Password1', 'unguessed-handle', '\ud800 half of it'])
      expect([chosen, (await refused('unguessed-handle', chosen)).code]).toEqual([chosen, 'invalid_argument']);
    const long = `${'é𝒳'.repeat(63)}!?`;
    expect([...long]).toHaveLength(128);
    await desk.register('long', long);
    await desk.logIn('long', long.normalize('NFD'));
    expect((await desk.refused('POST', '/v1/sessions', { handle: 'long', password: long.slice(0, -1) })).code).toBe(
      'unauthenticated',
    );
    for (const handle of ['ab', 'a'.repeat(33), 'a b', 'ann@x', '.ann', 'a..b', 'аnn', 'an\u0000n'])
      expect((await refused(handle, password)).code).toBe('invalid_argument');
  });

  it('is hashed better where it was hashed worse before (S-45)', async () => {
    const { user } = await desk.register('weak', password);
    const weak = await hash(password, { memoryCost: 1_024, timeCost: 1 });
    await cluster.query('update accounts set password = $2 where user_id = $1', [user.id, weak]);
    await desk.logIn('weak', password);
    const [row] = await cluster.query<{ password: string }>('select password from accounts where user_id = $1', [
      user.id,
    ]);
    expect(row?.password).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    await desk.logIn('weak', password);
  });

  it('is shut out as any user is: its sessions end, and banned it comes in no more', async () => {
    const bob = await desk.register('bobby', password);
    const act = (what: string) => admin.ok('POST', `/admin/v1/users/${bob.user.id}/${what}`, AdminUser, {});
    const [closed] = await closings([await cluster.connect('', 1, { token: bob.token })], () => act('disconnect'));
    expect(closed?.code).toBe('token_expired');
    const refused = await desk.refused('POST', '/v1/sessions/refresh', { refreshToken: bob.refreshToken });
    expect(refused.code).toBe('unauthenticated');
    const back = await desk.logIn('bobby', password);
    expect(await sessionsOf(back)).toMatchObject([{ id: back.sessionId, current: true }]);
    await cluster.connect('', 2, { token: back.token });
    await act('ban');
    for (const [path, body] of [
      ['/v1/sessions', { handle: 'bobby', password }],
      ['/v1/sessions/refresh', { refreshToken: back.refreshToken }],
    ] as const)
      expect((await desk.refused('POST', path, body)).code).toBe('banned');
    expect((await rooms(back)).status).toBe(403);
  });
});

describe('a session of an account', () => {
  it('goes on with the next refresh token, and on its connection with the next token', async () => {
    const cem = await desk.register('cemal', password, { deviceName: 'Old name' });
    const client = await cluster.connect('', 1, { token: cem.token });
    const next = await desk.refresh(cem.refreshToken);
    expect(next).toMatchObject({ user: cem.user, handle: 'cemal', sessionId: cem.sessionId });
    expect(next.refreshToken).not.toBe(cem.refreshToken);
    await client.ask('auth:refresh', { token: next.token });
    expect(await sessionsOf(next)).toMatchObject([{ id: cem.sessionId, deviceName: 'Old name', current: true }]);
    const dan = await desk.register('danny', password);
    expect((await client.refusal('auth:refresh', { token: dan.token })).code).toBe('forbidden');
  });

  it('takes none of its tokens for another (S-15)', async () => {
    const { token, refreshToken, deviceToken } = await desk.register('mixed', password);
    const client = await cluster.connect('', 0, { token });
    for (const wrong of [refreshToken, deviceToken]) {
      expect((await as({ token: wrong }).refused('GET', '/v1/rooms')).code).toBe('unauthenticated');
      expect((await client.refusal('auth:refresh', { token: wrong })).code).toBe('unauthenticated');
      await expect(cluster.connect('', 1, { token: wrong })).rejects.toMatchObject({
        error: { code: 'unauthenticated' },
      });
    }
    const made = `${refreshToken.slice(0, -4)}AAAA`;
    for (const wrong of [token, deviceToken, made, 'x', ''])
      expect((await desk.refused('POST', '/v1/sessions/refresh', { refreshToken: wrong })).code).toBe(
        'unauthenticated',
      );
    // None of these ended it.
    await desk.refresh(refreshToken);
  });

  it('gives the same answer again to who did not hear it, and to two who ask at once', async () => {
    const first = await desk.register('repeat', password);
    const second = await desk.refresh(first.refreshToken);
    expect((await desk.refresh(first.refreshToken)).refreshToken).toBe(second.refreshToken);
    const other = new AccountDesk(cluster.instance(1).url);
    const both = await Promise.all([desk, other, desk].map((each) => each.refresh(second.refreshToken)));
    expect(new Set(both.map(({ refreshToken }) => refreshToken)).size).toBe(1);
    await desk.refresh(both[0]?.refreshToken ?? '');
  });

  it('ends, with all that is connected, when a used refresh token comes back (S-19)', async () => {
    const stolen = await desk.register('stolen', password);
    const next = await desk.refresh(stolen.refreshToken);
    const others = await desk.logIn('stolen', password);
    await cluster.query(
      `update account_sessions set refreshed_at = refreshed_at - interval '21 seconds' where id = $1`,
      [stolen.sessionId],
    );
    const kept = await cluster.connect('', 0, { token: others.token });
    const words = await closings(await connected(next, 0, 1), async () => {
      const refused = await desk.refused('POST', '/v1/sessions/refresh', { refreshToken: stolen.refreshToken });
      expect(refused.code).toBe('unauthenticated');
    });
    expect(words.map(({ code, retryable }) => [code, retryable])).toEqual(Array(2).fill(['unauthenticated', false]));
    expect((await desk.refused('POST', '/v1/sessions/refresh', { refreshToken: next.refreshToken })).code).toBe(
      'unauthenticated',
    );
    for (const i of [0, 1, 2]) expect((await rooms(next, i)).status).toBe(401);
    expect((await kept.ask('rooms:discover', {})).items).toEqual([]);
    expect(output.text()).toContain(`session ${stolen.sessionId} was ended`);
  });

  it('is ended from another one of its account, and then lets in nobody (S-18)', async () => {
    const here = await desk.register('ended', password, { deviceName: 'Here' });
    const there = await desk.logIn('ended', password, { deviceName: 'There' });
    expect((await sessionsOf(here)).map(({ id, deviceName, current }) => [id, deviceName, current])).toEqual([
      [there.sessionId, 'There', false],
      [here.sessionId, 'Here', true],
    ]);
    const kept = await cluster.connect('', 1, { token: here.token });
    const path = `/v1/sessions/${there.sessionId}`;
    const words = await closings(await connected(there, 0, 1, 2), async () => {
      expect(await as(here).ok('DELETE', path, SessionsEnded)).toEqual({ ended: 1 });
    });
    expect(words.map(({ code }) => code)).toEqual(Array(3).fill('unauthenticated'));
    for (const i of [0, 1, 2])
      await expect(cluster.connect('', i, { token: there.token })).rejects.toMatchObject({
        error: { code: 'unauthenticated' },
      });
    expect((await kept.refusal('auth:refresh', { token: there.token })).code).toBe('unauthenticated');
    await kept.ask('rooms:discover', {});
    expect((await as(here).refused('DELETE', path)).code).toBe('not_found');
    const stranger = await desk.register('stranger', password);
    expect((await as(stranger).refused('DELETE', `/v1/sessions/${here.sessionId}`)).code).toBe('not_found');
    const [word] = await closings([kept], async () => {
      expect(await as(here, 1).ok('DELETE', '/v1/sessions', SessionsEnded)).toEqual({ ended: 1 });
    });
    expect(word?.code).toBe('unauthenticated');
  });

  it('outlives a change of the password if it asks for that, and no other does (S-18)', async () => {
    const here = await desk.register('changed', password);
    const there = await desk.logIn('changed', password);
    const kept = await cluster.connect('', 0, { token: here.token });
    const change = (old: string, newPassword: string) =>
      as(here).send('POST', '/v1/accounts/password', { password: old, newPassword });
    desk.secrets.add('another battery staple').add('not the password');
    expect((await change('not the password', 'another battery staple')).status).toBe(403);
    expect((await change(password, 'password1')).status).toBe(400);
    const words = await closings(await connected(there, 0, 1), async () => {
      expect(JSON.parse((await change(password, 'another battery staple')).text)).toEqual({ ended: 1 });
    });
    expect(words.map(({ code }) => code)).toEqual(Array(2).fill('unauthenticated'));
    await kept.ask('rooms:discover', {});
    expect((await desk.refused('POST', '/v1/sessions', { handle: 'changed', password })).code).toBe('unauthenticated');
    await desk.logIn('changed', 'another battery staple');
    await desk.refresh(here.refreshToken);
  });

  it('that is one too many ends the one that was not used for the longest time', async () => {
    const first = await desk.register('many', password);
    const rest = await cluster.query<{ id: string }>(
      `insert into account_sessions (id, user_id, device_name, created_at, token, refreshed_at, expires_at)
       select gen_random_uuid(), user_id, '', created_at, token, refreshed_at + interval '1 minute', expires_at
       from account_sessions, generate_series(2, $2) where id = $1 returning id`,
      [first.sessionId, limits.sessionsPerAccount],
    );
    const client = await cluster.connect('', 1, { token: first.token });
    let last: LoggedIn | undefined;
    const [word] = await closings([client], async () => (last = await desk.logIn('many', password)));
    expect(word?.code).toBe('unauthenticated');
    const listed = (await sessionsOf(last as LoggedIn)).map(({ id }) => id);
    expect(new Set(listed)).toEqual(new Set([...rest.map(({ id }) => id), last?.sessionId]));
  });

  it('is swept when it is long over, and so are tries', async () => {
    const over = await desk.register('swept', password);
    const stays = await desk.logIn('swept', password);
    await cluster.query(`update account_sessions set expires_at = now() - interval '25 hours' where id = $1`, [
      over.sessionId,
    ]);
    expect((await rooms(over)).status).toBe(401);
    expect((await desk.refused('POST', '/v1/sessions/refresh', over)).code).toBe('invalid_argument');
    expect((await desk.refused('POST', '/v1/sessions/refresh', { refreshToken: over.refreshToken })).code).toBe(
      'unauthenticated',
    );
    await cluster.query(`insert into login_attempts values ('old', 9, now(), now() - interval '25 hours')`);
    await cluster.instance(0).app.get(AccountSweep).sweep();
    const left = await cluster.query<{ id: string }>('select id from account_sessions where user_id = $1', [
      over.user.id,
    ]);
    expect(left.map(({ id }) => id)).toEqual([stays.sessionId]);
    expect(await cluster.query(`select from login_attempts where key = 'old'`)).toEqual([]);
  });
});

describe('accounts', () => {
  it('are not for who came in otherwise', async () => {
    const guest = await new Rest(cluster.instance(0).url).ok('POST', '/v1/guests', GuestSession, { name: 'Guest' });
    for (const rest of [as(guest), await cluster.rest('app user')]) {
      expect((await rest.refused('GET', '/v1/sessions')).code).toBe('forbidden');
      expect((await rest.refused('DELETE', '/v1/sessions')).code).toBe('forbidden');
      const change = { password, newPassword: 'something else entirely' };
      expect((await rest.refused('POST', '/v1/accounts/password', change)).code).toBe('forbidden');
    }
  });

  it('are not there where they are off, nor are their tokens taken', async () => {
    const { token, refreshToken } = await desk.register('too-early', password);
    const off = await startInstance(cluster.databaseUrl, undefined, { accounts: undefined });
    try {
      const rest = new Rest(off.url);
      expect(await rest.ok('GET', '/v1/ways-in', WaysIn)).toEqual({ guests: true, accounts: false });
      for (const [path, body] of [
        ['/v1/accounts', { handle: 'nobody', password, name: 'Nobody' }],
        ['/v1/sessions', { handle: 'too-early', password }],
        ['/v1/sessions/refresh', { refreshToken }],
      ] as const)
        expect((await rest.refused('POST', path, body)).code).toBe('forbidden');
      expect((await new Rest(off.url, token).refused('GET', '/v1/sessions')).code).toBe('unauthenticated');
    } finally {
      await off.stop();
    }
    const here = new Rest(cluster.instance(0).url);
    expect(await here.ok('GET', '/v1/ways-in', WaysIn)).toEqual({ guests: true, accounts: true });
  });

  it('tell nothing secret in the log, or in a refusal (S-38)', () => {
    expect(desk.secrets.size).toBeGreaterThan(20);
    expect(desk.refusals.length).toBeGreaterThan(20);
    const told = output.text() + desk.refusals.join('');
    expect(told).toContain('connected as');
    expect([...desk.secrets].filter((secret) => told.includes(secret))).toEqual([]);
  });

  it('is in the audit log with its new password, its ended sessions and what came back used (S-19)', async () => {
    const here = await desk.register('audited', password);
    const there = await desk.logIn('audited', password);
    const [first, old] = [await desk.logIn('audited', password), await desk.logIn('audited', password)];
    await desk.refresh((await desk.refresh(first.refreshToken)).refreshToken);
    await desk.refused('POST', '/v1/sessions/refresh', { refreshToken: first.refreshToken }, '192.0.2.9');
    await as(here).send('DELETE', `/v1/sessions/${old.sessionId}`);
    await as(here).send('POST', '/v1/accounts/password', { password, newPassword: 'quite another horse' });
    const rows = await cluster.query<{ action: string; target: string; address: string }>(
      'select action, target, address from audit_log where actor_id = $1 order by seq',
      [here.user.id],
    );
    expect(rows).toMatchObject([
      { action: 'session.reuse', target: first.sessionId, address: '192.0.2.9' },
      { action: 'session.end', target: old.sessionId },
      { action: 'account.password', target: here.user.id },
    ]);
    expect((await rooms(there)).status).toBe(401);
  });
});
