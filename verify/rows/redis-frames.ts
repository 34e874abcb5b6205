import { createRequire } from 'node:module';
import type { RedisClient } from '../processes/redis.js';
import type { Random } from '../random.js';
import { timeUntilHealthy } from './redis-figures.js';
import { sum, type Row, type RunningRow } from './row.js';

/** What the adapter packs its packets with. */
const { encode } = createRequire(import.meta.url)('notepack.io') as { encode: (value: unknown) => Buffer };

const hugeBytes = 10 * 2 ** 20;

/**
 * Whoever may publish on Redis is trusted with what is not stored: Parley does not know a frame that another instance made from
 * one that follows on and was forged. What this row asks is that anything else does no harm: junk, what belongs to others, what
 * was said before, and what claims a future that Postgres does not know.
 */
export const redisFrameRows: Row[] = [
  {
    name: 'F-R7',
    title: 'junk, frames of other namespaces, huge, replayed and forged ones on every channel',
    load: 'L1',
    seconds: 45,
    steps: async (run) => {
      const { redis } = run.cluster;
      const [admin, listener] = [await redis.client(), await redis.client()];
      await run.pause(6_000);
      const heard: { channel: string; frame: Buffer }[] = [];
      await listener.pSubscribe(
        '*',
        (frame, channel) => {
          if (heard.length < 500) heard.push({ channel: String(channel), frame });
        },
        true,
      );
      await run.pause(4_000);
      listener.destroy();
      const channels = await channelsOf(admin, run);
      run.measure('channels', channels.length);
      await run.fault('frames that nobody made', async () => {
        for (let round = 0; round < 20; round++) {
          for (const channel of channels)
            for (const frame of strange(run.random))
              await admin.publish(channel, frame).then(() => run.measure('strange', 1));
          for (const { channel, frame } of heard)
            await admin.publish(channel, frame).then(() => run.measure('replayed', 1));
          for (const roomId of run.load.rooms) {
            for (const channel of channels.filter((name) => name.includes('-request#')))
              await admin.publish(channel, await future(run, roomId)).then(() => run.measure('forged', 1));
          }
          await run.pause(200);
        }
        const huge = Buffer.alloc(hugeBytes, '{');
        const hugeRequest = Buffer.from(
          JSON.stringify({ uid: 'x', type: 6, data: ['changes', ['y'.repeat(hugeBytes)]] }),
        );
        for (const channel of channels)
          for (const frame of [huge, hugeRequest])
            await admin.publish(channel, frame).then(() => run.measure('huge', 1));
      });
      run.measure('healthy', await timeUntilHealthy(run));
      admin.destroy();
    },
    figures: (_, run) => [
      { name: 'channels', value: sum(run, 'channels'), unit: '', limit: 4, atLeast: true },
      { name: 'strange frames', value: sum(run, 'strange'), unit: '', limit: 1_000, atLeast: true },
      { name: 'huge frames', value: sum(run, 'huge'), unit: '', limit: 8, atLeast: true },
      { name: 'frames replayed', value: sum(run, 'replayed'), unit: '', limit: 1_000, atLeast: true },
      { name: 'frames of a future that is not', value: sum(run, 'forged'), unit: '', limit: 100, atLeast: true },
    ],
  },
];

/** Every channel that somebody listens to, and of the adapter's pattern those of everybody, of nobody and of a room. */
async function channelsOf(admin: RedisClient, { load }: RunningRow): Promise<string[]> {
  const plain = await admin.sendCommand<string[]>(['PUBSUB', 'CHANNELS']);
  if (Number(await admin.sendCommand(['PUBSUB', 'NUMPAT'])) === 0) return plain;
  const every = plain.filter((name) => name.includes('-request#')).map((name) => name.replace('-request#', '#'));
  return [...plain, ...every.flatMap((name) => [name, `${name}nobody#`, `${name}room:${load.rooms[0]}#`])];
}

function strange(random: Random): (string | Buffer)[] {
  const bytes = Buffer.from(Array.from({ length: 1 + random.int(64) }, () => random.int(256)));
  const packet = { type: 2, nsp: '/', data: ['room:changes', { roomId: 'x', after: 0, upTo: 1, changes: [] }] };
  const rooms = { rooms: [], except: [] };
  return [
    bytes,
    '',
    '{',
    '{}',
    '[]',
    'null',
    '{"type":99}',
    '{"type":6,"uid":"x","data":null}',
    '{"type":6,"uid":"x","data":["changes",null]}',
    '{"type":6,"uid":"x","data":["changes",[{"roomId":1,"after":"a","upTo":{},"changes":[null]}]]}',
    '{"type":6,"uid":"x","data":["constructor"],"requestId":"1"}',
    '{"requestId":"nobody asked","sockets":[{}]}',
    '{"type":7}',
    '{"type":1,"requestId":"1"}',
    encode([]),
    encode(null),
    encode(['x', null, null]),
    encode(['x', { ...packet, nsp: '/others' }, rooms]),
    encode(['x', { type: 99, nsp: '/' }, { rooms: ['nobody'], except: [] }]),
    `bye ${'x'.repeat(36)}`,
  ];
}

/** What claims to follow on changes of a room that are not made yet; they come to be within some seconds. */
async function future({ cluster, load, random }: RunningRow, roomId: string): Promise<string> {
  const rows = await cluster.postgres.query<{ rev: number; seq: number }>(
    'select rev::float8 as rev, seq::float8 as seq from rooms where id = $1',
    [roomId],
    cluster.databaseUrl,
  );
  // Far enough that the instances look into Postgres before the room is there.
  const ahead = 10 + random.int(10);
  const after = (rows[0]?.rev ?? 0) + ahead;
  const message = {
    roomId,
    seq: (rows[0]?.seq ?? 0) + ahead + 1,
    rev: after + 1,
    sender: { id: load.clients[0]?.userId ?? '', name: 'u0' },
    clientMsgId: `forged-${random.uint32()}`,
    text: 'never said',
    createdAt: new Date().toISOString(),
    deletedAt: null,
  };
  const frame = { roomId, after, upTo: after + 1, changes: [{ rev: after + 1, kind: 'message', message }] };
  return JSON.stringify({ uid: 'forger', type: 6, data: ['changes', [frame]] });
}
