import fc from 'fast-check';
import { ParleyError } from '../../sdk/parley-error.js';
import { me, message, settled } from './samples.js';
import { refusal, SendWire } from './send-wire.js';

const forbidden = { code: 'muted', message: 'Hush', retryable: false } as const;
const texts = (items: readonly { text: string }[]) => items.map(({ text }) => text);
const numbers = (n: number, from = 1) => Array.from({ length: n }, (_, i) => String(from + i));

function wireWith(...sends: string[]): SendWire {
  const wire = new SendWire();
  for (const text of sends) wire.outbox.add(text);
  return wire;
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant('send' as const) },
  { weight: 8, arbitrary: fc.constant('process' as const) },
  { weight: 2, arbitrary: fc.constant('process old' as const) },
  { weight: 1, arbitrary: fc.constant('cut' as const) },
  { weight: 2, arbitrary: fc.constant('come back' as const) },
  { weight: 1, arbitrary: fc.constant('time out' as const) },
  { weight: 1, arbitrary: fc.constant('refuse' as const) },
  { weight: 2, arbitrary: fc.constant('wake' as const) },
);

test('stores every message once and in order across lost connections, timeouts and refusals', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120 }), fc.infiniteStream(fc.nat()), async (steps, picks) => {
      const wire = new SendWire();
      const all: { text: string; sent: Promise<{ message: { text: string } }> }[] = [];
      for (const next of steps) {
        if (next === 'send') all.push(wire.outbox.add(String(all.length + 1)));
        else if (next === 'process') wire.process();
        else if (next === 'process old') wire.process((picks.next().value as number) % wire.connections);
        else if (next === 'cut') wire.cut();
        else if (next === 'come back') wire.comeBack();
        else if (next === 'time out') wire.timeOut();
        else if (next === 'refuse') wire.refuse(refusal);
        else wire.wake();
        await settled();
      }
      wire.comeBack();
      for (let i = 0; wire.outbox.items.length > 0 && i < 1_000; i++) {
        wire.process();
        wire.wake();
        await settled();
      }
      expect(texts(wire.stored)).toEqual(numbers(all.length));
      for (const { text, sent } of all) expect((await sent).message.text).toBe(text);
      expect(wire.mostInFlight).toBeLessThanOrEqual(16);
    }),
    { numRuns: 300 },
  );
});

test('has several messages in flight, up to a limit', async () => {
  const wire = wireWith(...numbers(40));
  expect(wire.waiting).toHaveLength(16);
  wire.process();
  await settled();
  expect(texts(wire.waiting)).toEqual(numbers(16, 2));
});

test('waits while offline and sends in order when it is back', async () => {
  const wire = new SendWire();
  wire.cut();
  const first = wire.outbox.add('1');
  wire.outbox.add('2');
  expect(first.state).toBe('waiting');
  wire.comeBack();
  expect(texts(wire.waiting)).toEqual(['1', '2']);
  wire.process();
  await expect(first.sent).resolves.toMatchObject({ duplicate: false });
  expect(first.state).toBe('sent');
});

test('sends the same clientMsgId again after the connection broke before the reply', async () => {
  const wire = wireWith('1');
  const [before] = wire.waiting;
  wire.cut();
  wire.process(0);
  wire.comeBack();
  await settled();
  expect(wire.waiting).toEqual([before]);
  const [item] = wire.outbox.items;
  expect(wire.process()).toMatchObject({ duplicate: true });
  await expect(item?.sent).resolves.toMatchObject({ duplicate: true, message: { seq: 1 } });
  expect(wire.stored).toHaveLength(1);
});

test('after a refusal waits until all are answered and the time that the server asked for, then sends one by one', async () => {
  const wire = wireWith(...numbers(20));
  wire.refuse(refusal);
  await settled();
  expect(wire.pauses).toEqual([]);
  for (let i = 0; i < 15; i++) wire.process();
  await settled();
  expect(wire.waiting).toEqual([]);
  expect(wire.pauses.map(({ ms }) => ms)).toEqual([750]);
  wire.wake();
  await settled();
  for (let n = 1; n <= 16; n++) {
    expect(texts(wire.waiting)).toEqual([String(n)]);
    wire.process();
    await settled();
  }
  expect(texts(wire.waiting)).toEqual(numbers(4, 17));
});

test('lets a message fail that the server refuses for good, and goes on with the next', async () => {
  const wire = wireWith('1', '2', '3');
  const [first] = wire.outbox.items;
  wire.refuse(forbidden);
  wire.process();
  wire.process();
  await settled();
  await expect(first?.sent).rejects.toMatchObject({ code: 'muted' });
  expect(first).toMatchObject({ state: 'failed', error: { code: 'muted' } });
  expect(texts(wire.stored)).toEqual(['2', '3']);
  expect(texts(wire.outbox.items)).toEqual(['1']);
});

test('retries a failed message behind those that wait, under its old clientMsgId', async () => {
  const wire = wireWith('1');
  const [first] = wire.outbox.items;
  wire.refuse(forbidden);
  await settled();
  wire.cut();
  wire.outbox.add('2');
  first?.retry();
  expect(first?.state).toBe('waiting');
  expect(first?.error).toBeUndefined();
  expect(texts(wire.outbox.items)).toEqual(['2', '1']);
  wire.comeBack();
  expect(wire.waiting[1]?.clientMsgId).toBe(first?.clientMsgId);
  wire.process();
  wire.process();
  await expect(first?.sent).resolves.toMatchObject({ message: { seq: 2 } });
});

test('discards what waits or failed, and not what is on its way', async () => {
  const wire = wireWith('1', '2');
  const [failed, sending] = wire.outbox.items;
  wire.refuse(forbidden);
  await settled();
  sending?.discard();
  wire.cut();
  await settled();
  const waiting = wire.outbox.add('3');
  failed?.discard();
  waiting.discard();
  expect(texts(wire.outbox.items)).toEqual(['2']);
  await expect(waiting.sent).rejects.toBeInstanceOf(ParleyError);
  wire.comeBack();
  expect(texts(wire.waiting)).toEqual(['2']);
});

test('needs no other try for a message that was seen among the changes of the room', async () => {
  const wire = wireWith('1', '2');
  const [first, second] = [...wire.outbox.items];
  wire.cut();
  await settled();
  wire.outbox.recognise(message(7, { sender: me, clientMsgId: first?.clientMsgId ?? '' }));
  wire.outbox.shown(7);
  expect(wire.outbox.items).toEqual([second]);
  await expect(first?.sent).resolves.toMatchObject({ duplicate: true, message: { seq: 7 } });
  wire.comeBack();
  expect(texts(wire.waiting)).toEqual(['2']);
});

test('leaves it to the reply whether a message seen before it was a duplicate', async () => {
  const wire = wireWith('1');
  const [first] = wire.outbox.items;
  wire.outbox.recognise(message(1, { sender: me, clientMsgId: first?.clientMsgId ?? '' }));
  wire.outbox.shown(1);
  expect(wire.outbox.items).toEqual([]);
  expect(first?.state).toBe('sent');
  wire.process();
  await expect(first?.sent).resolves.toMatchObject({ duplicate: false });
});

test('does not send again what was seen before the connection broke', async () => {
  const wire = wireWith('1');
  const [first] = wire.outbox.items;
  wire.outbox.recognise(message(1, { sender: me, clientMsgId: first?.clientMsgId ?? '' }));
  wire.cut();
  await expect(first?.sent).resolves.toMatchObject({ duplicate: true, message: { seq: 1 } });
  wire.comeBack();
  expect(wire.waiting).toEqual([]);
});

test('keeps an acknowledged message until the room shows it', async () => {
  const wire = wireWith('1');
  wire.show = () => 0;
  wire.process();
  await settled();
  expect(wire.outbox.items).toMatchObject([{ state: 'sent' }]);
  wire.outbox.shown(1);
  expect(wire.outbox.items).toEqual([]);
});

test('takes the same clientMsgId with the same text for the same message while it is pending', () => {
  const wire = new SendWire();
  expect(wire.outbox.add('1', { clientMsgId: 'mine' })).toBe(wire.outbox.add('1', { clientMsgId: 'mine' }));
  expect(wire.waiting).toHaveLength(1);
});

test('refuses a text that the server would cut the connection for', async () => {
  const wire = wireWith('x'.repeat(4_001));
  const [item] = wire.outbox.items;
  await expect(item?.sent).rejects.toMatchObject({ code: 'invalid_argument', details: ['text: Too long'] });
  expect(wire.waiting).toEqual([]);
  wire.outbox.add('x'.repeat(4_000));
  expect(wire.waiting).toHaveLength(1);
});

test('rejects what is left when the client is closed, and everything after', async () => {
  const wire = wireWith('1');
  const [first] = wire.outbox.items;
  const error = new ParleyError({ code: 'unavailable', message: 'Closed', retryable: false });
  wire.outbox.close(error);
  await expect(first?.sent).rejects.toBe(error);
  await expect(wire.outbox.add('2').sent).rejects.toBe(error);
});
