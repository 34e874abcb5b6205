import { uuidv7 } from 'uuidv7';
import type { RoomChanges } from '../../src/protocol/index.js';
import { RoomBroadcaster } from '../../src/realtime/room-broadcaster.js';
import { Refused, type PlainClient } from '../client.js';
import { Cluster } from './cluster.js';

let cluster: Cluster;
beforeAll(async () => (cluster = await Cluster.start(2)));
afterEach(() => cluster.hangUp());
afterAll(() => cluster.stop());

async function room(owner: PlainClient): Promise<string> {
  return (await owner.ask('room:create', { name: 'Room' })).room.id;
}

/** Keeps so many sends under way until `stop()`, which resolves with how many were stored. */
function talk(client: PlainClient, roomId: string, width: number): { stop(): Promise<number> } {
  let talking = true;
  let sent = 0;
  const lane = async (): Promise<void> => {
    while (talking) {
      const clientMsgId = uuidv7();
      await insisting(() => client.ask('message:send', { roomId, clientMsgId, text: 'Talk' }));
      sent += 1;
    }
  };
  const lanes = Promise.all(Array.from({ length: width }, lane));
  return {
    stop: async () => {
      talking = false;
      await lanes;
      return sent;
    },
  };
}

/** Asks again for as long as the answer is that it may be worth it, as every client should: the room is busy. */
async function insisting<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Refused) || !error.error.retryable) throw error;
    }
  }
}

const framesOf = (client: PlainClient, roomId: string): RoomChanges[] =>
  client.frames.filter((frame) => frame.roomId === roomId);
const seqsOf = (client: PlainClient, roomId: string): number[] =>
  client.changesOf(roomId).flatMap((change) => (change.kind === 'message' ? [change.message.seq] : []));

describe('while others talk', () => {
  it('who joins misses nothing and sees nothing twice between what he reads and what he is sent', async () => {
    const [ann, ben] = [await cluster.connect('ann'), await cluster.connect('ben', 1)];
    const roomId = await room(ann);
    await ben.ask('room:join', { roomId });
    const talks = [talk(ann, roomId, 8), talk(ben, roomId, 8)];
    const guests = await Promise.all(Array.from({ length: 20 }, (_, i) => cluster.connect(`guest-${i}`, i % 2)));
    const read = await Promise.all(
      guests.map(async (guest, i) => {
        // Some join, some are added.
        const { userId } = guest.session;
        await insisting(() =>
          i % 3 === 0 ? ann.ask('member:add', { roomId, userId }) : guest.ask('room:join', { roomId }),
        );
        const { messages } = await guest.ask('history:get', { roomId, limit: 200 });
        const synced = await guest.ask('room:sync', { roomId });
        return { messages, upTo: synced.upTo };
      }),
    );
    for (const each of talks) await each.stop();
    const { message: last } = await ann.ask('message:send', { roomId, clientMsgId: 'last', text: 'The end' });
    for (const [i, guest] of guests.entries()) {
      await guest.until(() => seqsOf(guest, roomId).includes(last.seq));
      const live = seqsOf(guest, roomId);
      const first = live[0] ?? 0;
      expect(live).toEqual(Array.from({ length: last.seq - first + 1 }, (_, k) => first + k));
      // What was read reaches to where what was sent begins.
      expect(read[i]?.messages.at(-1)?.seq ?? 0).toBeGreaterThanOrEqual(first - 1);
      // A sync ends where a frame begins.
      const starts = framesOf(guest, roomId).map(({ after }) => after);
      expect(starts).toContain(read[i]?.upTo);
    }
    expect(last.seq).toBeGreaterThan(60);
  });

  it('who leaves is sent his leaving last, on each of his devices', async () => {
    const [ann, ben] = [await cluster.connect('ann'), await cluster.connect('ben', 1)];
    const devices = [await cluster.connect('dan'), await cluster.connect('dan', 1), await cluster.connect('dan', 1)];
    const roomId = await room(ann);
    await ben.ask('room:join', { roomId });
    for (let round = 1; round <= 10; round++) {
      for (const client of [ann, ben, ...devices]) client.frames.length = client.signals.length = 0;
      await devices[0]?.ask('room:join', { roomId });
      for (const device of devices) await device.until(() => device.signals.length > 0);
      const talking = talk(ann, roomId, 4);
      await ann.ask('message:send', { roomId, clientMsgId: `before-${round}`, text: `Before ${round}` });
      for (const device of devices) await device.until(() => device.textsOf(roomId).includes(`Before ${round}`));
      const { member } = (await devices[round % 3]?.ask('room:leave', { roomId })) ?? {};
      await talking.stop();
      await ann.ask('message:send', { roomId, clientMsgId: `after-${round}`, text: `After ${round}` });
      for (const witness of [ann, ben]) await witness.until(() => witness.textsOf(roomId).includes(`After ${round}`));
      for (const device of devices) {
        await device.ask('rooms:discover', {});
        expect(device.changesOf(roomId).at(-1)).toEqual({ rev: member?.rev, kind: 'member', member, memberCount: 2 });
      }
    }
  });

  it('who leaves while another device of his connects is sent nothing after it there', async () => {
    const [ann, ben] = [await cluster.connect('ann'), await cluster.connect('ben', 1)];
    const dan = await cluster.connect('don');
    const roomId = await room(ann);
    await ben.ask('room:join', { roomId });
    const talking = talk(ben, roomId, 4);
    for (let round = 1; round <= 12; round++) {
      for (const client of [ann, ben, dan]) client.frames.length = 0;
      await dan.ask('room:join', { roomId });
      const connecting = [0, 1, 0, 1].map((instance) => cluster.connect('don', instance));
      const { member } = await dan.ask('room:leave', { roomId });
      const devices = await Promise.all(connecting);
      const syncs = await Promise.all(devices.map((device) => device.ask('rooms:sync', {})));
      await ann.ask('message:send', { roomId, clientMsgId: `round-${round}`, text: `Round ${round}` });
      for (const witness of [ann, ben]) await witness.until(() => witness.textsOf(roomId).includes(`Round ${round}`));
      for (const [i, device] of devices.entries()) {
        await device.ask('rooms:discover', {});
        const after = device.changesOf(roomId).filter(({ rev }) => rev > member.rev);
        expect(after).toEqual([]);
        expect(syncs[i]?.rooms).toEqual([]);
        device.close();
      }
    }
    await talking.stop();
  });
});

describe('an instance', () => {
  it('keeps nothing of a client that went while it was let into its rooms', async () => {
    const [gone, ben] = [await cluster.connect('gone'), await cluster.connect('ben')];
    const roomId = await room(gone);
    const { app } = cluster.instance(0);
    const before = await cluster.connections(0);
    const hold = await cluster.hold('lock table memberships in access exclusive mode');
    void gone.reply('room:sync', { roomId }).catch(() => undefined);
    await hold.waitedFor();
    gone.close();
    await cluster.eventually(async () => (await cluster.connections(0)) < before);
    await hold.release();
    // What was waiting has gone on by the time that this, which waited behind it, is answered.
    await ben.ask('rooms:sync', {});
    cluster.hangUp();
    await cluster.eventually(() => app.get(RoomBroadcaster).load.rooms === 0);
  });
});
