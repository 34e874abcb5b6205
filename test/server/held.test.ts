import type { PlainClient } from '../client.js';
import { startInstance } from '../instance.js';
import { Cluster } from './cluster.js';
import { HookServer, hookSecret, says } from './hook-server.js';

let hook: HookServer;
let cluster: Cluster;
let roomId: string;
let ann: PlainClient;
let ben: PlainClient;
let cid: PlainClient;
beforeAll(async () => {
  hook = await HookServer.start();
  const preSendHook = { url: hook.url, secret: hookSecret, timeoutMs: 2_000, fail: 'closed' as const };
  cluster = await Cluster.start(1, { preSendHook });
  cluster.instances.push(await startInstance(cluster.databaseUrl, undefined, { preSendHook }));
});
beforeEach(async () => {
  hook.answer = says({ action: 'allow' });
  ann = await cluster.connect('ann');
  ben = await cluster.connect('ben', 1);
  cid = await cluster.connect('cid', 1);
  roomId = (await ann.ask('room:create', { name: 'Careful' })).room.id;
  for (const client of [ben, cid]) await client.ask('room:join', { roomId });
  await ann.ask('member:update', { roomId, userId: ben.session.userId, role: 'moderator' });
});
afterEach(() => cluster.hangUp());
afterAll(async () => {
  await cluster.stop();
  await hook.stop();
});

const held = async () => (await ann.ask('held:list', { roomId })).items;
const codeOf = async (clientMsgId: string, text = clientMsgId) =>
  (await cid.refusal('message:send', { roomId, clientMsgId, text })).code;

describe('what is held', () => {
  it('is stored once in the name of its sender, however many approve it beside his retry', async () => {
    await ann.ask('filter:add', { roomId, kind: 'word', pattern: 'perhaps', action: 'hold' });
    await ann.ask('filter:add', { roomId, kind: 'word', pattern: 'damn', action: 'mask' });
    const perhaps = { roomId, clientMsgId: 'perhaps', text: 'Perhaps, damn', meta: { a: 1 } };
    // The other instance hears of the filter a moment later: until then another message passes there.
    for (let i = 0, told = ''; told !== 'held'; i += 1) {
      const reply = await cid.reply('message:send', { roomId, clientMsgId: `try${i}`, text: 'Perhaps' });
      told = reply.ok ? '' : reply.error.code;
    }
    for (const { id } of await held()) await ann.ask('held:answer', { roomId, heldId: id, approve: false });
    const { seq: before } = (await ann.ask('message:send', { roomId, clientMsgId: 'before', text: 'Before' })).message;

    for (let i = 0; i < 2; i += 1)
      expect(await cid.refusal('message:send', perhaps)).toMatchObject({ code: 'held', retryable: false });
    expect(await codeOf('perhaps', 'Perhaps not')).toBe('idempotency_mismatch');
    expect(await held()).toMatchObject([
      { text: 'Perhaps, ****', seq: null, reason: '', sender: { id: cid.session.userId, name: 'cid' } },
    ]);
    const answer = { roomId, heldId: (await held())[0]?.id ?? '', approve: true };
    await Promise.all([
      ann.reply('held:answer', answer),
      ben.reply('held:answer', answer),
      cid.reply('message:send', perhaps),
      cid.reply('message:send', perhaps),
    ]);
    expect(await cid.ask('message:send', perhaps)).toMatchObject({
      duplicate: true,
      message: { seq: before + 1, text: 'Perhaps, ****', meta: { a: 1 }, sender: { name: 'cid' } },
    });
    expect((await ben.refusal('held:answer', answer)).code).toBe('not_found');
    expect(await held()).toEqual([]);
    const last = await ann.ask('message:send', { roomId, clientMsgId: 'last', text: 'Last' });
    expect(last.message.seq).toBe(before + 2);
  });

  it('is rejected once it was declined', async () => {
    hook.answer = says({ action: 'hold', reason: 'Look at it' });
    expect(await codeOf('hm')).toBe('held');
    const [one] = await held();
    expect(one).toMatchObject({ text: 'hm', reason: 'Look at it' });
    const answer = { roomId, heldId: one?.id ?? '', approve: false };
    expect((await ann.ask('held:answer', answer)).message).toBeNull();
    expect(await codeOf('hm')).toBe('rejected');
    expect((await ann.refusal('held:answer', { ...answer, approve: true })).code).toBe('not_found');
  });

  it('may be an edit, and is not stored where its sender may not say it any more', async () => {
    await cid.ask('message:send', { roomId, clientMsgId: 'first', text: 'First' });
    hook.answer = says({ action: 'hold' });
    const edit = { roomId, seq: 1, text: 'Hm' };
    expect((await ann.refusal('message:edit', edit)).code).toBe('forbidden');
    expect((await cid.refusal('message:edit', { ...edit, text: 'Hm, no' })).code).toBe('held');
    expect((await cid.refusal('message:edit', edit)).code).toBe('held');
    expect(await held()).toMatchObject([{ seq: 1, text: 'Hm' }]);
    const answer = { roomId, heldId: (await held())[0]?.id ?? '', approve: true };
    const userId = cid.session.userId;
    await ann.ask('member:update', { roomId, userId, mutedUntil: '2099-01-01T00:00:00.000Z' });
    expect((await ann.refusal('held:answer', answer)).code).toBe('conflict');
    await ann.ask('member:update', { roomId, userId, mutedUntil: null });
    const { message } = await ann.ask('held:answer', answer);
    expect(message).toMatchObject({ seq: 1, text: 'Hm', version: 2, sender: { name: 'cid' } });
  });

  it('is declined with the ban of its sender', async () => {
    hook.answer = says({ action: 'hold' });
    expect(await codeOf('last-words')).toBe('held');
    await ann.ask('member:ban', { roomId, userId: cid.session.userId, on: true });
    expect(await held()).toEqual([]);
  });

  it('waits for some days, and not more of it than there may be', async () => {
    hook.answer = says({ action: 'hold' });
    for (let i = 0; i < 20; i++) expect(await codeOf(`many${i}`)).toBe('held');
    expect(await codeOf('many20')).toBe('rejected');
    expect(await codeOf('many3')).toBe('held');
    await cluster.query(`update held_messages set created_at = now() - interval '8 days' where room_id = $1`, [roomId]);
    expect(await held()).toEqual([]);
    expect(await codeOf('many20')).toBe('held');
    expect(await held()).toMatchObject([{ text: 'many20' }]);
  });
});
