import fc from 'fast-check';
import { PurgedUser } from '../../src/admin/admin-users.schemas.js';
import type { Message, RequestInput, RequestName, RoomChanges } from '../../src/protocol/index.js';
import { PlainClient } from '../client.js';
import { adminKey } from '../instance.js';
import { Cluster } from './cluster.js';
import { Rest } from './rest.js';
import { line, STORED } from './stored.js';

const USERS = ['ann', 'ben', 'cid'];

let cluster: Cluster;
beforeAll(async () => (cluster = await Cluster.start(2)));
afterAll(() => cluster.stop());

/** What somebody does; `at` chooses a message among those that are there. */
interface Step {
  who: number;
  what:
    | 'say'
    | 'answer'
    | 'reply'
    | 'edit'
    | 'delete'
    | 'react'
    | 'unreact'
    | 'pin'
    | 'unpin'
    | 'reconnect'
    | 'rejoin'
    | 'purge';
  at: number;
}

const sending = new Set<Step['what']>(['say', 'answer', 'reply']);

const step: fc.Arbitrary<Step> = fc.record({
  who: fc.nat(USERS.length - 1),
  what: fc.constantFrom(
    ...sending,
    ...sending,
    'edit',
    'delete',
    'react',
    'unreact',
    'pin',
    'unpin',
    'reconnect',
    'rejoin',
    'purge',
  ),
  at: fc.nat(1_000),
});

/** A user who knows the room from frames and catching up alone: nothing that a reply of his says goes into it. */
class Follower {
  readonly messages = new Map<number, Message>();
  cursor = 0;
  private instance: number;
  private turn = Promise.resolve();

  private constructor(
    readonly roomId: string,
    readonly user: string,
    private client: PlainClient,
    instance: number,
  ) {
    this.instance = instance;
  }

  static async connect(roomId: string, user: string, instance: number): Promise<Follower> {
    const client = await cluster.connect(user, instance);
    await client.ask('room:join', { roomId });
    const follower = new Follower(roomId, user, client, instance);
    await follower.catchUp();
    return follower;
  }

  /** Whatever becomes of it, short of a fault of the server. */
  async ask<E extends RequestName>(event: E, request: RequestInput<E>): Promise<void> {
    await this.turn;
    const { client } = this;
    // A request whose connection is cut may be done or not: that is part of it.
    const reply = await client.reply(event, request).catch((error: unknown) => {
      if (client === this.client) throw error;
      return { ok: true } as const;
    });
    if (!reply.ok && ['internal', 'invalid_argument'].includes(reply.error.code))
      throw new Error(`${event}: ${reply.error.code}`);
  }

  reconnect(): Promise<void> {
    return this.inTurn(async () => {
      const { client: cut } = this;
      this.take();
      this.instance = 1 - this.instance;
      this.client = await cluster.connect(this.user, this.instance);
      cut.close();
      await this.catchUp();
    });
  }

  rejoin(): Promise<void> {
    return this.inTurn(async () => {
      await this.client.ask('room:leave', { roomId: this.roomId });
      await this.client.ask('room:join', { roomId: this.roomId });
      await this.catchUp();
    });
  }

  /** An admin deletes all that he said. */
  async purge(): Promise<void> {
    const admin = new Rest(cluster.instance(this.instance).url, adminKey);
    await admin.ok('POST', `/admin/v1/users/${this.client.session.userId}/purge`, PurgedUser, {});
  }

  /** Resolves when frames have told everything up to there. */
  async reach(rev: number): Promise<void> {
    await this.client.until(() => {
      this.take();
      return this.cursor >= rev;
    });
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    this.turn = this.turn.then(work);
    return this.turn;
  }

  private async catchUp(): Promise<void> {
    for (let more = true; more;) {
      const { roomId, cursor, client } = this;
      const synced = await client.ask('room:sync', { roomId, epoch: client.session.epoch, after: cursor, limit: 7 });
      if (synced.reset) throw new Error('Was reset');
      this.apply(synced);
      more = synced.more;
    }
    this.take();
  }

  private take(): void {
    for (const frame of this.client.frames.splice(0))
      // A purge goes through his rooms of earlier runs, too.
      if (frame.roomId === this.roomId && frame.after <= this.cursor) this.apply(frame);
  }

  private apply({ upTo, changes }: Pick<RoomChanges, 'upTo' | 'changes'>): void {
    for (const change of changes) {
      if (change.rev <= this.cursor || change.kind !== 'message') continue;
      this.messages.set(change.message.seq, change.message);
    }
    this.cursor = Math.max(this.cursor, upTo);
  }
}

async function act(follower: Follower, { what, at }: Step, seqs: number, id: string): Promise<void> {
  const { roomId } = follower;
  const seq = 1 + (at % Math.max(1, seqs));
  const emoji = `:e${at % 3}:`;
  const say = (more: object) => follower.ask('message:send', { roomId, clientMsgId: id, text: id, ...more });
  switch (what) {
    case 'say':
      return say({});
    case 'answer':
      return say({ replyTo: seq, meta: { at } });
    case 'reply':
      return say({ threadRoot: seq });
    case 'edit':
      return follower.ask('message:edit', { roomId, seq, text: `edited ${id}` });
    case 'delete':
      return follower.ask('message:delete', { roomId, seq });
    case 'react':
    case 'unreact':
      return follower.ask('message:react', { roomId, seq, emoji, on: what === 'react' });
    case 'pin':
    case 'unpin':
      return follower.ask('message:pin', { roomId, seq, on: what === 'pin' });
    case 'reconnect':
      return follower.reconnect();
    case 'rejoin':
      return follower.rejoin();
    case 'purge':
      return follower.purge();
  }
}

/** What a cut connection had asked for may still be done meanwhile: then it is looked at anew. */
async function compare(roomId: string, followers: readonly Follower[]): Promise<void> {
  const head = async () =>
    (await cluster.query<{ rev: number }>('select rev::int from rooms where id = $1', [roomId]))[0]?.rev ?? 0;
  for (;;) {
    const rev = await head();
    const stored = await cluster.query(STORED, [roomId]);
    for (const follower of followers) await follower.reach(rev);
    if (rev !== (await head()) || followers.some(({ cursor }) => cursor !== rev)) continue;
    for (const { messages } of followers) {
      const held = [...messages.values()].toSorted((a, b) => a.seq - b.seq);
      expect(held.map(line)).toEqual(stored);
    }
    return;
  }
}

describe('whatever several people do at once through two instances', () => {
  it('leaves each of them, who knows of it by the stream alone, with what Postgres has', async () => {
    const run = async (waves: Step[][]): Promise<void> => {
      try {
        const owner = await cluster.connect('ann');
        const { id: roomId } = (await owner.ask('room:create', { name: 'Busy' })).room;
        const followers = await Promise.all(USERS.map((user, i) => Follower.connect(roomId, user, i % 2)));
        await Promise.all(
          followers.map((follower, i) => act(follower, { who: i, what: 'say', at: 0 }, 0, `first.${i}`)),
        );
        let seqs = USERS.length;
        for (const [i, wave] of waves.entries()) {
          const done = wave.map((each, k) => {
            const follower = followers[each.who];
            // The owner stays: a room whose owner changes is not what this is about.
            if (follower === undefined || (each.what === 'rejoin' && each.who === 0)) return Promise.resolve();
            return act(follower, each, seqs, `${i}.${k}`);
          });
          await Promise.all(done);
          seqs += wave.filter(({ what }) => sending.has(what)).length;
        }
        await compare(roomId, followers);
      } finally {
        cluster.hangUp();
      }
    };
    const waves = fc.array(fc.array(step, { minLength: 6, maxLength: 14 }), { minLength: 5, maxLength: 9 });
    await fc.assert(fc.asyncProperty(waves, run), { numRuns: 12, endOnFailure: true, interruptAfterTimeLimit: 60_000 });
  }, 90_000);
});
