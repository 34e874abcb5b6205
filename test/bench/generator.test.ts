import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { GeneratorProcess } from '../../bench/generator-process.js';
import { Generator } from '../../bench/load/generator.js';
import type { Job, Outcome } from '../../bench/load/job.js';

interface Send {
  roomId: string;
  text: string;
}
type Answer = (reply: object) => void;

/** Runs a short load on a bare server that treats each tenth message as `tenth` says, and refuses it where that is false. */
async function outcomeOf(
  tenth: (io: Server, send: Send, pass: () => void) => unknown,
  job: Partial<Job> = {},
): Promise<Outcome> {
  const http = createServer();
  const io = new Server(http, { serveClient: false });
  let sent = 0;
  io.on('connection', (socket: Socket) => {
    socket.on('join', ({ roomId }: { roomId: string }, answer: Answer) => {
      void socket.join(roomId);
      answer({ ok: true });
    });
    socket.on('leave', ({ roomId }: { roomId: string }, answer: Answer) => {
      void socket.leave(roomId);
      answer({ ok: true });
    });
    socket.on('send', (send: Send, answer: Answer) => {
      const pass = (): void => void io.to(send.roomId).emit('message', { text: send.text });
      sent += 1;
      const ok = sent % 10 > 0 || tenth(io, send, pass) !== false;
      if (sent % 10 > 0) pass();
      answer({ ok });
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const generator = new Generator({
    dialect: 'bare',
    urls: [`http://127.0.0.1:${(http.address() as AddressInfo).port}`],
    tokens: ['', '', '', ''],
    // One of them is in both.
    rooms: [
      { members: [0, 1, 2], senders: 2 },
      { members: [2, 3], senders: 1 },
    ],
    pace: { kind: 'open', perSecond: 200 },
    textLength: 40,
    warmUpMs: 50,
    lengthMs: 300,
    arrivesWithinMs: 300,
    ...job,
  });
  try {
    await generator.prepare();
    return await generator.run(() => undefined);
  } finally {
    generator.close();
    await io.close();
  }
}

describe('the generator', () => {
  it('finds nothing lost or doubled where everything comes once', async () => {
    const outcome = await outcomeOf((_io, _send, pass) => pass());
    expect(outcome).toMatchObject({ lost: 0, doubled: 0, refused: 0, unanswered: 0, cut: 0 });
    expect(outcome.deliveriesPerSecond).toBeGreaterThan(outcome.sendsPerSecond * 2);
    expect(outcome.framesPerSecond).toBe(outcome.deliveriesPerSecond);
    expect(outcome.deliveryP50).toBeGreaterThan(0);
  });

  it('finds what does not come', async () => {
    expect(await outcomeOf(() => undefined)).toMatchObject({ doubled: 0 });
    expect((await outcomeOf(() => undefined)).lost).toBeGreaterThan(0);
  });

  it('finds what comes twice', async () => {
    const outcome = await outcomeOf((_io, _send, pass) => {
      pass();
      pass();
    });
    expect(outcome.lost).toBe(0);
    expect(outcome.doubled).toBeGreaterThan(0);
  });

  it('finds another message in the place of one that does not come', async () => {
    const outcome = await outcomeOf((io, { roomId, text }) => {
      io.to(roomId).emit('message', { text: text.replace(/@\w/, '@1') });
    });
    expect(outcome.lost).toBe(0);
    expect(outcome.doubled).toBeGreaterThan(0);
  });

  it('counts what is refused, and goes on with the sender', async () => {
    const outcome = await outcomeOf(() => false, { pace: { kind: 'closed' } });
    expect(outcome).toMatchObject({ lost: 0, doubled: 0, unanswered: 0 });
    // More than there are senders.
    expect(outcome.refused).toBeGreaterThan(3);
  });

  it('lets others come and go meanwhile', async () => {
    const outcome = await outcomeOf((_io, _send, pass) => pass(), {
      churn: {
        tokens: ['', '', ''],
        seed: 'churn',
        perSecond: { joinOrLeave: 100, history: 0.1, members: 0.1, sync: 0.1, reconnect: 50 },
      },
    });
    expect(outcome).toMatchObject({ lost: 0, doubled: 0, churned: { failed: 0 } });
    expect(outcome.churned?.perSecond).toBeGreaterThan(50);
  });

  it('says so when it dies', async () => {
    const generator = new GeneratorProcess<object, { type: string }>('../test/bench/dying-generator.ts');
    const asked = generator.ask({}, (told): told is { type: string } => told.type === 'outcome');
    await expect(asked).rejects.toThrow('The generator ended with 3');
    const late = generator.ask({}, (told): told is { type: string } => told.type === 'outcome');
    await expect(late).rejects.toThrow('The generator ended with 3');
    await generator.stop();
  });
});
