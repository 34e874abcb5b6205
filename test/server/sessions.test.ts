import { jest } from '@jest/globals';
import { inspect } from 'node:util';
import type { ErrorBody, RequestName } from '../../src/protocol/index.js';
import type { PlainClient } from '../client.js';
import { Sessions } from '../../src/realtime/sessions.js';
import { testToken } from '../instance.js';
import { Cluster } from './cluster.js';

interface Seen {
  expiring: { expiresAt: string; inMs: number }[];
  closed: Promise<{ error: ErrorBody; at: number }>;
  disconnected: Promise<string>;
}

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start(1);
});
afterEach(() => cluster.hangUp());
afterAll(() => cluster.stop());

function watch({ socket }: PlainClient): Seen {
  const expiring: Seen['expiring'] = [];
  socket.on('session:expiring', (notice) => expiring.push(notice));
  return {
    expiring,
    closed: new Promise((resolve) => socket.on('session:closed', (said) => resolve({ ...said, at: Date.now() }))),
    disconnected: new Promise((resolve) => socket.on('disconnect', resolve)),
  };
}

const short = (user: string) => testToken(user, { expiresIn: '3s' });

describe('a connection', () => {
  it.each(['websocket', 'polling'])(
    'is told of the end of its token, and closed then, by %s (S-17)',
    async (transport) => {
      const token = await short('ann');
      const ann = await cluster.connect('ann', 0, { token, transports: [transport] });
      const long = watch(await cluster.connect('ann'));
      const seen = watch(ann);
      const { tokenExpiresAt } = ann.session;
      const { error, at } = await seen.closed;
      expect(error).toMatchObject({ code: 'token_expired', retryable: false });
      expect(await seen.disconnected).toBe('io server disconnect');
      expect(at - Date.parse(tokenExpiresAt)).toBeGreaterThanOrEqual(0);
      expect(at - Date.parse(tokenExpiresAt)).toBeLessThan(2_000);
      expect(seen.expiring).toEqual([{ expiresAt: tokenExpiresAt, inMs: expect.any(Number) as number }]);
      expect(seen.expiring[0]?.inMs).toBeLessThanOrEqual(3_000);
      expect(long.expiring).toEqual([]);
      await cluster.eventually(() => cluster.sockets(0).size === 1);
      await expect(cluster.connect('ann', 0, { token })).rejects.toMatchObject({ error: { code: 'token_expired' } });
    },
  );

  it('goes on with another token of its user', async () => {
    const [ann, other] = [
      await cluster.connect('ann', 0, { token: await short('ann') }),
      await cluster.connect('ann', 0, { token: await short('ann') }),
    ];
    const [seen, closed] = [watch(ann), watch(other)];
    const token = await testToken('ann', { expiresIn: '10m' });
    const { tokenExpiresAt } = await ann.ask('auth:refresh', { token });
    expect(Date.parse(tokenExpiresAt)).toBeGreaterThan(Date.now() + 9 * 60_000);
    await closed.closed;
    const { room } = await ann.ask('room:create', { name: 'Still here' });
    expect(room.createdBy).toBe(ann.session.userId);
    expect(seen.expiring.length).toBeLessThanOrEqual(1);
    const socket = cluster.sockets(0).get(ann.session.sessionId);
    expect(inspect(socket?.data, { depth: 5 })).not.toContain(token.slice(-20));
  });

  it('goes on with its old token, as long as that holds, where the new one is none for it (S-20)', async () => {
    const ann = await cluster.connect('ann', 0, { token: await short('ann') });
    const seen = watch(ann);
    const refused: [string, string][] = [
      ['forbidden', await testToken('ben')],
      ['token_expired', await testToken('ann', { expiresIn: '-1m' })],
      ['unauthenticated', `${await testToken('ann')}x`],
      ['unauthenticated', 'abc.def.ghi'],
      ['invalid_argument', ''],
      ['invalid_argument', 'a'.repeat(8_193)],
    ];
    for (const [code, token] of refused) expect((await ann.refusal('auth:refresh', { token })).code).toBe(code);
    const { room } = await ann.ask('room:create', { name: 'Mine' });
    expect(room.createdBy).toBe(ann.session.userId);
    expect((await seen.closed).error.code).toBe('token_expired');
  });

  it('is refused whatever it asks once its token has expired, before it is closed (S-17)', async () => {
    const looking = jest.spyOn(cluster.instance(0).app.get<unknown, { look(): void }>(Sessions), 'look');
    const [ann, ben] = [await cluster.connect('ann'), await cluster.connect('ben')];
    const seen = watch(ann);
    const { room } = await ann.ask('room:create', { name: 'Over' });
    await ben.ask('room:join', { roomId: room.id });
    looking.mockImplementation(() => undefined);
    const state = cluster.sockets(0).get(ann.session.sessionId)?.data;
    if (state === undefined) throw new Error('There is no such socket');
    state.caller = { ...state.caller, tokenExpiresAt: Date.now() - 1 };
    const asked: [RequestName, unknown][] = [
      ['message:send', { roomId: room.id, clientMsgId: '1', text: 'Too late' }],
      ['history:get', { roomId: room.id }],
      ['rooms:sync', {}],
      ['auth:refresh', { token: await testToken('ann') }],
    ];
    for (const [event, request] of asked)
      expect(await ann.reply(event, request)).toMatchObject({ ok: false, error: { code: 'token_expired' } });
    expect((await ben.ask('history:get', { roomId: room.id })).messages).toEqual([]);
    looking.mockRestore();
    expect((await seen.closed).error.code).toBe('token_expired');
  });

  it('is not told again and again by one that brings what it has', async () => {
    const token = await short('ann');
    const ann = await cluster.connect('ann', 0, { token });
    const seen = watch(ann);
    let asked = 0;
    ann.socket.on('session:expiring', () => {
      asked += 1;
      void ann.ask('auth:refresh', { token });
    });
    await seen.closed;
    expect(asked).toBe(1);
  });
});
