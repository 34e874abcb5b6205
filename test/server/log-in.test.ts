import { readdirSync, readFileSync } from 'node:fs';
import { Account, Parley, type AccountStore } from '../../sdk/index.js';
import { LoginAttempts } from '../../src/accounts/login-attempts.js';
import { PasswordsService } from '../../src/accounts/passwords.service.js';
import { defaultRates } from '../../src/limits/rates.js';
import { SessionList, type LoggedIn } from '../../src/protocol/index.js';
import { accounts, startInstance } from '../instance.js';
import { AccountDesk } from './account-desk.js';
import { Cluster } from './cluster.js';
import { Rest } from './rest.js';

const password = 'correct horse battery';
const wrong = 'something else entirely';

let cluster: Cluster;
let desks: AccountDesk[];
beforeAll(async () => {
  cluster = await Cluster.start(2, { accounts, trustProxy: 1, rates: defaultRates });
  desks = cluster.instances.map(({ url }) => new AccountDesk(url));
});
afterAll(() => cluster.stop());

const desk = (instance = 0) => desks[instance] as AccountDesk;
const attempt = (handle: string, given: string, instance = 0, more: object = {}) =>
  desk(instance).send('POST', '/v1/sessions', { handle, password: given, ...more });
/** As if nobody had tried for so long. */
const later = (seconds: number) =>
  cluster.query(`update login_attempts set next_at = next_at - make_interval(secs => $1)`, [seconds]);
/** Has the pauses that there are last: a slow machine might outlast one. */
const hold = () =>
  cluster.query(`update login_attempts set next_at = next_at + interval '1 minute' where next_at > last_at`);

describe('who guesses at a password', () => {
  it('waits after five tries, at whatever instance, and hears no more of the right one (S-42)', async () => {
    await desk().register('guessed', password);
    const answers = [];
    for (let i = 0; i < 5; i++) answers.push(await attempt('guessed', wrong, i % 2));
    await hold();
    answers.push(await attempt('guessed', password, 1), await attempt('guessed', wrong, 0));
    const none = await attempt('nobody-of-that-name', wrong);
    for (const answer of answers) expect([answer.status, answer.text]).toEqual([401, none.text]);
    await later(61);
    expect((await attempt('guessed', password, 1)).status).toBe(201);
    // And begins anew.
    for (let i = 0; i < 4; i++) expect((await attempt('guessed', wrong)).status).toBe(401);
    expect((await attempt('guessed', password)).status).toBe(201);
  });

  it('does not get past that by guessing all at once (S-42)', async () => {
    await desk().register('at-once', password);
    const began = performance.now();
    await Promise.all(Array.from({ length: 20 }, (_, i) => attempt('at-once', wrong, i % 2)));
    const seconds = (performance.now() - began) / 1_000;
    const counts = await cluster.query<{ count: number }>('select max(count) as count from login_attempts');
    expect(counts[0]?.count).toBeGreaterThanOrEqual(5);
    expect(counts[0]?.count).toBeLessThanOrEqual(5 + Math.log2(1 + seconds));
  });

  it('is in the audit log from the fifth wrong try on, without what he typed (S-42)', async () => {
    const { user } = await desk().register('recorded', password);
    const from = (await cluster.query<{ seq: number }>('select seq from audit_head'))[0]?.seq ?? 0;
    const guess = async (handle: string, times: number) => {
      for (let i = 0; i < times; i++) {
        await later(3_600);
        expect((await attempt(handle, wrong)).status).toBe(401);
      }
    };
    await guess('recorded', 4);
    const recorded = () =>
      cluster.query<object>(
        `select action, actor_kind as kind, actor_id as actor, target, address, details, request_id as request from audit_log
         where seq > $1 order by seq`,
        [from],
      );
    expect(await recorded()).toEqual([]);
    await guess('recorded', 2);
    await guess('not-recorded', 5);
    const refusal = { action: 'login.refuse', kind: 'user', actor: null };
    const origin = { address: expect.stringMatching(/^[\d.]+$/) as string, request: expect.any(String) as string };
    expect(await recorded()).toEqual([
      { ...refusal, ...origin, target: user.id, details: { tries: 5 } },
      { ...refusal, ...origin, target: user.id, details: { tries: 6 } },
      { ...refusal, ...origin, target: '', details: { tries: 5 } },
    ]);
  });

  it('waits twice as long each time, a quarter of an hour at most, and a day later not at all (S-42)', async () => {
    const attempts = cluster.instance(0).app.get(LoginAttempts);
    const pauses: number[] = [];
    for (let i = 0; i < 17; i++) {
      expect(await attempts.take('doubling')).toBe(i + 1);
      const [row] = await cluster.query<{ pause: number }>(
        `select round(extract(epoch from next_at - last_at))::int as pause from login_attempts where count = $1
         order by last_at desc limit 1`,
        [i + 1],
      );
      pauses.push(row?.pause ?? -1);
      if (row?.pause !== 0) expect(await attempts.take('doubling')).toBe(0);
      await later(900);
    }
    expect(pauses).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
    await cluster.query(`update login_attempts set last_at = last_at - interval '25 hours'`);
    expect(await attempts.take('doubling')).toBe(1);
  });

  it('does not keep out who has logged in on his device before, unless that one guesses, too (S-42)', async () => {
    const { deviceToken } = await desk().register('owner', password);
    const other = await desk().register('other', password);
    for (let i = 0; i < 5; i++) await attempt('owner', wrong);
    await hold();
    expect((await attempt('owner', password)).status).toBe(401);
    expect((await attempt('owner', password, 0, { deviceToken: other.deviceToken })).status).toBe(401);
    const made = `${deviceToken.slice(0, -3)}AAA`;
    expect((await attempt('owner', password, 0, { deviceToken: made })).status).toBe(401);
    expect((await attempt('owner', password, 1, { deviceToken })).status).toBe(201);
    for (let i = 0; i < 5; i++) expect((await attempt('owner', wrong, 0, { deviceToken })).status).toBe(401);
    await hold();
    expect((await attempt('owner', password, 1, { deviceToken })).status).toBe(401);
  });

  it('learns from neither words nor time whether there is such an account (S-43)', async () => {
    await desk().register('timed', password);
    const times: Record<string, number[]> = { timed: [], 'not-there': [] };
    const texts = new Set<string>();
    for (let i = 0; i < 20; i++) {
      for (const handle of i % 2 === 0 ? ['timed', 'not-there'] : ['not-there', 'timed']) {
        // What the instance works, which is in this process: how long that takes depends on what else the machine does.
        const before = process.cpuUsage();
        const { text } = await attempt(handle, wrong);
        const { user, system } = process.cpuUsage(before);
        times[handle]?.push((user + system) / 1_000);
        texts.add(text);
      }
      await cluster.query('delete from login_attempts');
    }
    const [known = 0, unknown = 0] = Object.values(times).map((each) => each.toSorted((a, b) => a - b)[10] ?? 0);
    expect(texts.size).toBe(1);
    expect(unknown / known).toBeGreaterThan(0.6);
    expect(known / unknown).toBeGreaterThan(0.6);
    // Without a hash it would be a tenth of it. It is the hash that takes its time, of nobody's password, too.
    expect(unknown).toBeGreaterThan(10);
  });
});

describe('logging in', () => {
  it('is for twenty a minute from an address, where several share one (S-42)', async () => {
    const { deviceToken } = await desk().register('neighbour', password);
    // Not to be looked at: that is quicker.
    await desk().register('busy', password);
    for (let i = 0; i < 5; i++) await attempt('busy', wrong);
    await hold();
    const from = (address: string, more: object = {}) =>
      desk().send('POST', '/v1/sessions', { handle: 'busy', password, ...more }, address);
    for (let i = 0; i < 20; i++) expect((await from('192.0.2.1')).status).toBe(401);
    const refused = await desk().refused('POST', '/v1/sessions', { handle: 'busy', password }, '192.0.2.1');
    expect(refused).toMatchObject({ code: 'rate_limited', retryable: true });
    expect(refused.retryAfterMs).toBeGreaterThan(1_000);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(3_000);
    const registering = await desk().refused(
      'POST',
      '/v1/accounts',
      { handle: 'more', password, name: 'More' },
      '192.0.2.1',
    );
    expect(registering.code).toBe('rate_limited');
    // What a client claims stands before what the proxy saw.
    expect((await from('192.0.2.7, 192.0.2.1')).status).toBe(429);
    expect((await from('192.0.2.2')).status).toBe(401);
    expect((await from('192.0.2.1', { handle: 'neighbour', deviceToken })).status).toBe(201);
    // One who has an address of IPv6 has many.
    for (let i = 0; i < 20; i++) await from(`2001:db8::${i.toString(16)}`);
    expect((await from('2001:db8:0:0:ffff::1')).status).toBe(429);
    expect((await from('2001:db8:0:1::1')).status).toBe(401);
  });

  it('counts who asks, where no proxy is trusted, not whom he names (S-42)', async () => {
    const direct = await startInstance(cluster.databaseUrl, undefined, { accounts, rates: defaultRates });
    try {
      await hold();
      const there = new AccountDesk(direct.url);
      for (let i = 0; i < 20; i++) await there.send('POST', '/v1/sessions', { handle: 'busy', password });
      expect((await there.refused('POST', '/v1/sessions', { handle: 'busy', password })).code).toBe('rate_limited');
    } finally {
      await direct.stop();
    }
  });

  it('hashes one password at a time, has fifty wait and tells the others when to come back (S-44)', async () => {
    await desk().register('patient', password);
    const passwords = cluster.instance(0).app.get(PasswordsService);
    let running = 0;
    let most = 0;
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const work = async () => {
      most = Math.max(most, (running += 1));
      await released;
      running -= 1;
    };
    const waiting = [passwords.inTurn(work)];
    await cluster.eventually(() => running === 1);
    waiting.push(...Array.from({ length: 50 }, () => passwords.inTurn(work)));
    const refused = await desk().refused('POST', '/v1/sessions', { handle: 'patient', password });
    expect(refused).toMatchObject({ code: 'rate_limited', status: 429, retryable: true });
    expect(refused.retryAfterMs).toBeGreaterThan(0);
    expect((await attempt('patient', password, 1)).status).toBe(201);
    const late = attempt('patient', password);
    release();
    await Promise.all(waiting);
    expect(most).toBe(1);
    expect((await late).status).toBeLessThan(430);
    expect((await attempt('patient', password)).status).toBe(201);
  });
});

describe('hashing', () => {
  (process.platform === 'linux' ? it : it.skip)('is less urgent to the system than chat (S-44)', async () => {
    const passwords = cluster.instance(0).app.get(PasswordsService);
    await passwords.inTurn(() => passwords.hash('so that the thread is there'));
    // The fields after the name, from the third on: the nineteenth is how nice a thread is.
    const nicenesses = readdirSync('/proc/self/task').map((id) =>
      Number(readFileSync(`/proc/self/task/${id}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[16]),
    );
    expect(nicenesses).toContain(10);
    expect(nicenesses).toContain(0);
  });
});

describe('the SDK', () => {
  /** As a browser keeps it for its tabs. */
  class Drawer implements AccountStore {
    session: LoggedIn | undefined;
    read = () => this.session;
    write = (session: LoggedIn) => void (this.session = session);
    /** So that the token is no longer handed out. */
    age(): void {
      if (this.session !== undefined) this.session = { ...this.session, expiresAt: new Date().toISOString() };
    }
  }

  it('keeps a connection with the tokens of an account, shares them between tabs and logs out', async () => {
    const { url } = cluster.instance(0);
    const drawer = new Drawer();
    const account = await Account.register(url, { handle: 'sdk-user', password, name: 'Sue' }, drawer);
    const parley = new Parley({ url, token: account.token });
    await parley.ready();
    const [socket] = [...cluster.sockets(0).values()].filter(({ data }) => data.caller.name === 'Sue');
    const first = drawer.session;
    drawer.age();
    if (socket === undefined) throw new Error('It is not connected');
    const end = Date.now() + 2_000;
    socket.data.caller = { ...socket.data.caller, tokenExpiresAt: end };
    // It is told of the end, refreshes and goes on, on the connection that it has.
    await cluster.eventually(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return socket.data.caller.tokenExpiresAt > end;
    });
    expect(drawer.session?.refreshToken).not.toBe(first?.refreshToken);
    expect(drawer.session?.deviceToken).toBe(first?.deviceToken);

    const tab = Account.resume(url, drawer);
    drawer.age();
    const tokens = await Promise.all([account.token(), tab?.token(), account.token()]);
    expect(await account.token()).toBe(await tab?.token());
    expect(tokens.every((token) => typeof token === 'string')).toBe(true);
    const phone = await Account.logIn(url, { handle: 'SDK-user', password, deviceName: 'Phone' });
    expect((await account.sessions()).map(({ deviceName, current }) => [deviceName, current])).toEqual([
      ['Phone', false],
      ['', true],
    ]);
    const closed = new Promise((resolve) => parley.on('closed', ({ code }) => resolve(code)));
    await phone.changePassword(password, wrong);
    expect(await closed).toBe('unauthenticated');
    await expect(
      account.token().then((token) => new Rest(url, token).ok('GET', '/v1/sessions', SessionList)),
    ).rejects.toThrow('401');
    drawer.age();
    await expect(account.token()).rejects.toMatchObject({ code: 'unauthenticated' });
    await phone.logOut();
    await expect(phone.sessions()).rejects.toMatchObject({ code: 'unauthenticated' });
    const back = await Account.logIn(url, {
      handle: 'sdk-user',
      password: wrong,
      deviceToken: first?.deviceToken ?? '',
    });
    await back.endAllSessions();
  });
});
