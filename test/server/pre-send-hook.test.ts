import { createHmac } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import { limits } from '../../src/protocol/index.js';
import { PreSendHook } from '../../src/screening/pre-send-hook.js';
import { Screening } from '../../src/screening/screening.js';
import type { PlainClient } from '../client.js';
import { startInstance } from '../instance.js';
import { Cluster } from './cluster.js';
import { HookServer, hookSecret, isFromParley, says, type Asked } from './hook-server.js';

let hook: HookServer;
let cluster: Cluster;
const OPEN = 0;
const CLOSED = 1;
beforeAll(async () => {
  hook = await HookServer.start();
  const settings = { url: hook.url, secret: hookSecret };
  cluster = await Cluster.start(1, { preSendHook: { ...settings, timeoutMs: 2_000, fail: 'open' } });
  const closed = { ...settings, timeoutMs: 500, fail: 'closed' as const };
  cluster.instances.push(await startInstance(cluster.databaseUrl, undefined, { preSendHook: closed }));
});
beforeEach(() => {
  hook.answer = says({ action: 'allow' });
  hook.asked.length = 0;
  for (const instance of [OPEN, CLOSED]) Object.assign(part(instance), { failures: 0, restsUntil: 0 });
});
afterEach(() => cluster.hangUp());
afterAll(async () => {
  await cluster.stop();
  await hook.stop();
});

async function room(instance = OPEN): Promise<{ ann: PlainClient; roomId: string }> {
  const ann = await cluster.connect('ann', instance);
  return { ann, roomId: (await ann.ask('room:create', { name: 'Screened' })).room.id };
}
const send = (client: PlainClient, roomId: string, text: string, clientMsgId: string = uuidv7()) =>
  client.ask('message:send', { roomId, clientMsgId, text });
const part = (instance: number) =>
  cluster.instance(instance).app.get<unknown, { restsUntil: number; failures: number }>(PreSendHook);

describe('the pre-send hook', () => {
  it('is asked of every send and edit, by socket and REST, signed (S-50)', async () => {
    const { ann, roomId } = await room();
    const user = { id: ann.session.userId, name: 'ann' };
    await send(ann, roomId, 'First', 'first');
    const extras = { replyTo: 1, threadRoot: 1, meta: { a: 1 } };
    await ann.ask('message:send', { roomId, clientMsgId: 'second', text: 'Second', ...extras });
    await ann.ask('message:edit', { roomId, seq: 1, text: 'Edited' });
    const rest = await cluster.rest('ann');
    await rest.send('POST', `/v1/rooms/${roomId}/messages`, { clientMsgId: 'third', text: 'Third' });
    await rest.send('PATCH', `/v1/rooms/${roomId}/messages/3`, { text: 'Edited, too' });
    const own = { id: expect.any(String) as string, at: expect.stringMatching(/Z$/) as string, roomId, user };
    expect(hook.asked).toEqual([
      { ...own, clientMsgId: 'first', text: 'First', edit: false },
      { ...own, clientMsgId: 'second', text: 'Second', ...extras, edit: false },
      { ...own, text: 'Edited', edit: true },
      { ...own, clientMsgId: 'third', text: 'Third', edit: false },
      { ...own, text: 'Edited, too', edit: true },
    ]);
    expect(new Set(hook.asked.map(({ id }) => id)).size).toBe(5);
  });

  it('rejects for its reason, or has another text stored', async () => {
    const { ann, roomId } = await room();
    await send(ann, roomId, 'First', 'first');
    hook.answer = says({ action: 'mask', text: 'Masked' });
    expect((await send(ann, roomId, 'Second', 'second')).message.text).toBe('Masked');
    expect(await send(ann, roomId, 'Second', 'second')).toMatchObject({ duplicate: true, message: { text: 'Masked' } });
    expect((await ann.ask('message:edit', { roomId, seq: 1, text: 'Edit' })).message.text).toBe('Masked');
    hook.answer = says({ action: 'reject', reason: `Too loud ${'!'.repeat(500)}` });
    const { code, retryable, message } = await ann.refusal('message:send', { roomId, clientMsgId: 'x', text: 'Loud' });
    expect({ code, retryable, message }).toEqual({
      code: 'rejected',
      retryable: false,
      message: `Too loud ${'!'.repeat(191)}`,
    });
    expect((await ann.refusal('message:edit', { roomId, seq: 1, text: 'Loud' })).code).toBe('rejected');
    expect((await send(ann, roomId, 'First', 'first')).duplicate).toBe(true);
    const ben = await cluster.connect('ben');
    expect((await ben.refusal('message:send', { roomId, clientMsgId: 'x', text: 'Loud' })).code).toBe('not_member');
    const { messages } = await ann.ask('history:get', { roomId });
    expect(messages.map(({ text }) => text)).toEqual(['Masked', 'Masked']);
  });

  it('sees what the filters of the room leave, and nothing of what they reject', async () => {
    const { ann, roomId } = await room();
    await ann.ask('filter:add', { roomId, kind: 'word', pattern: 'spam', action: 'mask' });
    await ann.ask('filter:add', { roomId, kind: 'word', pattern: 'bad', action: 'reject' });
    expect((await ann.refusal('message:send', { roomId, clientMsgId: 'x', text: 'bad' })).code).toBe('rejected');
    expect((await send(ann, roomId, 'spam')).message.text).toBe('****');
    expect(hook.texts()).toEqual(['****']);
  });

  it('signs what docs/operations.md tells to look at, and refuses what is forged or old (S-50)', () => {
    const now = Date.now();
    const at = Math.floor(now / 1_000);
    const sign = (t: number) => `t=${t},v1=${createHmac('sha256', hookSecret).update(`${t}.{}`).digest('hex')}`;
    expect(isFromParley(sign(at), '{}', hookSecret, now)).toBe(true);
    expect(isFromParley(sign(at), '{ }', hookSecret, now)).toBe(false);
    expect(isFromParley(sign(at), '{}', `${hookSecret}.`, now)).toBe(false);
    expect(isFromParley(sign(at - 301), '{}', hookSecret, now)).toBe(false);
    expect(isFromParley(sign(at).replace('t=', 't=0'), '{}', hookSecret, now)).toBe(false);
    expect(isFromParley('undefined', '{}', hookSecret, now)).toBe(false);
  });

  const failures: Record<string, (response: Parameters<HookServer['answer']>[0], asked: Asked) => void> = {
    'is no JSON': says('allow'),
    'is no answer': says({ action: 'shout' }),
    'masks without a text': says({ action: 'mask' }),
    'masks with a blank': says({ action: 'mask', text: ' ' }),
    'masks with too long a text': says({ action: 'mask', text: 'x'.repeat(limits.textLength + 1) }),
    'is too large': says({ action: 'allow', more: 'x'.repeat(70_000) }),
    'is a failure': (response) => void response.writeHead(500).end('{"action":"allow"}'),
    'is created': (response) => void response.writeHead(201).end('{"action":"allow"}'),
    'is a redirect': (response, asked) =>
      response.req.url === '/elsewhere'
        ? says({ action: 'allow' })(response, asked)
        : void response.writeHead(307, { location: '/elsewhere' }).end(),
    'never ends': (response) => void response.write('{"action":'),
    'is a cut': (response) => void response.destroy(),
  };
  it.each(Object.keys(failures))('fails where its answer %s: open lets pass, closed does not (S-49)', async (name) => {
    const { ann, roomId } = await room(CLOSED);
    const open = await cluster.connect('ann', OPEN);
    await send(open, roomId, 'Before', 'before');
    hook.answer = failures[name] ?? says({});
    expect((await send(open, roomId, 'Passes')).message.text).toBe('Passes');
    expect((await send(ann, roomId, 'Before', 'before')).duplicate).toBe(true);
    const refused = await ann.refusal('message:send', { roomId, clientMsgId: 'first', text: 'Text' });
    expect(refused).toMatchObject({ code: 'unavailable', retryable: true, retryAfterMs: expect.any(Number) as number });
    expect((await ann.refusal('message:edit', { roomId, seq: 1, text: 'Other' })).code).toBe('unavailable');
    expect(hook.asked).toHaveLength(5);
    hook.answer = says({ action: 'allow' });
    expect((await send(ann, roomId, 'Text', 'first')).message.text).toBe('Text');
    await send(open, roomId, 'Over');
    expect([part(OPEN).failures, part(CLOSED).failures]).toEqual([0, 0]);
  });

  it('leaves sends of a client in their order, whatever it answers first, and keeps nothing of them', async () => {
    const { ann, roomId } = await room();
    const texts = Array.from({ length: 30 }, (_, i) => `${i}`);
    const held: (() => void)[] = [];
    hook.answer = (response, asked) =>
      held.push(() => says({ action: 'mask', text: `${asked.text}!` })(response, asked));
    const sends = texts.map((text) => send(ann, roomId, text));
    await cluster.eventually(() => held.length === texts.length);
    for (const release of held.toReversed()) release();
    await Promise.all(sends);
    await ann.until(() => ann.textsOf(roomId).length === texts.length);
    expect(ann.textsOf(roomId)).toEqual(texts.map((text) => `${text}!`));
    const { turns } = cluster.instance(OPEN).app.get<unknown, { turns: { size: number } }>(Screening);
    await cluster.eventually(() => turns.size === 0);
  });

  it('lets nothing overtake what has to be sent again because it failed', async () => {
    const { ann, roomId } = await room(CLOSED);
    hook.answer = (response, asked) =>
      asked.text === '0' ? void response.writeHead(500).end() : says({ action: 'allow' })(response, asked);
    const texts = ['0', '1', '2', '3'];
    const first = texts.map((text) => ann.reply('message:send', { roomId, clientMsgId: text, text }));
    for (const reply of await Promise.all(first))
      expect(reply).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    hook.answer = says({ action: 'allow' });
    await Promise.all(texts.map((text) => send(ann, roomId, text, text)));
    await ann.until(() => ann.textsOf(roomId).length === texts.length);
    expect(ann.textsOf(roomId)).toEqual(texts);
  });

  it('is asked 64 times at once at most', async () => {
    const { ann, roomId } = await room();
    const ben = await cluster.connect('ben');
    await ben.ask('room:join', { roomId });
    const held: (() => void)[] = [];
    hook.answer = (response, asked) => held.push(() => says({ action: 'mask', text: 'Seen' })(response, asked));
    hook.mostUnderWay = 0;
    const sends = [ann, ben].flatMap((client) => Array.from({ length: 60 }, (_, i) => send(client, roomId, `${i}`)));
    await cluster.eventually(() => held.length === 64);
    hook.answer = says({ action: 'mask', text: 'Seen' });
    for (const release of held) release();
    for (const { message } of await Promise.all(sends)) expect(message.text).toBe('Seen');
    expect(hook.asked).toHaveLength(120);
    expect(hook.mostUnderWay).toBe(64);
  });

  it('is left alone for five seconds when it failed five times in a row', async () => {
    const { ann, roomId } = await room(CLOSED);
    hook.answer = (response) => void response.writeHead(500).end();
    const fails = async (i: number) => {
      const { roomId: other } = await room(CLOSED);
      expect((await ann.refusal('message:send', { roomId: other, clientMsgId: `${i}`, text: 'Text' })).code).toBe(
        'unavailable',
      );
    };
    for (let i = 0; i < 5; i++) await fails(i);
    hook.answer = says({ action: 'allow' });
    const rest = part(CLOSED).restsUntil - performance.now();
    expect(rest).toBeGreaterThan(3_000);
    expect(rest).toBeLessThanOrEqual(5_000);
    await fails(5);
    expect(hook.asked).toHaveLength(5);
    part(CLOSED).restsUntil = 0;
    await send(ann, roomId, 'Text');
    expect(hook.asked).toHaveLength(6);
    expect(part(CLOSED).failures).toBe(0);
  });
});
