import { performance } from 'node:perf_hooks';
import { abort } from '../../verify/proxy/lane.js';
import { PatternMatcher } from '../../verify/proxy/pattern.js';
import { TcpProxy } from '../../verify/proxy/tcp-proxy.js';
import { Random } from '../../verify/random.js';
import { dial, startTarget, until, type Client, type Target } from './sockets.js';

let target: Target;
let proxy: TcpProxy;
const clients: Client[] = [];

async function client(): Promise<Client> {
  const made = await dial(proxy.port);
  clients.push(made);
  return made;
}

/** A client whose connection has reached the target. */
async function through(): Promise<{ near: Client; far: Target['sockets'][number]; sent: () => string }> {
  const index = target.sockets.length;
  const near = await client();
  await until(() => target.sockets.length > index);
  const far = target.sockets[index];
  if (far === undefined) throw new Error('No connection');
  return { near, far, sent: () => target.received()[index] ?? '' };
}

beforeEach(async () => {
  target = await startTarget();
  proxy = await TcpProxy.start({
    target: { host: '127.0.0.1', port: target.port },
    random: new Random('proxy'),
    labels: { subscriber: Buffer.from('SUBSCRIBE') },
  });
});

afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await proxy.stop();
  await target.stop();
  expect(proxy.open).toBe(0);
});

describe('a passing connection', () => {
  it('carries bytes both ways and counts them', async () => {
    const { near, far, sent } = await through();
    near.socket.write('up');
    far.write('down!');
    await until(() => sent() === 'up' && near.received() === 'down!');
    expect(proxy.traffic).toEqual({ up: { passed: 2, dropped: 0 }, down: { passed: 5, dropped: 0 } });
  });

  it('carries a half close, then the other half, and forgets the connection', async () => {
    const near = await client();
    near.socket.end('bye');
    await until(() => target.received()[0] === 'bye');
    expect(await near.ended).toBe('closed');
    await until(() => proxy.open === 0);
  });

  it('carries a reset', async () => {
    const { near, far } = await through();
    far.resetAndDestroy();
    expect(await near.ended).toBe('reset');
    await until(() => proxy.open === 0);
  });

  it('can be reset while it is being ended', async () => {
    const near = await dial(target.port);
    await until(() => target.sockets.length === 1);
    near.socket.end();
    abort(near.socket);
    await near.ended;
  });

  it('resets the client when the target does not listen', async () => {
    await target.stop();
    const near = await client();
    expect(await near.ended).toBe('reset');
  });

  it('holds a fast sender back while the receiver does not read, and loses nothing', async () => {
    const { near, far } = await through();
    const total = 32 * 1024 * 1024;
    let arrived = 0;
    far.on('data', (chunk: Buffer) => (arrived += chunk.length));
    far.pause();
    near.socket.write(Buffer.alloc(total, 'x'));
    // So much happens beside it that the rest would have gone through if nothing held it.
    const beside = await through();
    beside.far.on('data', (chunk: Buffer) => beside.far.write(chunk));
    for (let round = 1; round <= 200; round++) {
      beside.near.socket.write('.');
      await until(() => beside.near.received().length === round);
    }
    expect(proxy.traffic.up.passed).toBeLessThan(total / 2);
    far.resume();
    await until(() => arrived === total);
  });
});

describe('delay', () => {
  it('delivers late and in order in spite of jitter', async () => {
    const { near, sent } = await through();
    proxy.set({ up: { kind: 'delay', ms: 60, jitterMs: 50 } });
    const started = performance.now();
    const words = Array.from({ length: 40 }, (_, i) => `${i};`);
    for (const word of words) {
      near.socket.write(word);
      await new Promise(setImmediate);
    }
    await until(() => sent() === words.join(''));
    expect(performance.now() - started).toBeGreaterThan(60);
  });

  it('lets the answer through without delay when only one direction is slow', async () => {
    const { near, far, sent } = await through();
    proxy.set({ up: { kind: 'delay', ms: 10_000 } });
    near.socket.write('late');
    far.write('soon');
    await until(() => near.received() === 'soon');
    expect(sent()).toBe('');
    proxy.set({ kind: 'pass' });
    await until(() => sent() === 'late');
  });
});

describe('throttle', () => {
  it('lets through no more than the rate', async () => {
    const { near, far } = await through();
    proxy.set({ down: { kind: 'throttle', bytesPerSecond: 20_000 } });
    const started = performance.now();
    far.write('x'.repeat(10_000));
    await until(() => near.received().length === 10_000);
    const seconds = (performance.now() - started) / 1_000;
    expect(10_000 / seconds).toBeLessThan(25_000);
  });
});

describe('stall', () => {
  it('holds bytes and delivers them all when it ends', async () => {
    const { near, far, sent } = await through();
    proxy.set({ up: { kind: 'stall' } });
    near.socket.write('held');
    far.write('free');
    await until(() => near.received() === 'free');
    expect(sent()).toBe('');
    proxy.set({ kind: 'pass' });
    await until(() => sent() === 'held');
  });

  it('connects clients that came meanwhile when it ends', async () => {
    proxy.set({ kind: 'stall' });
    const near = await client();
    near.socket.write('hello');
    const other = await dial(target.port);
    await until(() => target.sockets.length === 1);
    other.socket.destroy();
    proxy.set({ kind: 'pass' });
    await until(() => target.received().includes('hello'));
  });
});

describe('blackhole', () => {
  it('swallows one direction while the connection stays up', async () => {
    const { near, far, sent } = await through();
    proxy.set({ down: { kind: 'blackhole' } });
    far.write('lost');
    near.socket.write('heard');
    await until(() => sent() === 'heard' && proxy.traffic.down.dropped === 4);
    expect(near.received()).toBe('');
    expect(near.socket.destroyed).toBe(false);
  });

  it('leaves a connection that lost bytes dead after the fault, and new ones alive', async () => {
    const old = await through();
    proxy.set({ kind: 'blackhole' });
    old.near.socket.write('lost');
    await until(() => proxy.traffic.up.dropped === 4);
    proxy.heal();
    old.near.socket.write('late');
    await until(() => proxy.traffic.up.dropped === 8);
    const fresh = await through();
    fresh.near.socket.write('alive');
    await until(() => fresh.sent() === 'alive');
    expect(old.sent()).toBe('');
  });

  it('lets a connection that lost nothing go on after the fault', async () => {
    const { near, sent } = await through();
    proxy.set({ kind: 'blackhole' });
    proxy.heal();
    near.socket.write('fine');
    await until(() => sent() === 'fine');
  });

  it('accepts and hangs who comes meanwhile, and never takes it to the target', async () => {
    proxy.set({ kind: 'blackhole' });
    const [near, silent] = [await client(), await client()];
    near.socket.write('anyone?');
    await until(() => proxy.traffic.up.dropped === 7 && proxy.open === 2);
    proxy.heal();
    silent.socket.write('now?');
    await until(() => proxy.traffic.up.dropped === 11);
    const fresh = await through();
    fresh.near.socket.write('here');
    await until(() => fresh.sent() === 'here');
    expect(target.sockets).toHaveLength(1);
    expect([near.socket.destroyed, silent.socket.destroyed]).toEqual([false, false]);
  });

  it('hides a close of the client from the target', async () => {
    const { near, far } = await through();
    proxy.set({ kind: 'blackhole' });
    near.socket.destroy();
    await near.ended;
    proxy.heal();
    const fresh = await through();
    fresh.near.socket.write('later');
    await until(() => fresh.sent() === 'later');
    expect(far.readableEnded).toBe(false);
    expect(far.destroyed).toBe(false);
  });

  it('takes the connections that exist for ever and lets new ones pass', async () => {
    const old = await through();
    proxy.set({ kind: 'blackhole' }, { only: 'existing' });
    old.near.socket.write('lost');
    const fresh = await through();
    fresh.near.socket.write('through');
    await until(() => fresh.sent() === 'through' && proxy.traffic.up.dropped === 4);
    expect(old.sent()).toBe('');
  });

  it('takes only new connections when told so', async () => {
    const old = await through();
    proxy.set({ kind: 'blackhole' }, { only: 'new' });
    const fresh = await client();
    fresh.socket.write('lost');
    old.near.socket.write('through');
    await until(() => old.sent() === 'through' && proxy.traffic.up.dropped === 4);
    expect(target.sockets).toHaveLength(1);
  });

  it('takes only connections with the label, whenever they show it', async () => {
    const [publisher, subscriber] = [await through(), await through()];
    subscriber.near.socket.write('SUBSCRIBE a');
    await until(() => subscriber.sent() === 'SUBSCRIBE a');
    proxy.set({ down: { kind: 'blackhole' } }, { label: 'subscriber' });
    const late = await through();
    late.near.socket.write('SUBSC');
    late.near.socket.write('RIBE b');
    await until(() => late.sent() === 'SUBSCRIBE b');
    for (const { far } of [publisher, subscriber, late]) far.write('news');
    await until(() => publisher.near.received() === 'news' && proxy.traffic.down.dropped === 8);
    expect(subscriber.near.received() + late.near.received()).toBe('');
  });
});

describe('cuts', () => {
  it('resets every connection on demand, and only those with the label if one is given', async () => {
    const [one, other] = [await through(), await through()];
    other.near.socket.write('SUBSCRIBE a');
    await until(() => other.sent() === 'SUBSCRIBE a');
    expect(proxy.reset({ label: 'subscriber' })).toBe(1);
    expect(await other.near.ended).toBe('reset');
    one.near.socket.write('still here');
    await until(() => one.sent() === 'still here');
    expect(proxy.reset()).toBe(1);
    expect(await one.near.ended).toBe('reset');
  });

  it('refuses new connections and keeps old ones', async () => {
    const old = await through();
    proxy.refuse(true);
    const near = await dial(proxy.port).catch(() => undefined);
    if (near !== undefined) expect(await near.ended).toBe('reset');
    old.near.socket.write('on');
    await until(() => old.sent() === 'on');
  });

  it('cuts after a number of bytes and lets through exactly those', async () => {
    proxy.cutAfter('up', 10);
    const { near, sent } = await through();
    near.socket.write('1234567');
    near.socket.write('89abcdef');
    expect(await near.ended).toBe('reset');
    await until(() => sent() === '123456789a');
  });

  it('drops from the pattern on, which may be split over chunks, and resets', async () => {
    proxy.cutOn({ watch: 'down', pattern: Buffer.from('COMMIT'), every: 2 });
    const { near, far } = await through();
    far.write('one COMMIT two COM');
    await until(() => near.received() === 'one COMMIT two COM');
    far.write('MIT three');
    expect(await near.ended).toBe('reset');
    expect(near.received()).toBe('one COMMIT two COM');
    expect(proxy.counts.cuts).toBe(1);
  });

  it('counts occurrences over all connections', async () => {
    proxy.cutOn({ watch: 'up', pattern: Buffer.from('x'), every: 3, times: 1 });
    const links = [await through(), await through(), await through(), await through()];
    for (const [i, link] of links.entries()) {
      link.near.socket.write('ax');
      if (i !== 2) await until(() => link.sent() === 'ax');
      else expect(await link.near.ended).toBe('reset');
    }
    expect(links[2]?.sent()).toBe('a');
  });

  it('drops the answer to what it saw, keeps silent for a while, then resets', async () => {
    const silence = 80;
    proxy.cutOn({ watch: 'up', pattern: Buffer.from('send'), drop: 'down', resetAfterMs: silence });
    const { near, far, sent } = await through();
    const started = performance.now();
    near.socket.write('send it');
    await until(() => sent() === 'send it');
    far.write('ack');
    expect(await near.ended).toBe('reset');
    expect(performance.now() - started).toBeGreaterThan(silence - 5);
    expect(near.received()).toBe('');
  });

  it('stops cutting when told so', async () => {
    const stop = proxy.cutOn({ watch: 'up', pattern: Buffer.from('x') });
    const { near, sent } = await through();
    stop();
    near.socket.write('x');
    await until(() => sent() === 'x');
  });
});

describe('a pattern in a stream', () => {
  it.each([
    ['COMMIT', 'ababab-COMMIT-aCOCOMMITab-COMMITCOMMIT', [7, 17, 26, 32]],
    ['aaa', 'aaaaab-aaa', [0, 1, 2, 7]],
    ['x', 'x-xx', [0, 2, 3]],
  ])('is found wherever the chunks are split: %s', (wanted, text, places) => {
    const [pattern, stream] = [Buffer.from(wanted), Buffer.from(text)];
    const random = new Random('split');
    for (let round = 0; round < 300; round++) {
      const matcher = new PatternMatcher(pattern);
      const found: number[] = [];
      for (let at = 0; at < stream.length;) {
        const chunk = stream.subarray(at, at + 1 + random.int(9));
        found.push(...matcher.feed(chunk).map((start) => start + at));
        at += chunk.length;
      }
      expect(found).toEqual(places);
    }
  });
});
