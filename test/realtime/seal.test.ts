import { createClient } from 'redis';
import type { RoomChanges } from '../../src/protocol/index.js';
import { Seal } from '../../src/realtime/seal.js';
import { startRedis, type PrivateRedis } from '../environment/redis.js';
import { channelOf, PREFIX, Stage, until } from './sharded-stage.js';

const key = 'a-key-of-the-bus-that-only-the-tests-know-0123456789';
const other = 'another-key-of-the-bus-that-only-the-tests-know-0123';
const overhead = 16;

interface Heard {
  channel: string;
  message: Buffer;
}

describe('a seal', () => {
  const seal = new Seal([key]);
  const sealed = (by: Seal, channel = 'room', message: string | Buffer = 'text') =>
    Buffer.from(by.close(channel, message));

  it('is opened by who has the key, on the channel that it was made for, and not when anything was changed (S-52)', () => {
    const message = sealed(seal);
    expect(message).toHaveLength(4 + overhead);
    expect(String(seal.open('room', message))).toBe('text');
    expect(String(seal.open(Buffer.from('room'), message))).toBe('text');
    expect(seal.open('another room', message)).toBeUndefined();
    for (let i = 0; i < message.length; i++) {
      const changed = Buffer.from(message);
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(seal.open('room', changed)).toBeUndefined();
    }
    for (let length = 0; length < message.length; length++)
      expect(seal.open('room', message.subarray(0, length))).toBeUndefined();
    expect(seal.open('room', Buffer.from('text'))).toBeUndefined();
    expect(seal.open('room', sealed(seal, 'room', ''))).toHaveLength(0);
  });

  it('of the key of before is opened as long as that is named, and nothing is sealed where there is none (S-52)', () => {
    const before = sealed(new Seal([other]));
    expect(seal.open('room', before)).toBeUndefined();
    const both = new Seal([key, other]);
    expect(String(both.open('room', before))).toBe('text');
    expect(String(seal.open('room', sealed(both)))).toBe('text');
    const none = new Seal();
    expect(none.close('room', 'text')).toBe('text');
    expect(String(none.open('room', Buffer.from('text')))).toBe('text');
  });
});

describe('between two instances', () => {
  const stage = new Stage();
  let redis: PrivateRedis;
  let intruder: ReturnType<typeof createClient>;
  let roomId: string;

  const begin = async (adapter: 'classic' | 'sharded', hmacKeys: string[]): Promise<void> => {
    await stage.start(redis.url, { adapter, hmacKeys });
    roomId = await stage.room();
  };
  beforeEach(async () => {
    redis = await startRedis();
    intruder = createClient({ url: redis.url });
    intruder.on('error', () => undefined);
    await intruder.connect();
  });
  afterEach(async () => {
    intruder.destroy();
    await stage.stop();
    await redis.stop();
  });

  /** What the instances say to each other while the two talk. */
  const overheard = async (listen: (ear: typeof intruder, heard: Heard[]) => Promise<void>): Promise<Heard[]> => {
    const ear = intruder.duplicate();
    ear.on('error', () => undefined);
    await ear.connect();
    try {
      const heard: Heard[] = [];
      await listen(ear, heard);
      await stage.converse(roomId, 2);
      await until(() => Promise.resolve(heard.length > 0));
      return heard;
    } finally {
      ear.destroy();
    }
  };
  const inRoom = () =>
    overheard((ear, heard) => {
      const channel = channelOf(roomId);
      return ear.sSubscribe(channel, (message) => void heard.push({ channel, message }), true);
    });
  const inAll = () =>
    overheard((ear, heard) =>
      ear.pSubscribe(`${PREFIX}-*`, (message, channel) => void heard.push({ channel: String(channel), message }), true),
    );
  const junk = () => stage.buses.reduce((sum, { counts }) => sum + counts.junk, 0);

  it.each(['classic', 'sharded'] as const)(
    'what is not sealed, or by another key, or was changed, is dropped and counted on the %s adapter (S-52)',
    async (adapter) => {
      await begin(adapter, [key]);
      const heard = adapter === 'sharded' ? await inRoom() : await inAll();
      expect(junk()).toBe(0);
      const seal = new Seal([key]);
      for (const { channel, message } of heard) {
        const plain = seal.open(channel, message);
        if (plain === undefined) throw new Error('It was not sealed');
        const changed = Buffer.from(message);
        changed[overhead] = (changed[overhead] ?? 0) ^ 1;
        const before = junk();
        for (const forged of [plain, changed, Buffer.from(new Seal([other]).close(channel, plain))])
          await (adapter === 'sharded' ? intruder.sPublish(channel, forged) : intruder.publish(channel, forged));
        await until(() => Promise.resolve(junk() >= before + 3));
      }
      await stage.converse(roomId, 3);
      expect(stage.buses.every(({ healthy, complete }) => healthy && complete)).toBe(true);
      expect(stage.buses.map(({ counts }) => counts.dropped)).toEqual([0, 0]);
    },
  );

  it.each([
    ['nobody hears what an intruder makes up', [key], false],
    ['members hear what an intruder makes up where there is no key', [], true],
  ])('%s (S-52)', async (_, hmacKeys, isHeard) => {
    await begin('sharded', hmacKeys);
    const last = (await inRoom()).at(-1)?.message;
    const forged = JSON.parse(String(last?.subarray(hmacKeys.length > 0 ? overhead : 0))) as {
      uid: string;
      data: { packet: [string, RoomChanges[]] };
    };
    forged.uid = 'intruder';
    const [, [frame]] = forged.data.packet;
    const change = frame?.changes.at(-1);
    if (frame === undefined || change?.kind !== 'message') throw new Error('It was no message');
    const [rev, seq] = [frame.upTo + 1, change.message.seq + 1];
    frame.changes = [{ ...change, rev, message: { ...change.message, rev, seq, text: 'Forged' } }];
    frame.after = frame.upTo;
    frame.upTo = rev;
    await intruder.sPublish(channelOf(roomId), JSON.stringify(forged));
    if (isHeard) await stage.ben.until(() => stage.ben.textsOf(roomId).includes('Forged'));
    else {
      await until(() => Promise.resolve(junk() > 0));
      await stage.converse(roomId, 1);
      expect(stage.ben.textsOf(roomId)).not.toContain('Forged');
    }
  });
});
